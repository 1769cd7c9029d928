"""Evaluation of a trained run: summaries of a test set, and their scores."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from mclas_lightning.config.settings import Settings
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.distributed import fail_together, gather_shares, is_rank_zero, rank_and_world
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.baselines import BaselineSummarizer
from mclas_lightning.evaluation.scores import score_side
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.example import Example, Side
from mclas_lightning.files import read_json, sha256, whole_file
from mclas_lightning.inference.environment import environment
from mclas_lightning.inference.pipeline import PipelineSummarizer, load_pipeline
from mclas_lightning.inference.started import start_run
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.metrics.neural.scores import NeuralScores
from mclas_lightning.metrics.profiles import profiles_of
from mclas_lightning.metrics.rouge import Profile
from mclas_lightning.metrics.score import SystemScores
from mclas_lightning.model.device import set_float32_products
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.documents import DOCUMENT_SCORES, write_document_scores
from mclas_lightning.runs.moves import whole_files
from mclas_lightning.runs.predictions import PREDICTIONS
from mclas_lightning.runs.recipe import recipe
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import INITIALIZED_FROM
from mclas_lightning.task import Baseline, Pipeline

TOLD = ("updates", "seen", "cut_off", "leaks")  # of training.json, in results.json

LoadedSystem = NetworkSummarizer | PipelineSummarizer | BaselineSummarizer


def score_run(
    settings: Settings, config: Mapping[str, Any], scored: EvaluationSet | None = None
) -> Results | None:
    """Summarize the documents of ``scored`` (default: the run's test set), and score the summaries.

    predictions.jsonl, scores.npz and results.json of the run's own test set are written into the
    run's folder, those of another set into a subfolder (``EvaluationSet.trial``). The folder of a
    pipeline, which is not trained, is created. Several processes share the documents: rank zero
    scores, writes and returns the results, the others return None. InputError for files of a
    corpus, run or encoder that are missing or changed.
    """
    run, dataset, system = settings.run, settings.dataset, settings.system
    scored = scored or EvaluationSet.of(dataset, "test")
    set_float32_products(settings.device, settings.extras.float32_products)
    with fail_together():
        scored.check(run, dataset)
        # The hash is taken before the examples are read, so that it never hides a changed file.
        of_set = scored.origin()
        corpus = {} if run.started else {"test": sha256(dataset.file("test"))}
        profiles: dict[Side, list[Profile]] = {
            side: profiles_of(dataset.language(side), run.folder / "tokenizer")
            for side in system.sides
        }
        neural = load_neural(settings)
        examples = scored.read(system.required)
        summarizer = load_system(settings)
        own = summarize_share(summarizer, examples, settings)
    summaries = gather_shares(own, len(examples))
    if not is_rank_zero():
        return None
    start_run(run, config, corpus)
    trial = scored.trial(settings.decoding)
    folder = run.folder / trial if trial else run.folder
    decoding = {}
    if not isinstance(summarizer, BaselineSummarizer):
        decoding = asdict(summarizer.resolved(settings.decoding))
    return write_scores(
        settings,
        folder,
        ScoredSummaries(examples, summaries, profiles, neural),
        {**_provenance(settings, summarizer, of_set), **environment(folder)},
        decoding,
    )


class ScoredSummaries(NamedTuple):
    """Summaries of a set of examples, and how they are scored."""

    examples: Sequence[Example]
    summaries: Sequence[Summaries]
    profiles: Mapping[Side, Sequence[Profile]]
    neural: NeuralScores


def write_scores(
    settings: Settings,
    folder: Path,
    tested: ScoredSummaries,
    provenance: Mapping[str, Any],
    decoding: Mapping[str, Any],
) -> Results:
    """Score summaries; write predictions.jsonl, scores.npz and results.json into ``folder``."""
    examples, summaries, profiles, neural = tested
    scores: dict[Side, SystemScores] = {
        side: score_side(
            [summary[side] for summary in summaries],
            # Released code: references are decoded from ids, cut to the length of a target. We: the
            # corpus's text.
            [example.summary(side) or "" for example in examples],
            [example.document for example in examples],
            profiles[side],
            neural,
        )
        for side in profiles
    }
    with whole_files(folder) as part:
        _write_predictions(part / PREDICTIONS, examples, summaries)
        written = sha256(part / PREDICTIONS)
        documents = {side: found.documents for side, found in scores.items()}
        write_document_scores(
            part / DOCUMENT_SCORES, [example.id for example in examples], documents, written
        )
        dataset = settings.dataset
        results = Results(
            dataset=dataset.name,
            scenario=settings.scenario,
            model=settings.system.name,
            seed=settings.seed,
            languages={"source": dataset.source, "target": dataset.target},
            scores={side: found.totals for side, found in scores.items()},
            signatures={side: dict(found.signatures) for side, found in scores.items()},
            decoding=dict(decoding),
            provenance={**provenance, "predictions_sha256": written},
            folder=folder,
        )
        results.write(part / "results.json")
    return results


def _write_predictions(
    path: Path, examples: Sequence[Example], summaries: Sequence[Summaries]
) -> None:
    with whole_file(path) as file:
        for example, summary in zip(examples, summaries, strict=True):
            line = {
                "id": example.id,
                "document": example.document,
                "hypotheses": summary,
                "references": {side: example.summary(side) for side in summary},
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _provenance(
    settings: Settings, summarizer: LoadedSystem, of_set: Mapping[str, Any]
) -> dict[str, Any]:
    """Hashes of configuration, test set and the run's files; the recipe."""
    return {
        "config_sha256": sha256(settings.run.folder / "config.yaml"),
        **of_set,
        "recipe": recipe(settings.run.config),
        "writes": summarizer.writes,
        **_weights(summarizer, settings),
        "files_sha256": settings.run.hashes(),
    }


def load_system(settings: Settings) -> LoadedSystem:
    """The summarizer of a run's network, pipeline or baseline, on the device of ``settings``."""
    if isinstance(settings.system, Baseline):
        return BaselineSummarizer(baseline=settings.system, dataset=settings.dataset)
    if isinstance(settings.system, Pipeline):
        return load_pipeline(
            settings.system,
            settings.dataset,
            seed=settings.seed,
            decoding=settings.decoding,
            device=settings.device,
        )
    summarizer = load_summarizer(settings.run)
    summarizer.network.to(settings.device)
    return summarizer


def _weights(summarizer: LoadedSystem, settings: Settings) -> dict[str, Any]:
    """The origin of the weights, the subset they were trained on, and how long."""
    if not isinstance(summarizer, NetworkSummarizer):
        return summarizer.provenance
    training = read_json(settings.run.training_path, dict)
    if "imported" in training:
        return {"checkpoint": training["imported"], "checkpoint_sha256": training["sha256"]}
    told = {key: training[key] for key in TOLD if key in training}
    path = settings.run.folder / "environment.json"
    started = read_json(path, dict) if path.exists() else {}
    start = {key: value for key, value in started.items() if key == INITIALIZED_FROM}
    return {**start, **_subset(settings, training), "training": told}


def _subset(settings: Settings, training: Mapping[str, Any]) -> dict[str, str]:
    """The hash of the run's subset.json: from training.json, results.json or the file itself.

    Earlier versions wrote no hash into training.json; their subset.json is missing after a move.
    """
    results, manifest = settings.run.folder / "results.json", settings.subset_manifest
    kept = training.get("subset_sha256")
    if kept is None:
        with suppress(InputError):  # Scoring replaces a missing or damaged results.json.
            kept = Results.read(results).provenance.get("subset_sha256")
    if kept is None and manifest.exists():
        kept = sha256(manifest)
    return {} if kept is None else {"subset_sha256": kept}


def summarize_share(
    summarizer: LoadedSystem, examples: Sequence[Example], settings: Settings
) -> list[Summaries]:
    """The summaries of this process's share: examples rank, rank + world, rank + 2 world, ..."""
    rank, world = rank_and_world()
    own = examples[rank::world]
    if isinstance(summarizer, BaselineSummarizer):
        return summarizer.summarize(own)
    assert not isinstance(settings.system, Baseline)
    texts = [settings.system.source_text(example) for example in own]
    with progress_bar(len(texts), "summarizing", "documents", disable=rank > 0) as bar:
        return summarizer.summarize(texts, settings.decoding, bar.update)


def load_neural(settings: Settings) -> NeuralScores:
    """The encoders that score summaries; InputError for a missing encoder or unknown language."""
    neural = NeuralScores.load(settings.scoring, settings.device)
    for side in settings.system.sides:
        neural.signatures(settings.dataset.language(side))
    return neural
