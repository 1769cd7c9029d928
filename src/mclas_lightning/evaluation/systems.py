"""Comparison of several systems on the same documents: scores, intervals and significance tests."""

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
    SIGNIFICANCE_LEVEL,
    Comparison,
    bootstrap_intervals,
    compare_all,
    holm_corrected,
)


@dataclass(frozen=True, kw_only=True)
class ScoredSystem:
    """A system's scores, and the 95 % intervals of their means over documents, by score."""

    name: str
    scores: SystemScores
    intervals: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class SystemPair:
    """The comparison of two systems, by name, in one score."""

    first: str
    second: str
    score: str
    comparison: Comparison


def with_intervals(
    scores: Mapping[str, SystemScores], *, resamples: int, seed: int
) -> list[ScoredSystem]:
    """The systems in ``scores``, by name, with bootstrap intervals of all their scores."""
    columns = [column for found in scores.values() for column in found.documents.values()]
    intervals = iter(bootstrap_intervals(columns, resamples=resamples, seed=seed))
    return [
        ScoredSystem(
            name=system, scores=found, intervals={name: next(intervals) for name in found.documents}
        )
        for system, found in scores.items()
    ]


def pairwise_comparisons(
    systems: Sequence[ScoredSystem], names: Sequence[str], *, resamples: int, seed: int
) -> list[SystemPair]:
    """A test of every two systems in each score of ``names``, Holm-corrected over all tests."""
    found = [(name, a, b) for name in names for a, b in combinations(systems, 2)]
    columns = [(a.scores.documents[name], b.scores.documents[name]) for name, a, b in found]
    tests = holm_corrected(compare_all(columns, resamples=resamples, seed=seed)) if found else []
    return [
        SystemPair(first=a.name, second=b.name, score=name, comparison=test)
        for (name, a, b), test in zip(found, tests, strict=True)
    ]


def comparison_sentence(comparison: Comparison, a: str, b: str, metric: str) -> str:
    """A sentence on which system is better, by how many points (0.01 of a score), with p.

    Above p = 0.05 the sentence says that there is no significant difference.
    """
    sign = 1 if comparison.difference >= 0 else -1
    first, second = (a, b)[::sign]
    bounds = (round(100 * sign * bound, 1) + 0.0 for bound in (comparison.low, comparison.high))
    low, high = sorted(bounds)  # Adding 0.0 above turned -0.0 into 0.0.
    points = f"{100 * abs(comparison.difference):.1f} {metric} points"
    interval = f"{100 * LEVEL:.0f} % interval {low:.1f} to {high:.1f}"
    evidence = f"({interval}; {_p(comparison.p)}, {comparison.method})"
    if comparison.p <= SIGNIFICANCE_LEVEL:
        return f"{first} is better than {second} by {points} {evidence}"
    return f"no significant difference between {a} and {b}: {first} is ahead by {points} {evidence}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


SYSTEM_HEADINGS = ("System", "Score", "P", "R", "F1", f"{LEVEL:.0%} interval".replace("%", " %"))

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
    """The systems' table for a terminal, with notes: ROUGE of ``family``, lengths in ``unit``.

    ``bare`` names the systems that never write an accent, because of which ROUGE of all systems is
    counted without accents.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in SYSTEM_HEADINGS:  # Folded, because names and numbers may differ in their ends.
        justify = "left" if name in ("System", "Score") else "right"
        table.add_column(name, justify=justify, overflow="fold")
    for system in systems:
        for row, kind in enumerate(_kinds(system, family)):
            table.add_row(
                "" if row else Text(system.name), score_label(kind), *_numbers(system, kind)
            )
        table.add_section()
    notes = _lengths(systems, unit)
    if bare:
        notes.append(
            f"ROUGE without case and accents for all (profile folded): {', '.join(bare)} never "
            "writes an accent, the references do."
        )
    notes += ["", *map(_words, pairs), *([""] if pairs else []), *_signatures(systems, family)]
    return Group(table, Text("\n".join(notes)))


def systems_json(systems: Sequence[ScoredSystem], pairs: Sequence[SystemPair]) -> dict[str, Any]:
    """Scores, intervals and signatures by system, and all comparisons, as JSON objects."""
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


def score_label(kind: str) -> str:
    """The label of a kind of score: ROUGE-1 for ``rouge1`` or ``paper_rouge1``."""
    plain = kind.removeprefix("paper_").removeprefix("folded_")
    return SCORE_LABELS.get(plain, plain)


def _kinds(system: ScoredSystem, family: str) -> list[str]:
    """The system's scores with precision, recall and F1; of ROUGE only those of ``family``."""
    names = [name.removesuffix("_f") for name in system.scores.documents if name.endswith("_f")]
    return [name for name in names if "rouge" not in name or name.startswith(family)]


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
        if "wrong_language" in totals:
            wrong, own = (100 * totals[f"{of}wrong_language"] for of in ("", "reference_"))
            lines.append(f"  in another language {wrong:.1f} %, of the references {own:.1f} %")
        if "similarity" in totals:
            near, own = (100 * totals[name] for name in ("similarity", "reference_similarity"))
            lines.append(f"  similarity to the documents {near:.2f}, the references' own {own:.2f}")
    return [*lines, "Scores are x 100; an empty summary scores 0."]


def _words(pair: SystemPair) -> str:
    metric = score_label(pair.score.removesuffix("_f"))
    return comparison_sentence(pair.comparison, pair.first, pair.second, metric)


def _signatures(systems: Sequence[ScoredSystem], family: str) -> list[str]:
    found = dict.fromkeys(
        signature
        for system in systems
        for name, signature in system.scores.signatures.items()
        if name == family or "rouge" not in name
    )
    return [f"Signature: {signature}" for signature in found]
