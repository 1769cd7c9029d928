"""The configuration in a run's folder, and its differences to another configuration.

The module loads no torch, so that sweeps and tables start fast.
"""

import json
import os.path
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mclas_lightning.errors import InputError, first_line
from mclas_lightning.files import read_json, read_yaml
from mclas_lightning.runs.results import UNSAID, Results
from mclas_lightning.runs.secrets import check_no_secret
from mclas_lightning.schema import check_given, flat

# Keys that may change between two commands of the same run: where it is computed, how it is
# evaluated, and paths of corpus and vocabulary, whose content is compared by hash.
NOT_IDENTITY = (
    *("trainer", "logger", "decoding", "scoring", "runs", "data", "store", "run_dir", "workers"),
    *("dataset.path", "dataset.tokenizer", "dataset.vocabulary", "dataset.pretraining"),
    *("dataset.licence", "dataset.how_to_get", "dataset.leaks"),
)

# Of configurations of earlier versions.
UNSAID_KEYS = {**UNSAID, "decoding.bound": "longest", "decoding.captured": False}

# Keys that may name another run by its folder.
RUN_KEYS = ("init_from", "model.summarizer", "model.translator")

LENGTH_KEYS = ("max_source", "max_summary")

LISTED = 6  # differences that ``differences_in_words`` lists; the others it only counts

SCENARIO_KEYS = ("optim.updates", "dataset.sizes")  # with a value for each scenario

# Keys that do not matter to a system without a network of its own.
OF_NETWORKS = ("optim", "network", "split", "split_seed", "init_from", "dataset.sizes")

ABSENT = "nothing"  # shown as the value of a key that a configuration lacks


@dataclass(frozen=True)
class Difference:
    """A key with different values in the kept and the asked configuration, both as JSON."""

    key: str
    kept: str
    asked: str


def resolved_config(cfg: DictConfig) -> dict[str, Any]:
    """The composed configuration as plain mappings without interpolations, as for config.yaml.

    ``max_source`` and ``max_summary`` of ``optim`` replace those of ``dataset``. InputError for a
    missing value, a secret, or an interpolation that cannot be resolved.
    """
    check_given(OmegaConf.to_container(cfg, resolve=False))
    try:
        config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key = error.full_key or "configuration"
        raise InputError(f"{key}: {first_line(error)}") from error
    assert isinstance(config, dict)
    plain = {str(key): value for key, value in config.items()}
    check_no_secret(plain)
    optim, dataset = plain.get("optim"), plain.get("dataset")
    if isinstance(optim, dict) and isinstance(dataset, dict):
        lengths = {key: optim[key] for key in LENGTH_KEYS if optim.get(key) is not None}
        plain["dataset"] = {**dataset, **lengths}
    return plain


def read_config(folder: Path) -> dict[str, Any]:
    """The config.yaml of the run in ``folder``; InputError where it is missing or unreadable."""
    path = folder / "config.yaml"
    if not path.exists():
        raise InputError(f"{folder}: no run here (it has no config.yaml)")
    config = read_yaml(path)
    if not isinstance(config, dict):
        raise InputError(f"{path}: expected a mapping")
    return config


def check_own_config(run: Results, config: Mapping[str, Any]) -> None:
    """InputError unless ``config``, of the config.yaml beside a results.json, is of that run."""
    for key in ("dataset", "scenario", "model", "seed"):
        said = config.get(key)
        said = said.get("name") if isinstance(said, dict) else said
        if said not in (None, getattr(run, key)):
            raise InputError(f"the config.yaml beside it is of {key} {said}: a copied run?")


def has_network(config: Mapping[str, Any]) -> bool:
    """Whether the system has a network of its own; pipelines and baselines have none."""
    model = config.get("model")
    return not (isinstance(model, Mapping) and {"steps", "copies"} & model.keys())


def differences(
    kept: Mapping[str, Any], asked: Mapping[str, Any], sections: Sequence[str] = ()
) -> list[Difference]:
    """The keys that make ``asked`` another run than ``kept``, in alphabetical order.

    ``sections`` limits the comparison to these top-level keys.
    """
    apart = NOT_IDENTITY if has_network(asked) else (*NOT_IDENTITY, *OF_NETWORKS)
    places = run_places(kept).items() & run_places(asked).items()
    return [
        found
        for found in unequal_keys(kept, asked)
        if not is_under(found.key, (*apart, *dict(places)))
        and of_scenario(found.key, asked.get("scenario"))
        and (not sections or found.key.split(".")[0] in sections)
    ]


def run_places(config: Mapping[str, Any]) -> dict[str, str]:
    """By key, the places below ``runs`` of the runs that a configuration names.

    A folder of runs that was moved, or is spelled in another way, leaves these places as they are.
    """
    runs = config.get("runs")
    named = [(key, value) for key, value in flat(config, ".") if key in RUN_KEYS]
    found = [
        (key, os.path.relpath(value, runs))
        for key, value in named
        if isinstance(value, str) and isinstance(runs, str)
    ]
    return {key: place for key, place in found if not place.startswith(os.pardir)}


def of_scenario(key: str, scenario: Any) -> bool:
    """Whether a key counts in this scenario: those of one scenario count in no other."""
    return not is_under(key, SCENARIO_KEYS) or key.endswith(f".{scenario}")


def is_under(key: str, keys: Sequence[str]) -> bool:
    """Whether a flat key is one of ``keys``, or inside of one."""
    return any(f"{key}.".startswith(f"{each}.") for each in keys)


def unequal_keys(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Difference]:
    """All flat keys with different values, in alphabetical order."""
    # Values are compared as JSON: in Python, 1, 1.0 and True are equal.
    there, here = (
        {
            key: json.dumps(value, ensure_ascii=False)
            for key, value in (UNSAID_KEYS | dict(flat(each, "."))).items()
        }
        for each in (kept, asked)
    )
    return [
        Difference(key, there.get(key, ABSENT), here.get(key, ABSENT))
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]


def differences_in_words(found: Sequence[Difference], asked: str = "you ask for") -> str:
    """A line such as "seed=0, you ask for seed=1" on the first few of ``found``."""
    listed = "; ".join(f"{d.key}={d.kept}, {asked} {d.key}={d.asked}" for d in found[:LISTED])
    return f"{listed}; and {len(found) - LISTED} more keys" if len(found) > LISTED else listed


def scoring_differences(folder: Path, config: Mapping[str, Any]) -> list[Difference]:
    """The decoding and scoring keys in which results.json differs from what ``config`` asks for.

    An encoder that ``config["scoring"]`` names, and how it is used, is compared with the signature
    of its scores. InputError where results.json cannot be read.
    """
    results = read_json(folder / "results.json", dict)
    decoding, signatures = results.get("decoding") or {}, results.get("signatures") or {}
    scoring = config.get("scoring") or {}
    found = decoding_differences(decoding, config.get("decoding") or {})
    return [*(found if decoding else []), *_scored_otherwise(scoring, signatures.values())]


def decoding_differences(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Difference]:
    """``unequal_keys`` of two decodings, without what either leaves to the device."""
    unequal = unequal_keys({"decoding": kept}, {"decoding": asked})
    return [found for found in unequal if not _left_to_device(found)]


def _left_to_device(found: Difference) -> bool:
    """Whether one value leaves the other one to the device, which never takes int8 by itself."""
    values = {found.kept, found.asked}
    if found.key == "decoding.weights":
        return '"auto"' in values and '"int8"' not in values
    return found.key == "decoding.max_tokens" and "null" in values


def _scored_otherwise(
    scoring: Mapping[str, Any], signatures: Iterable[Mapping[str, str]]
) -> Iterator[Difference]:
    signed = {family: text for of_side in signatures for family, text in of_side.items()}
    for family in ("bertscore", "similarity"):
        if (encoder := scoring.get(family)) is None:
            continue
        shown = json.dumps(encoder, ensure_ascii=False)
        if family not in signed:
            yield Difference(f"scoring.{family}", ABSENT, shown)
            continue
        # A signature is "bertscore|model:xlmr|layer:9|...", with the last part of a name.
        parts = dict(part.split(":", 1) for part in signed[family].split("|") if ":" in part)
        name = Path(encoder).resolve().name
        if parts.get("model", name) != name:
            yield Difference(f"scoring.{family}", json.dumps(parts["model"]), shown)
        if family == "bertscore":
            yield from _bertscore_otherwise(scoring, parts)


def _bertscore_otherwise(
    scoring: Mapping[str, Any], parts: Mapping[str, str]
) -> Iterator[Difference]:
    layer, rescale = str(scoring.get("layer") or parts.get("layer")), bool(scoring.get("rescale"))
    if layer != parts.get("layer", layer):
        yield Difference("scoring.layer", parts["layer"], layer)
    if rescale != (parts.get("rescale", "no") != "no"):
        yield Difference("scoring.rescale", json.dumps(not rescale), json.dumps(rescale))
