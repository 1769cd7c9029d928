"""The axes of a sweep file. Loads no torch.

A sweep file (``experiments/sweep/``) is a Hydra multirun: the product of the values in
``hydra.sweeper.params``, and words that all its runs share. An axis is a key with its values in
Hydra's grammar.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mclas_lightning.config.compose import multirun_words
from mclas_lightning.config.overrides import override
from mclas_lightning.errors import InputError, first_line, unknown_choice
from mclas_lightning.files import EXPERIMENTS, read_yaml
from mclas_lightning.schema import flat

# Keys that tell one run from another, beside those of a model.
KEYS_OF_ONE_RUN = ("dataset", "scenario", "model", "seed", "init_from", "run_dir")

# Keys of a dataset that hold for the corpus of its MS pretraining, too.
KEYS_OF_ANY_CORPUS = tuple(
    f"dataset.{key}" for key in ("tokenizer", "vocabulary", "max_source", "max_summary")
)

# Keys that a corpus in one language leaves out.
DIRECTION_KEYS = ("dataset.source", "dataset.target")


def sweep_file(name: str) -> Path:
    """The path of a sweep file, given by path or by its name in ``experiments/sweep/``."""
    shipped = EXPERIMENTS / "sweep"
    for path in (Path(name), shipped / f"{name}.yaml"):
        if path.is_file():
            return path
    raise unknown_choice("sweep", name, [path.stem for path in shipped.glob("*.yaml")])


def axes_of(file: Path, words: Sequence[str]) -> dict[str, str]:
    """The axes of a file by their keys; a word replaces the file's values of its key.

    InputError where ``file`` is no sweep file or a word has no ``=``.
    """
    read_yaml(file)  # refuses a bomb of aliases
    try:
        # Hydra reads the file by OmegaConf, for whose YAML 1e-3 is a number and 2024-01-01 a text.
        found: Any = OmegaConf.to_container(OmegaConf.load(file))
    except (OSError, OmegaConfBaseException, YAMLError) as error:
        said = first_line(getattr(error, "problem", error))
        raise InputError(f"{file}: cannot be read as YAML ({said})") from error
    try:
        hydra, defaults = found.pop("hydra"), found.pop("defaults", [])
        axes = {
            # Texts of hydra.sweeper.params are in Hydra's grammar already.
            key: value if isinstance(value, str) else _hydra_text(value)
            for key, value in hydra["sweeper"]["params"].items()
        }
        for choice in defaults:
            if choice != "_self_":
                ((group, option),) = choice.items()
                axes[group.split("/")[-1]] = option
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"{file}: is no sweep file: expected YAML with hydra.sweeper.params "
            f"(see experiments/sweep/toy.yaml)"
        ) from error
    axes |= {key: _hydra_text(value) for key, value in flat(found, ".")}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"'{word}': expected a word for mclas-train, such as seed=0,1")
        axes[key] = value
    return axes


def shared_words(axes: Mapping[str, str]) -> list[str]:
    """The words that all runs of a sweep share, and that an added ms run takes over."""
    found = (
        multirun_words({key: value}) for key, value in axes.items() if not tells_runs_apart(key)
    )
    return [runs[0][0] for runs in found if len(runs) == 1]


def tells_runs_apart(key: str) -> bool:
    """Whether an added ms run does not take the value of ``key`` from the sweep's runs."""
    return key_of(key) in KEYS_OF_ONE_RUN or key_of(key).startswith("model.")


def holds_for_any_corpus(key: str) -> bool:
    """Whether the value of ``key`` holds for the corpus of a pretraining, too."""
    return key in KEYS_OF_ANY_CORPUS or not key.startswith("dataset.")


def key_of(word: str) -> str:
    """The key that an override sets, without the ``+`` of Hydra's grammar."""
    return word.partition("=")[0].lstrip("+")


def _hydra_text(value: Any) -> str:
    """A value in Hydra's grammar."""
    return override("", value).removeprefix("=")
