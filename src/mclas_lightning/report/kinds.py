"""Runs by what their scores depend on: signature and test set. Of one kind are those that agree."""

from collections.abc import Callable, Iterable, Sequence

from mclas_lightning.data.example import Side
from mclas_lightning.report.results import Results
from mclas_lightning.report.sheet import number

NAMED = 3  # runs that a note names one by one


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
    names = [f"{run.scenario}/{run.model}/seed={run.seed}" for run in runs]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def kinds(
    runs: Iterable[Results], key: Callable[[Results], str | None]
) -> dict[str, list[Results]]:
    """Runs by ``key``, but for those that have none."""
    found: dict[str, list[Results]] = {}
    for run in runs:
        if (kind := key(run)) is not None:
            found.setdefault(kind, []).append(run)
    return found
