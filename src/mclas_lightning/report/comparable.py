"""What must be alike for scores to be compared: test set, recipe, decoding, accents."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from mclas_lightning.errors import InputError, first_few
from mclas_lightning.example import Side
from mclas_lightning.report.sheet import format_number
from mclas_lightning.runs.results import SEED_FOLDER, Results

Item = TypeVar("Item")

Key = TypeVar("Key", bound=Hashable)

NAMED_IN_NOTES = 3  # differences that a note names; the others it only counts

SAME_DOCUMENTS = 0.05  # relative difference up to which systems see as many documents an update

KEYS_NOT_COMPARED = ("max_tokens",)  # the size of a decoding batch, which changes no summary

PRETRAINING_MODELS = ("ms", "mt")  # their recipes may differ from those of the compared systems

KEYS_OF_SYSTEMS = ("model.", "init_from")  # beginnings of keys that tell systems apart


def by_test_set(runs: Iterable[Results], side: Side) -> dict[str, list[Results]]:
    """Runs by a description of their test set: documents, references' mean length, SHA-256.

    A run that records no hash joins the test set that has its number of documents and, where
    lengths are counted in the same unit, its references' mean length.
    """
    found: dict[tuple, list[Results]] = {}
    for run in sorted(runs, key=lambda run: _hash(run) is None):
        scores, unit = run.scores[side], run.signatures[side].get("rouge")
        new = (scores["num"], round(scores["reference_length"], 6), _hash(run), unit)
        same = next((known for known in found if _same(new, known)), new)
        found.setdefault(same, []).append(run)
    return {
        f"{num:,.0f} documents, mean length {format_number(length, 4)}"
        + (f", SHA-256 {sha[:8]}" if sha else ""): group
        for (num, length, sha, _), group in found.items()
    }


def _hash(run: Results) -> str | None:
    sha = run.provenance.get("test_sha256")
    return str(sha) if sha else None


def _same(new: tuple, known: tuple) -> bool:
    num, length, sha, unit = new
    return num == known[0] and sha in (None, known[2]) and (unit != known[3] or length == known[1])


def run_places(runs: Sequence[Results]) -> str:
    """Where runs lie, such as ``minimum/mclas/seed=0``; the first few runs."""
    places = [f"{run.scenario}/{run.model}/seed={run.seed}" for run in runs]
    return first_few([*dict.fromkeys(places)])


def grouped(items: Iterable[Item], key: Callable[[Item], Key | None]) -> dict[Key, list[Item]]:
    """Items, such as runs, by ``key(item)``; items whose key is None are left out."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        if (kind := key(item)) is not None:
            found.setdefault(kind, []).append(item)
    return found


def decoding_keys(run: Results) -> dict[str, Any]:
    """The run's decoding as flat keys, such as ``decoding.beam``."""
    return _flat_decoding(run.decoding)


def _flat_decoding(decoding: Mapping[str, Any]) -> dict[str, Any]:
    kept = ((key, value) for key, value in decoding.items() if key not in KEYS_NOT_COMPARED)
    return {f"decoding.{key}": value for key, value in kept if value != "auto"}


def unlike_values(settings: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Keys with several values, such as ``beam 5: ncls; 1: mclas``; a missing key is no value."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for name, values in settings:
        for key, value in values.items():
            # 1 and 1.0 are one number, as it was written on a command line or by another program.
            whole = isinstance(value, float) and value.is_integer()
            plain = int(value) if whole else value
            shown = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
            found.setdefault(key, {}).setdefault(shown, {})[name] = None
    return [
        f"{key} " + "; ".join(f"{value}: {first_few([*names])}" for value, names in values.items())
        for key, values in found.items()
        if len(values) > 1
    ]


def unlike_seeds(runs: Sequence[Results]) -> list[str]:
    """Keys of recipe and decoding in which the seeds of one system differ.

    Where one seed had more devices than another, their updates had more documents.
    """
    found = [(f"seed={run.seed}", {**run.recipe, **decoding_keys(run)}) for run in runs]
    documents = [(f"seed={run.seed}", _documents(run)) for run in runs if _documents(run)]
    numbers = [number for _, number in documents]
    if numbers and max(numbers) > (1 + SAME_DOCUMENTS) * min(numbers):
        found += [(name, {"documents an update": round(number)}) for name, number in documents]
    return unlike_values(found)


def _documents(run: Results) -> float:
    """Documents an update of the run's training; 0 where nothing is known of them."""
    return run.provenance.get("training", {}).get("seen", {}).get("documents_per_update", 0)


def unlike_other_seeds(folder: Path, config: Mapping[str, Any]) -> list[str]:
    """As ``unlike_seeds``, of a run that starts in ``folder`` and its system's other seeds."""
    from mclas_lightning.runs.identity import read_config  # omegaconf: not in every table
    from mclas_lightning.runs.recipe import recipe

    found = {folder.name: config}
    for other in sorted(folder.parent.glob("seed=*")) if SEED_FOLDER.fullmatch(folder.name) else ():
        with suppress(InputError):  # A folder without a configuration is no run.
            found.setdefault(other.name, read_config(other))
    return unlike_values(
        (name, {**recipe(one), **_flat_decoding(one.get("decoding", {}))})
        for name, one in found.items()
    )


def unlike_decodings(runs: Iterable[Results]) -> list[str]:
    """Keys in which the decodings of several systems differ."""
    return unlike_values((run.model, decoding_keys(run)) for run in runs)


def unlike_recipes(runs: Iterable[Results]) -> list[str]:
    """Keys in which the recipes of one scenario differ, without ``KEYS_OF_SYSTEMS``."""
    return unlike_values(
        (run.model, {k: v for k, v in run.recipe.items() if not k.startswith(KEYS_OF_SYSTEMS)})
        for run in runs
        if run.model not in PRETRAINING_MODELS
    )


def unlike_documents(runs: Iterable[Results]) -> str:
    """Documents an update of each system where systems differ; empty where they do not."""
    found: dict[str, float] = {}
    for run in runs:
        if run.model not in PRETRAINING_MODELS and (number := _documents(run)):
            found.setdefault(run.model, number)
    differ = found and max(found.values()) > (1 + SAME_DOCUMENTS) * min(found.values())
    return ", ".join(f"{number:,.0f}: {model}" for model, number in found.items()) * bool(differ)


def first_differences(found: Sequence[str]) -> str:
    """The first few differences, and the number of the others, in a line."""
    more = f"; and {len(found) - NAMED_IN_NOTES} more" if len(found) > NAMED_IN_NOTES else ""
    return "; ".join(found[:NAMED_IN_NOTES]) + more


def writes_accents(run: Results, side: Side) -> bool:
    """Whether the run's network can write accents; True where nothing is known of its tokenizer."""
    return _writes(run).get(side, {}).get("accents", True)


def _writes(run: Results) -> dict[Side, dict[str, bool]]:
    """What a network can write: by ``provenance``, or by tokenizer.json in a run of old."""
    if "writes" in run.provenance or run.folder is None:
        return run.provenance.get("writes", {})
    # An import of tokenizers, which few tables need.
    from mclas_lightning.metrics.accents import kept_by_tokenizer_file

    kept = kept_by_tokenizer_file(run.folder / "tokenizer" / "tokenizer.json")
    return dict.fromkeys(run.scores, kept)
