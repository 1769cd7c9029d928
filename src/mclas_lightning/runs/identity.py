"""Which configuration a run's folder holds, and in what another one differs. Loads no torch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json
from mclas_lightning.schema import check_given, flat

# Where and how a run is computed and evaluated does not make it another run. Corpus and vocabulary
# are compared by content.
NOT_IDENTITY = (
    *("trainer", "logger", "decoding", "scoring", "runs", "data", "store", "run_dir", "workers"),
    *("dataset.path", "dataset.tokenizer", "dataset.vocabulary", "dataset.pretraining"),
    *("dataset.licence", "dataset.how_to_get"),
)

LENGTHS = ("max_source", "max_summary")

SHOWN = 6  # differences that one line lists

ABSENT = "nothing"


@dataclass(frozen=True)
class Difference:
    """A key that two configurations set differently; values are JSON."""

    key: str
    kept: str
    asked: str


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """The composed configuration as plain mappings, as a run's config.yaml holds it.

    ``optim.max_source`` and ``max_summary``, where a recipe has them, are the dataset's.
    """
    check_given(OmegaConf.to_container(cfg, resolve=False))
    try:
        config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key = error.full_key or "configuration"
        raise InputError(f"{key}: {str(error).splitlines()[0]}") from error
    assert isinstance(config, dict)
    plain = {str(key): value for key, value in config.items()}
    optim, dataset = plain.get("optim"), plain.get("dataset")
    if isinstance(optim, dict) and isinstance(dataset, dict):
        lengths = {key: optim[key] for key in LENGTHS if optim.get(key) is not None}
        plain["dataset"] = {**dataset, **lengths}
    return plain


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration that the run in ``folder`` was started with."""
    path = folder / "config.yaml"
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no run here (it has no config.yaml)") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: expected a mapping")
    return config


def differences(
    kept: Mapping[str, Any], asked: Mapping[str, Any], sections: Sequence[str] = ()
) -> list[Difference]:
    """The keys that make ``asked`` another run than ``kept``, in alphabetical order.

    Only ``sections`` are compared, where they are given.
    """
    return [
        found
        for found in unequal(kept, asked)
        if not any(f"{found.key}.".startswith(f"{free}.") for free in NOT_IDENTITY)
        and (not sections or found.key.split(".")[0] in sections)
    ]


def unequal(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Difference]:
    """All keys that are set differently."""
    # As JSON, so that 1, 1.0 and true are not the same.
    there, here = (
        {key: json.dumps(value, ensure_ascii=False) for key, value in flat(each, ".")}
        for each in (kept, asked)
    )
    return [
        Difference(key, there.get(key, ABSENT), here.get(key, ABSENT))
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]


def in_words(found: Sequence[Difference], asked: str = "you ask for") -> str:
    """Such as "seed=0, you ask for seed=1", for the first few of ``found``."""
    listed = "; ".join(f"{d.key}={d.kept}, {asked} {d.key}={d.asked}" for d in found[:SHOWN])
    return f"{listed}; and {len(found) - SHOWN} more keys" if len(found) > SHOWN else listed


def scored_otherwise(folder: Path, config: Mapping[str, Any]) -> list[Difference]:
    """In what a finished run was scored otherwise than ``config`` asks for.

    Compared are the decoding that results.json names, and the encoders that ``scoring`` names with
    the signatures of the scores. InputError where results.json cannot be read.
    """
    results = read_json(folder / "results.json", dict)
    decoding, signatures = results.get("decoding") or {}, results.get("signatures") or {}
    scoring = config.get("scoring") or {}
    found = unequal({"decoding": decoding}, {"decoding": config.get("decoding")})
    return [*(found if decoding else []), *_not_scored(scoring, signatures.values())]


def _not_scored(
    scoring: Mapping[str, Any], signatures: Iterable[Mapping[str, str]]
) -> list[Difference]:
    families = {family for of_side in signatures for family in of_side}
    return [
        Difference(f"scoring.{family}", ABSENT, json.dumps(scoring[family], ensure_ascii=False))
        for family in ("bertscore", "similarity")
        if scoring.get(family) is not None and family not in families
    ]
