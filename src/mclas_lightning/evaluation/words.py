"""The configuration of ``mclas-evaluate RUN [words]``: the run's config.yaml, changed by words."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from mclas_lightning.config.compose import compose, compose_over
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.runs.identity import read_config
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run, run_of_seed
from mclas_lightning.task import PIPELINE_PARTS

# Sections of a run's configuration that words may change after its training.
OPEN_SECTIONS = ("decoding", "scoring", "logger", "trainer", "scored")

SHA256 = re.compile(r"[0-9a-f]{64}")


def is_run_folder(word: str) -> bool:
    """Whether a word of the command line is a run's folder, not one for Hydra."""
    key, equals, _ = word.partition("=")
    path = "/" in key and not key.startswith(("hydra/", "+", "~"))
    return not word.startswith("-") and (not equals or path or Path(word).is_dir())


def config_for_run(folder: Path, words: Sequence[str], test: str | None) -> DictConfig:
    """The configuration that evaluates the run in ``folder``; ``test`` is the file of a test set.

    InputError for a word that would change the training, or for a test set in other languages.
    """
    kept = read_config(folder)
    of_dataset = [word for word in words if _key(word).split(".")[0] in ("dataset", "data")]
    if "dataset" not in map(_key, of_dataset):
        of_dataset = []
    elif test is not None:
        raise InputError("--test and dataset=...: each names a test set; give one of them")
    others = [word for word in words if word not in of_dataset]
    for word in others:
        _check(word, pipeline="steps" in kept.get("model", {}))
    cfg = compose_over(_in(folder, kept), others)
    with open_dict(cfg):
        cfg.test_file = _test_file(of_dataset, kept) if of_dataset else test
    if "translator" in cfg.model:
        _check_parts(Run(folder), kept, cfg)
    return cfg


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def _in(folder: Path, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The run's configuration ``kept``, with ``folder`` as its place, which may have moved."""
    logger = kept.get("logger")
    here = {"logger": {**logger, "run_dir": str(folder)}} if logger else {}
    return {**kept, **here, "run_dir": str(folder)}


def _check(word: str, *, pipeline: bool) -> None:
    """InputError for a word that a trained run does not accept."""
    key = _key(word)
    parts = [f"model.{part}" for part in PIPELINE_PARTS] if pipeline else []
    if "=" not in word or word.startswith("-"):
        raise InputError(
            f"'{word}': expected a word such as decoding.beam=5, or --test FILE, after the run"
        )
    if key.split(".")[0] not in OPEN_SECTIONS and key not in ("dataset.path", *parts):
        raise InputError(
            f"'{word}': the run was trained already, and takes words for "
            f"{', '.join(OPEN_SECTIONS)} and {', '.join(['dataset.path', *parts])}; another test "
            f"set is named with --test FILE, or with dataset=..."
        )


def _test_file(words: Sequence[str], kept: Mapping[str, Any]) -> str:
    """The path of another dataset's test set; InputError unless its languages are the run's.

    A run of a corpus in one language, such as ms, has no target, and takes any.
    """
    dataset = compose("train", words).dataset
    for key in ("source", "target"):
        if kept["dataset"][key] not in (None, dataset[key]):
            raise InputError(
                f"dataset.{key}: the run was trained for '{kept['dataset'][key]}', the test set of "
                f"'{dataset.name}' is for '{dataset[key]}'"
            )
    return str(Path(dataset.path, "test.jsonl"))


def _check_parts(run: Run, kept: Mapping[str, Any], cfg: DictConfig) -> None:
    """InputError where a pipeline's systems in new folders are not those it was scored with."""
    path = run.folder / "results.json"
    for part in PIPELINE_PARTS:
        name = OmegaConf.select(cfg, f"model.{part}")
        if name == kept["model"][part]:
            continue
        provenance = Results.read(path).provenance if path.exists() else {}
        before = str(provenance.get(part, "")).split(" ")[-1]
        if not SHA256.fullmatch(before) or _hash(name, cfg.seed) != before:
            raise InputError(
                f"model.{part}={name}: is not the one that {run} was scored with; make a pipeline "
                f"of its own with it (mclas-train ... model.name=...)"
            )


def _hash(name: str | None, seed: int) -> str | None:
    """The hash of a run's best.ckpt, or of a file of translations; None where neither exists."""
    place = Path(name or "")
    run = run_of_seed(place, seed)
    if run.best.exists():
        return sha256(run.best)
    return sha256(place) if place.is_file() else None
