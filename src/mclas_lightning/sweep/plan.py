"""The runs of sweep files in an order in which each follows the runs it needs. Loads no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.config.compose import compose, multirun_words, value_of
from mclas_lightning.config.overrides import command, override, quoted, uninterpolated
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.progress import devices_named
from mclas_lightning.runs.run import seed_folders
from mclas_lightning.sweep.axes import (
    DIRECTION_KEYS,
    axes_of,
    holds_for_any_corpus,
    key_of,
    shared_words,
    sweep_file,
)

# Keys that select no file of conf/: set after composing, so that runs share a composition.
LATE_KEYS = ("scenario", "seed")


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run of a plan; no two runs of a plan have the same folder."""

    words: tuple[str, ...]  # for mclas-train
    folder: Path
    dataset: str
    scenario: str
    model: str
    seed: int
    needs: tuple[Path, ...]  # folders of planned runs that have to be trained before
    updates: int  # 0 for a pipeline, which is not trained
    update_tokens: int  # the most tokens of an update
    unit: str  # the tokens that are counted: optim.batch_unit
    config: Mapping[str, Any] = field(compare=False, repr=False)  # the future config.yaml

    def __str__(self) -> str:
        return f"{self.dataset}/{self.scenario}/{self.model}/seed={self.seed}"


def plan_runs(files: Iterable[str], words: Sequence[str] = ()) -> list[PlannedRun]:
    """The runs of all files and the ms runs that they start from, each after the runs it needs.

    ``words`` hold for every run; a word replaces the values that a file has for the same key.
    InputError where two different runs would share a folder.
    """
    planned: dict[Path, PlannedRun] = {}
    for file in files:
        axes = axes_of(sweep_file(file), words)
        shared = shared_words(axes)
        for chosen in multirun_words(axes):
            _add_run(planned, chosen, shared)
    # A run may build on one of a later file.
    for folder, run in planned.items():
        needs = tuple(need for need in run.needs if need in planned)
        planned[folder] = replace(run, needs=needs)
    return [planned[folder] for folder in _in_order(planned)]


def plan_words(runs: Iterable[Sequence[str]]) -> list[PlannedRun]:
    """The runs of these words for mclas-train; each needs the earlier ones that it builds on.

    InputError where two different runs would share a folder.
    """
    planned: dict[Path, PlannedRun] = {}
    for words in runs:
        cfg = _run_config(tuple(words))
        run = _planned_run(tuple(words), cfg)
        needs = tuple(sorted(_builds_on_folders(cfg) & planned.keys()))
        _keep(planned, replace(run, needs=needs))
    return [*planned.values()]


def _add_run(planned: dict[Path, PlannedRun], words: list[str], shared: Sequence[str]) -> None:
    cfg = _run_config(tuple(words))
    run = _planned_run(tuple(_uninterpolated_word(word, cfg) for word in words), cfg)
    places = _builds_on_folders(cfg)
    if places and cfg.dataset.pretraining and cfg.model.name != "ms":
        for first in pretrainings(words, cfg, shared):
            if Path(_run_config(tuple(first)).run_dir) in places:
                _add_run(planned, first, shared)
                break
    _keep(planned, replace(run, needs=tuple(sorted(places))))


def _keep(planned: dict[Path, PlannedRun], run: PlannedRun) -> None:
    known = planned.setdefault(run.folder, run)
    if known.config != run.config:
        raise InputError(
            f"{run.folder}: two different runs would share this folder: "
            f"{command('mclas-train', known.words)}; {command('mclas-train', run.words)}; "
            f"give one another name (model.name=...)"
        )


def pretrainings(words: Sequence[str], cfg: DictConfig, shared: Sequence[str]) -> list[list[str]]:
    """Words for the ms run that a run starts from, as one or two candidates.

    They are the words of ``dataset.pretraining`` and the shared ones. Shared words about the corpus
    itself, such as its name and path, may be meant for the corpus of the ms run or not: the first
    candidate has none of them, the second has them.
    """
    corpus = [quoted(word) for word in cfg.dataset.pretraining]
    keys = {key_of(word) for word in corpus}
    every = [word for word in shared if key_of(word) not in keys]
    undirected = [word for word in every if key_of(word) not in DIRECTION_KEYS]
    neutral = [word for word in every if holds_for_any_corpus(key_of(word))]
    tried = [every] if corpus[0] in words else [neutral, undirected]
    return [[*corpus, "scenario=full", "model=ms", *own, f"seed={cfg.seed}"] for own in tried]


def _planned_run(words: tuple[str, ...], cfg: DictConfig) -> PlannedRun:
    optim, trainer = cfg.optim, cfg.trainer
    try:
        _, config = read_settings(cfg)
        ranks = (devices_named(trainer.devices) or 1) * trainer.num_nodes
        return PlannedRun(
            words=words,
            folder=Path(cfg.run_dir),
            dataset=cfg.dataset.name,
            scenario=cfg.scenario,
            model=cfg.model.name,
            seed=cfg.seed,
            needs=(),
            updates=optim.updates.get(cfg.scenario, 0) if "targets" in cfg.model else 0,
            update_tokens=optim.max_tokens * optim.accumulate * ranks,
            unit=optim.batch_unit,
            config=config,
        )
    except (OmegaConfBaseException, TypeError, InputError) as error:
        raise InputError(f"{command('mclas-train', words)}: {first_line(error)}") from error


def _builds_on_folders(cfg: DictConfig) -> set[Path]:
    """The folders where a run would find what it builds on."""
    return {place for name in _builds_on(cfg) if name for place in seed_folders(name, cfg.seed)}


def _builds_on(cfg: DictConfig) -> list[str | None]:
    """The folders or hub names of the trained systems that a run starts from or uses."""
    if "targets" not in cfg.model:
        return [cfg.model.get("summarizer"), cfg.model.get("translator")]
    return [] if cfg.model.initialize == [] else [cfg.init_from]


def _uninterpolated_word(word: str, cfg: DictConfig) -> str:
    """A word with the value of its interpolation, since a shell would expand ``${...}``."""
    if "${" not in word:
        return word
    value = OmegaConf.select(cfg, key_of(word))
    return override(key_of(word), uninterpolated(value) if isinstance(value, str) else value)


def _run_config(words: tuple[str, ...]) -> DictConfig:
    late = [word for word in words if _key_to_set(word) in LATE_KEYS]
    cfg, default = _composed(tuple(word for word in words if word not in late))
    cfg.update(default | {_key_to_set(word): value_of(word) for word in late})
    return cfg


def _key_to_set(word: str) -> str:
    """The key of a word; a single ``+`` stays, by which Hydra refuses a key that exists."""
    return word.partition("=")[0].removeprefix("++")


@cache
def _composed(words: tuple[str, ...]) -> tuple[DictConfig, dict[str, Any]]:
    cfg = compose("train", words)
    return cfg, {key: cfg[key] for key in LATE_KEYS}


def _in_order(planned: Mapping[Path, PlannedRun]) -> list[Path]:
    """The folders of runs in the order of planning, but each after the folders it needs.

    InputError for a run that needs itself.
    """
    order: dict[Path, None] = {}

    def visit(folder: Path, below: tuple[Path, ...]) -> None:
        if folder in below:
            raise InputError(f"{folder}: builds on itself")
        for needed in planned[folder].needs:
            visit(needed, (*below, folder))
        order[folder] = None

    for folder in planned:
        visit(folder, ())
    return list(order)
