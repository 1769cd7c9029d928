"""The words for ``mclas-train`` that compose a run's config.yaml again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mclas_lightning.config.overrides import override, uninterpolated
from mclas_lightning.errors import InputError
from mclas_lightning.files import CONF
from mclas_lightning.runs.identity import (
    LENGTH_KEYS,
    has_network,
    is_under,
    of_scenario,
    resolved_config,
    run_places,
    unequal_keys,
)
from mclas_lightning.runs.recipe import leaves
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run, seed_folders
from mclas_lightning.schema import flat

CONF_GROUPS = ("network", "optim", "decoding")

PRETRAIN = "_pretrain"  # ends the name of an MS recipe, such as optim=tiny_pretrain

# Keys without a word: keys of a run's folder, of hardware, and of the corpus's description.
WITHOUT_WORDS = (
    *("scenario", "seed", "init_from", "runs", "run_dir", "model", "trainer", "logger", "workers"),
    *("dataset.pretraining", "dataset.licence", "dataset.how_to_get"),
)

PRECISION = "32-true"  # of conf/trainer/default.yaml

# Beginnings of keys whose values other keys take over: one word sets all of them.
FOLLOWED = ("optim.recipe.", *(f"optim.{key}" for key in LENGTH_KEYS))

ALL_KEYS = ("",)


def own_corpus_words(dataset: str, runs: Sequence[Results]) -> Iterator[str]:
    """Words for a corpus without a file in ``conf/dataset/``; its path is taken from a run."""
    found = (run.config.get("dataset", {}).get("path") for run in runs if run.config)
    path = next(filter(None, found), "FOLDER")
    yield from ("dataset=jsonl", override("dataset.name", uninterpolated(dataset)))
    yield from (override(f"dataset.{key}", runs[0].languages[key]) for key in ("source", "target"))
    yield override("dataset.path", uninterpolated(path))


def train_words(config: Mapping[str, Any], corpus: Sequence[str]) -> list[str]:
    """The words beside those of ``corpus``; none where another version wrote the configuration."""
    try:
        words = [*corpus, *_data_words(config), *_precision_words(config)]
        for group in CONF_GROUPS:
            words += _group_words(group, config, words)
        for keys in (FOLLOWED, ALL_KEYS):
            words += _key_words(config, _composed(tuple(words)), keys)
        _composed(tuple(words))
        words += _model_words(config, corpus)
    except (InputError, AttributeError, TypeError):
        return []
    return words[len(corpus) :]


def usual(
    words: Sequence[str],
    config: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    place: tuple[str, str],
) -> list[str]:
    """Those words of a run of ``config`` that a run of another scenario and model needs, too.

    They choose files of ``conf/``, set a key of the same model, or a key that all ``others`` set
    alike. ``place`` is the other run's scenario and model.
    """
    own, known = dict(leaves(config)), [dict(leaves(other)) for other in others]

    def is_usual(word: str) -> bool:
        key = word.partition("=")[0]
        if key.startswith("model."):
            return own["model.name"] == place[1]
        alike = key not in own or all(other.get(key) == own[key] for other in known)
        return alike and of_scenario(key, place[0])

    return list(filter(is_usual, words))


def pretraining_words(words: Sequence[str]) -> list[str]:
    """Words for the ms run that a fine-tuned run starts from: its recipe's MS variant, if any."""
    kept = [
        word for word in words if not word.startswith(("optim.", "dataset.", "split", "model."))
    ]
    recipes = [word for word in kept if word.startswith("optim=")]
    longer = {word: f"{word}{PRETRAIN}" for word in recipes}
    there = {word for word in recipes if (CONF / f"{longer[word]}.yaml".replace("=", "/")).exists()}
    return [longer[word] if word in there else word for word in kept]


def fine_tuning_words(words: Sequence[str]) -> list[str]:
    """Words for the fine-tuned runs that start from an ms run with ``words``."""
    kept = [word for word in words if not word.startswith(("optim.", "dataset.", "model."))]
    return [word.removesuffix(PRETRAIN) if word.startswith("optim=") else word for word in kept]


def _data_words(config: Mapping[str, Any]) -> list[str]:
    data = config.get("data", "data")
    return [] if data == "data" else [override("data", uninterpolated(str(data)))]


def _precision_words(config: Mapping[str, Any]) -> list[str]:
    precision = config.get("trainer", {}).get("precision", PRECISION)
    return [] if precision == PRECISION else [override("trainer.precision", precision)]


def _group_words(group: str, config: Mapping[str, Any], words: Sequence[str]) -> list[str]:
    """The word for the file of ``conf/`` nearest to a section; none where nothing differs."""
    kept = config.get(group)
    if not isinstance(kept, Mapping):
        return []
    names = [path.stem for path in sorted((CONF / group).glob("[!_]*.yaml"))]
    if kept.get("name") in names:
        names = [kept["name"]]

    def distance(more: list[str]) -> int:
        return len(unequal_keys(kept, _composed((*words, *more))[group]))

    if not distance([]):
        return []
    return min([[], *([f"{group}={name}"] for name in names)], key=distance)


def _key_words(
    config: Mapping[str, Any], made: Mapping[str, Any], keys: tuple[str, ...]
) -> Iterator[str]:
    """Words for the ``keys`` that both configurations have with different values."""
    for key, value in _unequal(config, made).items():
        if key.startswith(keys) and not is_under(key, WITHOUT_WORDS):
            yield override(key, uninterpolated(value) if isinstance(value, str) else value)


def _model_words(config: Mapping[str, Any], corpus: Sequence[str]) -> Iterator[str]:
    """Words for what a trained system has otherwise than its file of ``conf/model/`` says."""
    kept = config.get("model") or {}
    file = CONF / "model" / f"{kept.get('name')}.yaml"
    if has_network(config) and file.exists():
        made = _composed((*corpus, f"model={file.stem}"))["model"]
        for key, value in _unequal({"model": kept}, {"model": made}).items():
            yield override(key, value)


def _unequal(kept: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that both have with different values, as JSON, and the values of ``kept``."""
    known = dict(leaves(made))
    return {
        key: value
        for key, value in sorted(leaves(kept))
        if key in known and json.dumps(value) != json.dumps(known[key])
    }


@cache
def _composed(words: tuple[str, ...]) -> dict[str, Any]:
    from mclas_lightning.config.compose import compose  # Hydra: not in every table.

    return resolved_config(compose("train", words))


def run_named(config: Mapping[str, Any], key: str, runs: Path) -> str | None:
    """The run, file or hub's model that ``key`` names, in ``runs`` where a moved run has it.

    A run that is not in ``runs`` is where the configuration says.
    """
    place = run_places(config).get(key)
    if place and is_trained(runs / place):
        return str(runs / place)
    return dict(flat(config, ".")).get(key)


def ms_place(config: Mapping[str, Any], seed: int, runs: Path) -> Path | None:
    """The ms run, or the folder of its seeds, that a run of ``runs`` started from; None if gone."""
    named = run_named(config, "init_from", runs)
    if not isinstance(named, str):
        return None
    place = Path(named)
    place = place.parent if place in seed_folders(place.parent, seed) else place
    return place if is_trained(place) else None


def is_trained(place: Path, seed: int | None = None) -> bool:
    """Whether a training has ended in ``place`` or its ``seed=<n>``, for None any seed."""
    folders = [place, *place.glob("seed=*")] if seed is None else seed_folders(place, seed)
    return any(Run(folder).trained for folder in folders)


def diverged(place: Path, seed: int) -> list[Path]:
    """The run of a seed in ``place``, if its training has diverged."""
    return [folder for folder in seed_folders(place, seed) if Run(folder).diverged_path.exists()]
