"""The files that a run's results depend on, compared with the hashes in its results.json."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json
from mclas_lightning.runs.exported import opened
from mclas_lightning.runs.identity import check_own_config
from mclas_lightning.runs.recipe import full_precision, recipe
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import INITIALIZED_FROM, Run, run_folder_of, run_of_seed
from mclas_lightning.task import PIPELINE_PARTS
from mclas_lightning.verification.finding import Finding, compared, matched, mismatched, unchecked


def file_findings(results: Results) -> Iterator[Finding]:
    """Findings on configuration, corpus, subset, network and code."""
    assert results.folder is not None
    run, known = Run(run_folder_of(results.folder)), results.provenance
    if not run.started:
        yield unchecked("configuration", f"{run}: was not made here (no config.yaml)")
        if known.get("files_sha256"):
            yield from _network(results, run)
        yield from _named_files("outputs", known.get("outputs") or {})
        return
    try:
        config = run.config
    except InputError as error:
        yield mismatched("configuration", str(error))
        return
    yield from _configuration(results, run, config)
    yield from _corpus(results, run, config)
    subset = Path(os.path.abspath(run.folder)).parent.parent / "subset.json"
    if "subset_sha256" in known:
        yield compared("subset", subset, known["subset_sha256"])
    yield from _network(results, run)
    yield from _code(results)


def _configuration(results: Results, run: Run, config: Mapping[str, Any]) -> Iterator[Finding]:
    yield compared(
        "configuration", run.folder / "config.yaml", results.provenance.get("config_sha256")
    )
    try:
        check_own_config(results, config)
    except InputError as error:
        yield mismatched("configuration", f"{results.folder}/results.json: {error}")
    recorded = results.provenance.get("recipe")
    # A baseline, which copies, has an empty recipe: nothing was trained.
    made = {} if "copies" in config["model"] else recipe(config)
    if recorded is not None and (key := "trainer.precision") in made:
        # Earlier versions recorded the word that was given, and none where none was.
        recorded = {**recorded, key: full_precision(recorded.get(key))}
    if recorded is not None and recorded != made:
        keys = [key for key in sorted({*recorded, *made}) if recorded.get(key) != made.get(key)]
        yield mismatched(
            "configuration", f"config.yaml and results.json differ in {', '.join(keys)}"
        )


def _corpus(results: Results, run: Run, config: Mapping[str, Any]) -> Iterator[Finding]:
    """The corpus's files by corpus.json, and the scored set by results.json."""
    try:
        kept = read_json(run.folder / "corpus.json", dict)
        folder = Path(config["dataset"]["path"])
    except (InputError, KeyError, TypeError) as error:
        yield mismatched("corpus", f"{run}: {error}")
        return
    for split, sha in kept.items():
        yield compared("corpus", folder / f"{split}.jsonl", sha)
    scored, path = results.provenance.get(f"{results.split}_sha256"), scored_set(results)
    # The corpus.json of a pipeline or a baseline has the test set alone.
    if path and ("test_file" in results.provenance or results.split not in kept):
        yield compared("test set", path, scored)
    elif scored != kept.get(results.split):
        yield mismatched("corpus", f"corpus.json and results.json differ in {results.split}.jsonl")


def scored_set(results: Results) -> Path | None:
    """The file of the scored set by results.json or config.yaml; None where neither names one."""
    if named := results.provenance.get("test_file"):
        return Path(str(named))
    assert results.folder is not None
    with suppress(InputError, KeyError, TypeError):
        config = Run(run_folder_of(results.folder)).config
        return Path(config["dataset"]["path"], f"{results.split}.jsonl")
    return None


def _network(results: Results, run: Run) -> Iterator[Finding]:
    """The files of the run's folder, and the runs that it was made from."""
    known = results.provenance
    # A run, or a file of translations, is recorded as "path hash".
    others = (*PIPELINE_PARTS, INITIALIZED_FROM)
    parts = {part: known[part] for part in others if " " in str(known.get(part, ""))}
    for part, recorded in parts.items():
        name, _, sha = str(recorded).rpartition(" ")
        place = opened(run_of_seed(name, results.seed)).best
        if place.exists():
            yield compared(part, place, sha)
        elif len(sha) == 64:
            yield compared(part, Path(name), sha)
    if not known.get("files_sha256"):
        yield unchecked("network", "results.json records no hash of the run's files")
    for name, sha in (known.get("files_sha256") or {}).items():
        topic = "weights" if name.endswith(".ckpt") else name.split("/")[0].removesuffix(".json")
        yield compared(topic, run.folder / name, sha)
    if "training" in known and run.trained:
        ended = read_json(run.training_path, dict)
        unlike = [key for key, value in known["training"].items() if ended.get(key) != value]
        if unlike:
            said = f"training.json and results.json differ in {', '.join(unlike)}"
            yield mismatched("training", said)
    if "checkpoint_sha256" in known:
        yield compared("checkpoint", Path(known["checkpoint"]), known["checkpoint_sha256"])


def _code(results: Results) -> Iterator[Finding]:
    """The commit, and the changes beside it."""
    known = results.provenance
    assert results.folder is not None
    if not known.get("git_commit"):
        yield unchecked("code", "no commit is recorded: the package was installed without git")
    elif "git_diff" in known:
        yield compared("code", results.folder / known["git_diff"], known["git_diff_sha256"])
    elif known.get("git_changes"):
        yield unchecked("code", f"commit {known['git_commit']}, with changes beside the code")
    else:
        yield matched("code", f"commit {known['git_commit']}")


def _named_files(topic: str, recorded: Mapping[str, str]) -> Iterator[Finding]:
    """Files that are recorded as "path hash", such as the outputs of an outside system."""
    for name, _, sha in (text.rpartition(" ") for text in recorded.values()):
        yield compared(topic, Path(name), sha)
