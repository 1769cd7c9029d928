"""The recipe of a run: the part of its configuration that its scores depend on, except the seed.

Runs that differ only in their seed have equal recipes, and only such runs have a mean. A recipe
leaves out where a run was computed and how it was evaluated (``identity.NOT_IDENTITY``). Of paths
it keeps the last parts, so that a moved folder does not change it.
"""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import PurePath
from typing import Any

from mclas_lightning.progress import devices_named
from mclas_lightning.runs.identity import (
    NOT_IDENTITY,
    OF_NETWORKS,
    Difference,
    has_network,
    is_under,
    of_scenario,
    unequal_keys,
)

# Mappings that may be null. Each stays one value in a recipe, because comparisons pass over keys
# that only one recipe has: flat keys would hide the difference between null and a mapping.
WHOLE_KEYS = ("optim.crowding", "optim.recipe.crowding", "dataset.shards", "model.targets")

# Number of last parts of a path that name what lies there. A run is named by dataset, scenario and
# model; ``seed=<n>`` is cut off before.
NAMING_PARTS = {
    **{"init_from": 3, "model.summarizer": 3, "model.translator": 3},
    **{"network.tokenizer": 1, "network.encoder.pretrained": 1},
}

DEVICES = ("trainer.devices", "trainer.num_nodes")

# Keys whose product is the tokens of an update; recipes hold the product alone.
UPDATE_LAYOUT = ("optim.max_tokens", "optim.accumulate", *DEVICES)

# Lightning's other words for a precision.
PRECISION_NAMES = {"None": "32-true", "32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}

NOT_RECIPE = (*NOT_IDENTITY, "seed", "optim.recipe", *UPDATE_LAYOUT)


def recipe(config: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe in a run's resolved configuration, by flat keys such as ``optim.encoder.lr``."""
    trains = has_network(config)
    left_out = NOT_RECIPE if trains else (*NOT_RECIPE, *OF_NETWORKS)
    found = {
        key: _named(key, value)
        for key, value in leaves(config)
        if not is_under(key, left_out) and of_scenario(key, config.get("scenario"))
    }
    return found | (dict(_computed(config)) if trains else {})


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The flat keys of ``value`` with their values; those of ``WHOLE_KEYS`` stay mappings."""
    if not isinstance(value, Mapping) or key in WHOLE_KEYS:
        yield key, value
        return
    for name, inner in value.items():
        yield from leaves(inner, f"{key}.{name}" if key else str(name))


def update_tokens(config: Mapping[str, Any]) -> int | None:
    """The budget of an update over all devices; None where the machine decides their number."""
    tokens, accumulate, devices, nodes = (_get(config, key) for key in UPDATE_LAYOUT)
    named = devices_named(1 if devices is None else devices)
    if not (isinstance(tokens, int) and named):
        return None
    return prod((tokens, accumulate or 1, named, nodes or 1))


def differences_of_updates(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Difference]:
    """Precision and devices, where a training that has not ended would go on with others.

    config.yaml says of all updates of a training what they were.
    """
    if not has_network(asked):
        return []
    tokens = update_tokens(kept), update_tokens(asked)
    own = DEVICES if all(tokens) and tokens[0] != tokens[1] else ()
    if precision_of(kept) != precision_of(asked):
        own = ("trainer.precision", *own)
    return [found for found in unequal_keys(kept, asked) if found.key in own]


def precision_of(config: Mapping[str, Any]) -> str | None:
    """The precision of a training; None where the configuration has no trainer."""
    return full_precision(_get(config, "trainer.precision")) if config.get("trainer") else None


def full_precision(asked: Any) -> str:
    """Lightning's full name of a precision."""
    return PRECISION_NAMES.get(str(asked), str(asked))


def _computed(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The number of tokens of an update over all devices, and the precision."""
    # Devices that a machine has are known where it is: ``unlike_seeds`` compares what was seen.
    if (tokens := update_tokens(config)) is not None:
        yield "optim.max_tokens of an update", tokens
    if (precision := precision_of(config)) is not None:
        yield "trainer.precision", precision


def _get(config: Mapping[str, Any], key: str) -> Any:
    section, _, name = key.partition(".")
    found = config.get(section)
    return found.get(name) if isinstance(found, Mapping) else None


def _named(key: str, value: Any) -> Any:
    if key not in NAMING_PARTS or not isinstance(value, str):
        return value
    parts = PurePath(value).parts
    if parts and parts[-1].startswith("seed="):
        parts = parts[:-1]
    return "/".join(parts[-NAMING_PARTS[key] :])
