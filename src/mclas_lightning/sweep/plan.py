"""The runs of sweep files, each after the runs that it builds on. Loads no torch.

A sweep file is a Hydra multirun (``experiments/sweep/``): the product of ``hydra.sweeper.params``,
and words that all its runs share.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.app import compose, product
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.files import check_run_names
from mclas_lightning.identity import resolved
from mclas_lightning.places import EXPERIMENTS

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
        for chosen in _runs_of(sweep_file(file), words):
            _add(planned, chosen, words)
    return [planned[folder] for folder in _in_order(planned)]


def sweep_file(name: str) -> Path:
    """A file, or one of ``experiments/sweep/`` by its name."""
    shipped = EXPERIMENTS / "sweep"
    for path in (Path(name), shipped / f"{name}.yaml"):
        if path.is_file():
            return path
    raise one_of("sweep", name, [path.stem for path in shipped.glob("*.yaml")])


def _runs_of(file: Path, words: Sequence[str]) -> list[list[str]]:
    """The words of each run of a file; ``words`` come last."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        hydra, defaults = found.pop("hydra"), found.pop("defaults", [])
        axes = {key: _text(value) for key, value in hydra["sweeper"]["params"].items()}
        for choice in defaults:
            if choice != "_self_":
                ((group, option),) = choice.items()
                axes[group.split("/")[-1]] = option
    except (OSError, ValueError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f"{file}: is no sweep file: expected YAML with hydra.sweeper.params "
            f"(see experiments/sweep/toy.yaml)"
        ) from error
    axes |= dict(_leaves(found))
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"'{word}': expected a word for mclas-train, such as seed=0,1")
        axes[key] = value
    return product("train", axes)


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(inner)


def _text(value: Any) -> str:
    """A value of YAML in Hydra's grammar; a text of ``hydra.sweeper.params`` is in it already."""
    return value if isinstance(value, str) else json.dumps(value)


def _add(planned: dict[Path, PlannedRun], words: list[str], extra: Sequence[str]) -> None:
    cfg = _config(tuple(words))
    run = _planned(tuple(_resolved(word, cfg) for word in words), cfg)
    pretraining = [] if cfg.model.name == "ms" else list(cfg.dataset.pretraining)
    names = [name for name in _builds_on(cfg) if name]
    places = {Path(name, end) for name in names for end in (f"seed={run.seed}", "")}
    if places and pretraining:
        own = [word for word in extra if word.split("=")[0] not in ("dataset", "scenario", "model")]
        first = [*pretraining, "scenario=full", "model=ms", *own, f"seed={run.seed}"]
        if Path(_config(tuple(first)).run_dir) in places:
            _add(planned, first, extra)
            cfg = _config(tuple(words))
    needs = tuple(sorted(places & planned.keys()))
    run = replace(run, needs=needs)
    known = planned.setdefault(run.folder, run)
    if known.config != run.config:
        raise InputError(
            f"{run.folder}: two different runs would share this folder: {' '.join(known.words)} "
            f"and {' '.join(run.words)}; give one another name (model.name=...)"
        )


def _planned(words: tuple[str, ...], cfg: DictConfig) -> PlannedRun:
    optim, trainer = cfg.optim, cfg.trainer
    try:
        config = resolved(cfg)
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
        raise InputError(f"{' '.join(words)}: {str(error).splitlines()[0]}") from error


def _builds_on(cfg: DictConfig) -> list[str | None]:
    """Folders, or other names, of what a run starts from or uses."""
    if "steps" in cfg.model:
        return [cfg.model.summarizer, cfg.model.translator]
    return [] if cfg.model.initialize == [] else [cfg.init_from]


def _resolved(word: str, cfg: DictConfig) -> str:
    """A word that a shell may read: without interpolations."""
    key = word.partition("=")[0]
    return f"{key}={OmegaConf.select(cfg, key)}" if "${" in word else word


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
