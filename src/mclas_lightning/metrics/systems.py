"""Several systems on the same documents: their scores, how sure these are, and who is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from mclas_lightning.metrics.score import Scores
from mclas_lightning.metrics.significance import (
    Comparison,
    bootstrap_intervals,
    compare_all,
    corrected,
)


@dataclass(frozen=True, kw_only=True)
class System:
    """A system's scores, and 95 % intervals of the means over documents."""

    name: str
    scores: Scores
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two systems in one score."""

    first: str
    second: str
    score: str
    comparison: Comparison


def with_intervals(scores: Mapping[str, Scores], *, resamples: int, seed: int) -> list[System]:
    """The systems by their names, with the intervals of all their scores."""
    columns = [column for found in scores.values() for column in found.documents.values()]
    intervals = iter(bootstrap_intervals(columns, resamples=resamples, seed=seed))
    return [
        System(
            name=system, scores=found, intervals={name: next(intervals) for name in found.documents}
        )
        for system, found in scores.items()
    ]


def compared(
    systems: Sequence[System], names: Sequence[str], *, resamples: int, seed: int
) -> list[Pair]:
    """Every two systems in each of the scores ``names``, corrected for all these tests."""
    found = [(name, a, b) for name in names for a, b in combinations(systems, 2)]
    columns = [(a.scores.documents[name], b.scores.documents[name]) for name, a, b in found]
    tests = corrected(compare_all(columns, resamples=resamples, seed=seed)) if found else []
    return [
        Pair(first=a.name, second=b.name, score=name, comparison=test)
        for (name, a, b), test in zip(found, tests, strict=True)
    ]
