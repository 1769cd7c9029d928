"""What must be alike for scores to be compared: test set, recipe, decoding, accents."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mclas_lightning.example import Side
from mclas_lightning.report.sheet import number
from mclas_lightning.runs.results import Results

NAMED = 3  # runs and keys that a note names one by one

NOT_COMPARED = ("max_tokens",)  # of decoding: documents of a batch, which change no summary

PRETRAINED = ("ms", "mt")  # have recipes of their own

OF_SYSTEMS = ("model.", "init_from")  # in which systems are made to differ


def tests(runs: Iterable[Results], side: Side) -> dict[str, list[Results]]:
    """Runs by their test set, in words.

    Runs that say its hash come first; one that does not is known by the number of documents and,
    where lengths are counted in the same way, by the references' mean length.
    """
    found: dict[tuple, list[Results]] = {}
    for run in sorted(runs, key=lambda run: _hash(run) is None):
        scores, unit = run.scores[side], run.signatures[side].get("rouge")
        new = (scores["num"], round(scores["reference_length"], 6), _hash(run), unit)
        same = next((known for known in found if _same(new, known)), new)
        found.setdefault(same, []).append(run)
    return {
        f"{num:,.0f} documents, mean length {number(length, 4)}"
        + (f", SHA-256 {sha[:8]}" if sha else ""): group
        for (num, length, sha, _), group in found.items()
    }


def _hash(run: Results) -> str | None:
    sha = run.provenance.get("test_sha256")
    return str(sha) if sha else None


def _same(new: tuple, known: tuple) -> bool:
    num, length, sha, unit = new
    return num == known[0] and sha in (None, known[2]) and (unit != known[3] or length == known[1])


def places(runs: Sequence[Results]) -> str:
    """Where runs lie, the first few of them."""
    return _listed([f"{run.scenario}/{run.model}/seed={run.seed}" for run in runs])


def kinds(
    runs: Iterable[Results], key: Callable[[Results], str | None]
) -> dict[str, list[Results]]:
    """Runs by ``key``, but for those that have none."""
    found: dict[str, list[Results]] = {}
    for run in runs:
        if (kind := key(run)) is not None:
            found.setdefault(kind, []).append(run)
    return found


def decoding(run: Results) -> dict[str, Any]:
    """How the run's summaries were searched for, by flat keys."""
    kept = ((key, value) for key, value in run.decoding.items() if key not in NOT_COMPARED)
    return {f"decoding.{key}": value for key, value in kept}


def differences(said: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """What is not said alike by all who say it, such as ``beam 5: ncls; 1: mclas``."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, values in said:
        for key, value in values.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            found.setdefault(key, {}).setdefault(shown, []).append(name)
    return [
        f"{key} " + "; ".join(f"{value}: {_listed(names)}" for value, names in values.items())
        for key, values in found.items()
        if len(values) > 1
    ]


def unlike_seeds(runs: Sequence[Results]) -> list[str]:
    """In what the seeds of one system differ beside their seed."""
    return differences((f"seed={run.seed}", {**run.recipe, **decoding(run)}) for run in runs)


def unlike_decodings(runs: Iterable[Results]) -> list[str]:
    """In what the decodings of several systems differ."""
    return differences((run.model, decoding(run)) for run in runs)


def unlike_recipes(runs: Iterable[Results]) -> list[str]:
    """In what the recipes of one scenario's systems differ beside what makes them systems."""
    return differences(
        (run.model, {k: v for k, v in run.recipe.items() if not k.startswith(OF_SYSTEMS)})
        for run in runs
        if run.model not in PRETRAINED
    )


def listed(found: Sequence[str]) -> str:
    """Differences in a line, the first few of them."""
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return "; ".join(found[:NAMED]) + more


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def writes_accents(run: Results, side: Side) -> bool:
    """False where the tokenizer of the run's network folds accents; else they count as written."""
    return _writes(run).get(side, {}).get("accents", True)


def _writes(run: Results) -> dict[Side, dict[str, bool]]:
    """What ``provenance`` says; of a run of an earlier version, what its tokenizer.json does."""
    if "writes" in run.provenance or run.folder is None:
        return run.provenance.get("writes", {})
    # An import of tokenizers, which few tables need.
    from mclas_lightning.metrics.accents import kept_by_tokenizer_file

    kept = kept_by_tokenizer_file(run.folder / "tokenizer" / "tokenizer.json")
    return dict.fromkeys(run.scores, kept)
