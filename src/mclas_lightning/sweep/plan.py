"""The runs of sweep files, each after the runs that it builds on. Loads no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.config.compose import compose, product
from mclas_lightning.config.overrides import command, exactly, override, quoted
from mclas_lightning.errors import InputError
from mclas_lightning.files import check_run_names
from mclas_lightning.runs.identity import resolved_config
from mclas_lightning.runs.run import seed_folders
from mclas_lightning.sweep.axes import (
    DIRECTION,
    axes_of,
    key_of,
    of_any_corpus,
    shared_words,
    sweep_file,
)

LATE = ("scenario", "seed")  # select no file of conf/: set after composing, which takes long


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run, known by its folder."""

    words: tuple[str, ...]  # for mclas-train
    folder: Path
    dataset: str
    scenario: str
    model: str
    seed: int
    needs: tuple[Path, ...]  # folders of the plan's runs that it builds on
    updates: int  # none of a pipeline, which is not trained
    update_tokens: int  # that an update has room for
    unit: str  # of these: target tokens alone, or both sources' and targets'
    config: Mapping[str, Any] = field(compare=False, repr=False)  # as its config.yaml has it

    def __str__(self) -> str:
        return f"{self.dataset}/{self.scenario}/{self.model}/seed={self.seed}"


def plan(files: Iterable[str], words: Sequence[str] = ()) -> list[PlannedRun]:
    """The runs of all files, and the ms runs that they start from; each after what it needs.

    ``words`` are given to every run; one for a key that a file sweeps over takes its place.
    InputError where two different runs would share a folder.
    """
    planned: dict[Path, PlannedRun] = {}
    for file in files:
        axes = axes_of(sweep_file(file), words)
        shared = shared_words(axes)
        for chosen in product("train", axes):
            _add(planned, chosen, shared)
    return [planned[folder] for folder in _in_order(planned)]


def _add(planned: dict[Path, PlannedRun], words: list[str], shared: Sequence[str]) -> None:
    cfg = _config(tuple(words))
    run = _planned(tuple(_resolved(word, cfg) for word in words), cfg)
    names = [name for name in _builds_on(cfg) if name]
    places = {place for name in names for place in seed_folders(name, run.seed)}
    if places and cfg.dataset.pretraining and cfg.model.name != "ms":
        for first in _pretrainings(words, cfg, shared):
            if Path(_config(tuple(first)).run_dir) in places:
                _add(planned, first, shared)
                break
    needs = tuple(sorted(places & planned.keys()))
    run = replace(run, needs=needs)
    known = planned.setdefault(run.folder, run)
    if known.config != run.config:
        raise InputError(
            f"{run.folder}: two different runs would share this folder: "
            f"{command('mclas-train', known.words)}; {command('mclas-train', run.words)}; "
            f"give one another name (model.name=...)"
        )


def _pretrainings(words: Sequence[str], cfg: DictConfig, shared: Sequence[str]) -> list[list[str]]:
    """Words for the ms run that this one starts from: its corpus's, and those that all share.

    Shared words on the corpus itself, such as its name and path, may be meant for the ms run's
    corpus or not: both are returned, without them first.
    """
    corpus = [quoted(word) for word in cfg.dataset.pretraining]
    keys = {key_of(word) for word in corpus}
    every = [word for word in shared if key_of(word) not in keys]
    undirected = [word for word in every if key_of(word) not in DIRECTION]
    neutral = [word for word in every if of_any_corpus(key_of(word))]
    tried = [every] if corpus[0] in words else [neutral, undirected]
    return [[*corpus, "scenario=full", "model=ms", *own, f"seed={cfg.seed}"] for own in tried]


def _planned(words: tuple[str, ...], cfg: DictConfig) -> PlannedRun:
    optim, trainer = cfg.optim, cfg.trainer
    try:
        config = resolved_config(cfg)
        check_run_names(cfg.dataset.name, cfg.scenario, cfg.model.name)
        devices = trainer.devices if isinstance(trainer.devices, int) else len(trainer.devices)
        ranks = max(devices, 1) * trainer.num_nodes
        return PlannedRun(
            words=words,
            folder=Path(cfg.run_dir),
            dataset=cfg.dataset.name,
            scenario=cfg.scenario,
            model=cfg.model.name,
            seed=cfg.seed,
            needs=(),
            updates=0 if "steps" in cfg.model else optim.updates.get(cfg.scenario, 0),
            update_tokens=optim.max_tokens * optim.accumulate * ranks,
            unit=optim.batch_unit,
            config=config,
        )
    except (OmegaConfBaseException, TypeError, InputError) as error:
        raise InputError(
            f"{command('mclas-train', words)}: {str(error).splitlines()[0]}"
        ) from error


def _builds_on(cfg: DictConfig) -> list[str | None]:
    """Folders, or other names, of what a run starts from or uses."""
    if "steps" in cfg.model:
        return [cfg.model.summarizer, cfg.model.translator]
    return [] if cfg.model.initialize == [] else [cfg.init_from]


def _resolved(word: str, cfg: DictConfig) -> str:
    """A word without interpolations, which a shell would take for its own."""
    if "${" not in word:
        return word
    value = OmegaConf.select(cfg, key_of(word))
    return override(key_of(word), exactly(value) if isinstance(value, str) else value)


def _config(words: tuple[str, ...]) -> DictConfig:
    late = dict.fromkeys(LATE, "")
    for word in words:
        key, _, value = word.partition("=")
        if key in late:
            late[key] = value
    early = tuple(word for word in words if word.partition("=")[0] not in LATE)
    cfg, default = _composed(early)
    for key, value in late.items():
        cfg[key] = yaml.safe_load(value) if value else default[key]
    return cfg


@cache
def _composed(words: tuple[str, ...]) -> tuple[DictConfig, dict[str, Any]]:
    cfg = compose("train", words)
    return cfg, {key: cfg[key] for key in LATE}


def _in_order(planned: Mapping[Path, PlannedRun]) -> list[Path]:
    """Each run after those that it needs, otherwise as they were added."""
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
