"""``conf/heads.yaml``: thresholds of the kinds of heads, and the aligner's settings."""

from dataclasses import dataclass

from mclas_lightning.files import CONF, read_yaml
from mclas_lightning.schema import typed


@dataclass(frozen=True, kw_only=True)
class AlignerConfig:
    """The settings of IBM model 1 and of the links that are read from it."""

    pairs: int
    iterations: int
    link: float


@dataclass(frozen=True, kw_only=True)
class HeadsConfig:
    """The content of ``conf/heads.yaml``; ``thresholds[attention][kind]`` is the least score."""

    window: int
    thresholds: dict[str, dict[str, float]]
    aligner: AlignerConfig
    resamples: int
    shown: int


def heads_config() -> HeadsConfig:
    """The settings of ``conf/heads.yaml``."""
    return typed("heads.yaml", HeadsConfig, read_yaml(CONF / "heads.yaml"))
