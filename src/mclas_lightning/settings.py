"""The composed configuration, checked and typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.data.dataset import DatasetConfig
from mclas_lightning.decoding.summarizer import DecodingConfig
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.optim import OptimConfig
from mclas_lightning.run import Run, task_from
from mclas_lightning.task import Task
from mclas_lightning.typed import typed

# In an installation conf/ lies in the package, in a checkout beside src/.
_PLACES = (Path(__file__).parent / "conf", Path(__file__).parents[2] / "conf")
CONF = next((place for place in _PLACES if place.is_dir()), _PLACES[0])


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """A pretrained model's name or folder, or the sizes of a new BERT."""

    pretrained: str | None
    layers: int
    heads: int
    width: int
    feed_forward: int
    max_positions: int


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """Sizes of each decoder; its width is the encoder's."""

    layers: int
    heads: int
    feed_forward: int


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """One file of ``conf/network/``."""

    name: str
    tokenizer: str | None
    encoder: EncoderSettings
    decoder: DecoderSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that ``conf/train.yaml`` composes."""

    dataset: DatasetConfig
    scenario: str
    task: Task
    network: NetworkSettings
    optim: OptimConfig
    decoding: DecodingConfig
    trainer: Mapping[str, Any]
    logger: Mapping[str, Any] | None
    seed: int
    split_seed: int
    init_from: str | None
    workers: int
    run: Run
    subset_manifest: Path

    @property
    def tokenizer(self) -> str:
        """A pretrained network's own tokenizer, else the dataset's."""
        return self.network.tokenizer or self.dataset.tokenizer

    @property
    def updates(self) -> int:
        """Updates of this scenario's training."""
        return self.optim.updates[self.scenario]


def read_settings(cfg: DictConfig) -> tuple[Settings, dict[str, Any]]:
    """The typed settings, and the resolved configuration they were read from."""
    try:
        config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise InputError(f"configuration: {str(error).splitlines()[0]}") from error
    assert isinstance(config, dict)
    plain = {str(key): value for key, value in config.items()}
    dataset = typed("dataset", DatasetConfig, plain["dataset"])
    optim = typed("optim", OptimConfig, plain["optim"])
    for sizes in (dataset.sizes, optim.updates):
        if plain["scenario"] not in sizes:
            raise one_of("scenario", plain["scenario"], sizes)
    run_dir = Path(plain["run_dir"])
    settings = Settings(
        dataset=dataset,
        scenario=plain["scenario"],
        task=task_from(plain["model"]),
        network=typed("network", NetworkSettings, plain["network"]),
        optim=optim,
        decoding=typed("decoding", DecodingConfig, plain["decoding"]),
        trainer=plain["trainer"],
        logger=plain["logger"],
        seed=_integer("seed", plain["seed"]),
        split_seed=_integer("split_seed", plain["split_seed"]),
        init_from=plain["init_from"],
        workers=_integer("workers", plain["workers"]),
        run=Run(run_dir),
        subset_manifest=Path(plain["runs"], dataset.name, plain["scenario"], "subset.json"),
    )
    return settings, plain


def _integer(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{name}: expected a whole number, found '{value}'")
    return value
