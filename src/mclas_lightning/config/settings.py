"""The composed configuration as typed settings, checked where two sections depend on each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import (
    BaselineConfig,
    DecodingConfig,
    ModelConfig,
    NetworkDesign,
    PipelineConfig,
    ScoringConfig,
    TopLevel,
    TrainerExtras,
)
from mclas_lightning.config.optim import OptimConfig
from mclas_lightning.errors import InputError, check_range, unknown_choice
from mclas_lightning.runs.identity import resolved_config
from mclas_lightning.runs.run import Run, check_run_names
from mclas_lightning.schema import typed
from mclas_lightning.task import Baseline, Pipeline, Task, task_from

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that ``conf/train.yaml`` composes, for one run."""

    dataset: DatasetConfig
    scenario: str
    system: Task | Pipeline | Baseline
    initialize: tuple[str, ...]
    network: NetworkDesign
    optim: OptimConfig
    decoding: DecodingConfig
    scoring: ScoringConfig
    trainer: Mapping[str, Any]  # arguments of Lightning's Trainer
    extras: TrainerExtras
    logger: Mapping[str, Any] | None
    seed: int
    split: str
    split_seed: int
    init_from: str | None  # the ms run that some decoders start from
    workers: int
    store: Path
    run: Run
    subset_manifest: Path

    @property
    def task(self) -> Task:
        """The system, where it is a task; no other system is trained."""
        assert isinstance(self.system, Task), "only a task is trained"
        return self.system

    @property
    def tokenizer(self) -> str:
        """Folder or hub name of the network's own tokenizer, else of the dataset's."""
        return self.network.tokenizer or self.dataset.tokenizer

    @property
    def sentences(self) -> str | None:
        """The language by which sources are split into sentences; None where they are not."""
        apart = self.network.encoder.sentences and self.task.source == "document"
        return self.dataset.source if apart else None

    @property
    def device(self) -> "torch.device":
        """The device on which this process summarizes the test set."""
        from mclas_lightning.distributed import device_of  # Torch: not in every plan.

        return device_of(self.trainer.get("accelerator"), self.trainer.get("devices"))

    @property
    def updates(self) -> int:
        """The number of updates of this scenario's training."""
        return self.optim.updates[self.scenario]


def read_settings(cfg: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """The typed settings, and the resolved configuration that they were read from.

    ``cfg`` is a configuration of Hydra's, or a resolved one. InputError for a key that is missing,
    unknown, of another type or out of range.
    """
    plain = resolved_config(cfg) if isinstance(cfg, DictConfig) else dict(cfg)
    top = typed("", TopLevel, {k: v for k, v in plain.items() if k != "data"})
    optim = typed("optim", OptimConfig, top.optim)
    dataset = typed("dataset", DatasetConfig, top.dataset)
    for sizes in (dataset.sizes, optim.updates):
        if top.scenario not in sizes:
            raise unknown_choice("scenario", top.scenario, sizes)
    if optim.updates[top.scenario] % optim.validations:
        raise InputError(
            f"optim.updates.{top.scenario}: expected a multiple of optim.validations="
            f"{optim.validations}, so that the last update is validated; "
            f"found {optim.updates[top.scenario]}"
        )
    check_range("seed", top.seed, 0, 2**32 - 1)
    check_range("workers", top.workers, 0)
    trainer = dict(top.trainer)
    extras = {key: trainer.pop(key) for key in TrainerExtras.__annotations__ if key in trainer}
    system, initialize = _system(top.model)
    check_run_names(dataset.name, top.scenario, system.name)
    settings = Settings(
        dataset=dataset,
        scenario=top.scenario,
        system=system,
        initialize=initialize,
        network=typed("network", NetworkDesign, top.network),
        optim=optim,
        decoding=typed("decoding", DecodingConfig, top.decoding),
        scoring=typed("scoring", ScoringConfig, top.scoring),
        trainer=trainer,
        extras=typed("trainer", TrainerExtras, extras),
        logger=top.logger,
        seed=top.seed,
        split=top.split,
        split_seed=top.split_seed,
        init_from=top.init_from if initialize else None,
        workers=top.workers,
        store=Path(top.store),
        run=Run(Path(top.run_dir)),
        subset_manifest=Path(top.runs, dataset.name, top.scenario, "subset.json"),
    )
    return settings, plain


def _system(model: Mapping[str, Any]) -> tuple[Task | Pipeline | Baseline, tuple[str, ...]]:
    """The system of a file of ``conf/model/``, and the decoders that start as the MS decoder."""
    if "steps" in model:
        pipeline = typed("model", PipelineConfig, model)
        return Pipeline(**{**vars(pipeline), "steps": tuple(pipeline.steps)}), ()
    if "copies" in model:
        baseline = typed("model", BaselineConfig, model)
        return Baseline(**{**vars(baseline), "sides": tuple(baseline.sides)}), ()
    config = typed("model", ModelConfig, model)
    for name in config.initialize or ():
        if name not in config.targets:
            raise unknown_choice("model.initialize: decoder", name, config.targets)
    chosen = config.targets if config.initialize is None else config.initialize
    return task_from(vars(config)), tuple(chosen)
