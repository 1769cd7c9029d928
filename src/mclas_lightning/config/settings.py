"""The composed configuration, checked and typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import (
    OWN,
    DecodingConfig,
    ModelConfig,
    NetworkSettings,
    OwnTrainer,
    PipelineConfig,
    ScoringConfig,
    TopLevel,
)
from mclas_lightning.config.optim import OptimConfig
from mclas_lightning.distributed import device_of
from mclas_lightning.errors import InputError, check_range, one_of
from mclas_lightning.files import check_run_names
from mclas_lightning.runs.identity import resolved_config
from mclas_lightning.runs.run import Run
from mclas_lightning.schema import typed
from mclas_lightning.task import Pipeline, Task, task_from


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that ``conf/train.yaml`` composes."""

    dataset: DatasetConfig
    scenario: str
    system: Task | Pipeline
    initialize: tuple[str, ...]
    network: NetworkSettings
    optim: OptimConfig
    decoding: DecodingConfig
    scoring: ScoringConfig
    trainer: Mapping[str, Any]  # arguments of Lightning's
    recompute_activations: bool
    checkpoint_minutes: float | None  # last.ckpt is at most that old while training
    keep_last: bool  # after the training, too
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
        """What is trained."""
        assert isinstance(self.system, Task), "a pipeline is not trained"
        return self.system

    @property
    def tokenizer(self) -> str:
        """A pretrained network's own tokenizer, else the dataset's."""
        return self.network.tokenizer or self.dataset.tokenizer

    @property
    def sentences(self) -> str | None:
        """The language whose sentences are set apart in the sources, if they are."""
        apart = self.network.encoder.sentences and self.task.source == "document"
        return self.dataset.source if apart else None

    @property
    def device(self) -> torch.device:
        """Where this process summarizes the test set."""
        return device_of(self.trainer.get("accelerator"), self.trainer.get("devices"))

    @property
    def updates(self) -> int:
        """Updates of this scenario's training."""
        return self.optim.updates[self.scenario]


def read_settings(cfg: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """The typed settings, and the resolved configuration they were read from.

    ``cfg`` is what Hydra composes, or resolved already.
    """
    plain = resolved_config(cfg) if isinstance(cfg, DictConfig) else dict(cfg)
    top = typed("configuration", TopLevel, {k: v for k, v in plain.items() if k != "data"})
    optim = typed("optim", OptimConfig, top.optim)
    dataset = typed("dataset", DatasetConfig, top.dataset)
    for sizes in (dataset.sizes, optim.updates):
        if top.scenario not in sizes:
            raise one_of("scenario", top.scenario, sizes)
    if optim.updates[top.scenario] % optim.validations:
        raise InputError(
            f"optim.updates.{top.scenario}: expected a multiple of optim.validations="
            f"{optim.validations}, so that the last update is validated; "
            f"found {optim.updates[top.scenario]}"
        )
    check_range("seed", top.seed, 0, 2**32 - 1)
    trainer = dict(top.trainer)
    ours = typed("trainer", OwnTrainer, {key: trainer.pop(key) for key in OWN if key in trainer})
    system, initialize = _system(top.model)
    check_run_names(dataset.name, top.scenario, system.name)
    settings = Settings(
        dataset=dataset,
        scenario=top.scenario,
        system=system,
        initialize=initialize,
        network=typed("network", NetworkSettings, top.network),
        optim=optim,
        decoding=typed("decoding", DecodingConfig, top.decoding),
        scoring=typed("scoring", ScoringConfig, top.scoring),
        trainer=trainer,
        recompute_activations=ours.recompute_activations,
        checkpoint_minutes=ours.checkpoint_minutes,
        keep_last=ours.keep_last,
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


def _system(model: Mapping[str, Any]) -> tuple[Task | Pipeline, tuple[str, ...]]:
    """What ``conf/model/`` describes, and which of its decoders start as the MS decoder."""
    if "steps" in model:
        pipeline = typed("model", PipelineConfig, model)
        return Pipeline(**{**vars(pipeline), "steps": tuple(pipeline.steps)}), ()
    config = typed("model", ModelConfig, model)
    for name in config.initialize or ():
        if name not in config.targets:
            raise one_of("model.initialize: decoder", name, config.targets)
    chosen = config.targets if config.initialize is None else config.initialize
    return task_from(vars(config)), tuple(chosen)
