"""What ``mclas score`` shows: a table of systems and who is better, or all of it as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.metrics.significance import LEVEL
from mclas_lightning.metrics.systems import Pair, System
from mclas_lightning.metrics.verdict import in_words

HEADER = ("System", "Score", "P", "R", "F1", f"{LEVEL:.0%} interval".replace("%", " %"))
NAMES = {
    "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum",
    "bertscore": "BERTScore",
}  # fmt: skip


def draw(
    systems: Sequence[System],
    pairs: Sequence[Pair],
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


def as_json(systems: Sequence[System], pairs: Sequence[Pair]) -> dict[str, Any]:
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
    return NAMES.get(plain, plain)


def _kinds(system: System, family: str) -> list[str]:
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


def _numbers(system: System, kind: str) -> list[str]:
    totals = system.scores.totals
    low, high = (round(100 * bound, 2) + 0.0 for bound in system.intervals[f"{kind}_f"])
    shown = [f"{100 * totals[f'{kind}_{name}']:.2f}" for name in "prf"]
    return [*shown, f"{low:.2f} to {high:.2f}"]


def _lengths(systems: Sequence[System], unit: str) -> list[str]:
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


def _verdicts(pairs: Sequence[Pair]) -> list[str]:
    return [*map(_words, pairs), *([""] if pairs else [])]


def _words(pair: Pair) -> str:
    metric = label(pair.score.removesuffix("_f"))
    return in_words(pair.comparison, pair.first, pair.second, metric)


def _signatures(systems: Sequence[System], family: str) -> list[str]:
    found = dict.fromkeys(
        signature
        for system in systems
        for name, signature in system.scores.signatures.items()
        if name == family or "rouge" not in name
    )
    return [f"Signature: {signature}" for signature in found]
