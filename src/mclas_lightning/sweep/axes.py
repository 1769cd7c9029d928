"""What a sweep file sweeps over. Loads no torch.

A sweep file is a Hydra multirun (``experiments/sweep/``): the product of ``hydra.sweeper.params``,
and words that all its runs share. An axis is a key with its values in Hydra's grammar.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mclas_lightning.config.compose import product
from mclas_lightning.config.overrides import override
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.files import EXPERIMENTS

# Which run it is: of none but the runs that the file names.
OF_ONE_RUN = ("dataset", "scenario", "model", "seed", "init_from", "run_dir")

# What a corpus shares with that of its pretraining.
OF_ANY_CORPUS = tuple(
    f"dataset.{key}" for key in ("tokenizer", "vocabulary", "max_source", "max_summary")
)

# Of a corpus in two languages alone.
DIRECTION = ("dataset.source", "dataset.target")


def sweep_file(name: str) -> Path:
    """A file, or one of ``experiments/sweep/`` by its name."""
    shipped = EXPERIMENTS / "sweep"
    for path in (Path(name), shipped / f"{name}.yaml"):
        if path.is_file():
            return path
    raise one_of("sweep", name, [path.stem for path in shipped.glob("*.yaml")])


def axes_of(file: Path, words: Sequence[str]) -> dict[str, str]:
    """The axes of a file; one of ``words`` takes the place of the file's for its key."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        hydra, defaults = found.pop("hydra"), found.pop("defaults", [])
        axes = {key: _value(value) for key, value in hydra["sweeper"]["params"].items()}
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
    return axes


def shared_words(axes: Mapping[str, str]) -> list[str]:
    """The words that all runs of a sweep share, and so does the ms run that they start from."""
    found = (
        product("train", {key: value})
        for key, value in axes.items()
        if key not in OF_ONE_RUN and not key.startswith("model.")
    )
    return [runs[0][0] for runs in found if len(runs) == 1]


def of_any_corpus(key: str) -> bool:
    """Whether what the key says holds for the corpus of a pretraining, too."""
    return key in OF_ANY_CORPUS or not key.startswith("dataset.")


def key_of(word: str) -> str:
    """The key that a word sets."""
    return word.partition("=")[0].lstrip("+")


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """What a file says of all its runs: values, none of which Hydra reads as several."""
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", override("", inner).removeprefix("=")


def _value(value: Any) -> str:
    """A value of ``hydra.sweeper.params``, whose texts are in Hydra's grammar already."""
    return value if isinstance(value, str) else override("", value).removeprefix("=")
