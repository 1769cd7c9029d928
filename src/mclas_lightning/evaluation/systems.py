"""Several systems on the same documents: their scores, how sure these are, and who is better."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.metrics.score import SystemScores
from mclas_lightning.metrics.significance import (
    LEVEL,
    Comparison,
    bootstrap_intervals,
    compare_all,
    corrected,
)


@dataclass(frozen=True, kw_only=True)
class ScoredSystem:
    """A system's scores, and 95 % intervals of the means over documents."""

    name: str
    scores: SystemScores
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class SystemPair:
    """Two systems in one score."""

    first: str
    second: str
    score: str
    comparison: Comparison


def with_intervals(
    scores: Mapping[str, SystemScores], *, resamples: int, seed: int
) -> list[ScoredSystem]:
    """The systems by their names, with the intervals of all their scores."""
    columns = [column for found in scores.values() for column in found.documents.values()]
    intervals = iter(bootstrap_intervals(columns, resamples=resamples, seed=seed))
    return [
        ScoredSystem(
            name=system, scores=found, intervals={name: next(intervals) for name in found.documents}
        )
        for system, found in scores.items()
    ]


def compared(
    systems: Sequence[ScoredSystem], names: Sequence[str], *, resamples: int, seed: int
) -> list[SystemPair]:
    """Every two systems in each of the scores ``names``, corrected for all these tests."""
    found = [(name, a, b) for name in names for a, b in combinations(systems, 2)]
    columns = [(a.scores.documents[name], b.scores.documents[name]) for name, a, b in found]
    tests = corrected(compare_all(columns, resamples=resamples, seed=seed)) if found else []
    return [
        SystemPair(first=a.name, second=b.name, score=name, comparison=test)
        for (name, a, b), test in zip(found, tests, strict=True)
    ]


LEVEL_OF_P = 0.05


def comparison_sentence(comparison: Comparison, a: str, b: str, metric: str) -> str:
    """Which system is better, by how many points (0.01 of a score), and how sure that is.

    No winner is named where p is above 0.05.
    """
    sign = 1 if comparison.difference >= 0 else -1
    first, second = (a, b)[::sign]
    bounds = (round(100 * sign * bound, 1) + 0.0 for bound in (comparison.low, comparison.high))
    low, high = sorted(bounds)  # Adding 0 turns -0.0 into 0.0.
    points = f"{100 * abs(comparison.difference):.1f} {metric} points"
    interval = f"{100 * LEVEL:.0f} % interval {low:.1f} to {high:.1f}"
    evidence = f"({interval}; {_p(comparison.p)}, {comparison.method})"
    if comparison.p <= LEVEL_OF_P:
        return f"{first} is better than {second} by {points} {evidence}"
    return f"no significant difference between {a} and {b}: {first} is ahead by {points} {evidence}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


HEADER = ("System", "Score", "P", "R", "F1", f"{LEVEL:.0%} interval".replace("%", " %"))

SCORE_LABELS = {
    "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum",
    "bertscore": "BERTScore",
}  # fmt: skip


def systems_table(
    systems: Sequence[ScoredSystem],
    pairs: Sequence[SystemPair],
    unit: str,
    family: str = "rouge",
    bare: Sequence[str] = (),
) -> Group:
    """For a terminal, ROUGE of one ``family``; lengths are in ``unit``.

    ``bare`` are the systems that have no accents, which is why all are scored without.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in HEADER:
        table.add_column(name, justify="left" if name in ("System", "Score") else "right")
    for system in systems:
        for row, kind in enumerate(_kinds(system, family)):
            table.add_row("" if row else Text(system.name), label(kind), *_numbers(system, kind))
        table.add_section()
    notes = [*_lengths(systems, unit), *_folded(bare), "", *_verdicts(pairs)]
    notes += _signatures(systems, family)
    return Group(table, Text("\n".join(notes)))


def as_json(systems: Sequence[ScoredSystem], pairs: Sequence[SystemPair]) -> dict[str, Any]:
    """All that was computed, of each system by its name."""
    return {
        "systems": {
            system.name: {
                "scores": system.scores.totals,
                "intervals": dict(system.intervals),
                "signatures": dict(system.scores.signatures),
            }
            for system in systems
        },
        "comparisons": [
            {
                "first": pair.first,
                "second": pair.second,
                "score": pair.score,
                **asdict(pair.comparison),
                "words": _words(pair),
            }
            for pair in pairs
        ],
    }


def label(kind: str) -> str:
    """A kind of score as it is written: ``paper_rouge1`` is ROUGE-1."""
    plain = kind.removeprefix("paper_").removeprefix("folded_")
    return SCORE_LABELS.get(plain, plain)


def _kinds(system: ScoredSystem, family: str) -> list[str]:
    """The kinds that have precision, recall and F1; of ROUGE those of one family."""
    names = [name.removesuffix("_f") for name in system.scores.documents if name.endswith("_f")]
    return [name for name in names if "rouge" not in name or name.startswith(family)]


def _folded(bare: Sequence[str]) -> list[str]:
    if not bare:
        return []
    return [
        f"ROUGE without case and accents for all (profile folded): {', '.join(bare)} never writes "
        "an accent, the references do."
    ]


def _numbers(system: ScoredSystem, kind: str) -> list[str]:
    totals = system.scores.totals
    low, high = (round(100 * bound, 2) + 0.0 for bound in system.intervals[f"{kind}_f"])
    shown = [f"{100 * totals[f'{kind}_{name}']:.2f}" for name in "prf"]
    return [*shown, f"{low:.2f} to {high:.2f}"]


def _lengths(systems: Sequence[ScoredSystem], unit: str) -> list[str]:
    lines = []
    for system in systems:
        totals = system.scores.totals
        more = round(totals["length"] - totals["reference_length"], 1) + 0.0  # no "-0.0"
        lines.append(
            f"{system.name}: {totals['num']:,} documents, {totals['length']:.1f} {unit} each "
            f"({more:+.1f} to the references), {totals['empty']:,} empty"
        )
        if "similarity" in totals:
            near, own = (100 * totals[name] for name in ("similarity", "reference_similarity"))
            lines.append(f"  similarity to the documents {near:.2f}, the references' own {own:.2f}")
    return [*lines, "Scores are x 100; an empty summary scores 0."]


def _verdicts(pairs: Sequence[SystemPair]) -> list[str]:
    return [*map(_words, pairs), *([""] if pairs else [])]


def _words(pair: SystemPair) -> str:
    metric = label(pair.score.removesuffix("_f"))
    return comparison_sentence(pair.comparison, pair.first, pair.second, metric)


def _signatures(systems: Sequence[ScoredSystem], family: str) -> list[str]:
    found = dict.fromkeys(
        signature
        for system in systems
        for name, signature in system.scores.signatures.items()
        if name == family or "rouge" not in name
    )
    return [f"Signature: {signature}" for signature in found]
