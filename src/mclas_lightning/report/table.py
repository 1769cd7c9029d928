"""Tables of systems: ROUGE, mean length and the share in the wrong language, beside the reference.

``comparison`` draws for a terminal, ``markdown`` for a file; both show what ``blocks`` makes. Rows
stand in the order of the results given, which is the tables' own where they come from ``find``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.data.example import Side
from mclas_lightning.errors import InputError
from mclas_lightning.report.results import Results

PLUS_MINUS = "\u00b1"
HEADER = ("System", "R-1", "R-2", "R-L", "Length", "Wrong %", "Seeds")


@dataclass(frozen=True)
class Cell:
    """What a cell shows; ``rank`` is lowest for the column's best, None where nothing competes."""

    text: str
    rank: float | None = None


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Block:
    """The systems of one dataset and scenario; the last row is the reference."""

    title: str
    rows: list[Row]
    notes: list[str]

    def styled(self, bold: Callable[[str], Text | str]) -> list[list[Text | str]]:
        """The cells, with ``bold`` applied to each column's best where values differ."""
        ranks = [
            {c.rank for c in column if c.rank is not None}
            for column in zip(*self.rows, strict=True)
        ]
        best = [min(found) if len(found) > 1 else None for found in ranks]
        return [
            [
                bold(cell.text) if cell.rank is not None and cell.rank == top else cell.text
                for cell, top in zip(row, best, strict=True)
            ]
            for row in self.rows
        ]


def blocks(results: Sequence[Results], side: Side = "cross") -> list[Block]:
    """One block per dataset and scenario, of the systems that write ``side``."""
    writing = [r for r in results if side in r.scores]
    if not writing:
        raise InputError(f"none of these {len(results)} results scores {side} summaries")
    return [_block(group, side) for group in _groups(writing, lambda r: (r.dataset, r.scenario))]


def comparison(results: Sequence[Results], side: Side = "cross") -> Group:
    """The blocks as rich tables, one below the other."""
    return Group(*(part for block in blocks(results, side) for part in _draw(block)))


def markdown(results: Sequence[Results], side: Side = "cross") -> str:
    """The blocks as Markdown tables, one below the other."""
    return "\n".join(map(_markdown, blocks(results, side)))


def _draw(block: Block) -> tuple[Table, Text]:
    table = Table(
        title=Text(block.title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,  # with deviations, 80 columns hold it just so
        pad_edge=False,
    )
    for name in HEADER:
        table.add_column(name, justify="left" if name == "System" else "right")
    *systems, reference = block.styled(lambda text: Text(text, style="bold"))
    for row in systems:
        table.add_row(*row)
    table.add_section()
    table.add_row(*reference)
    return table, Text("\n".join(block.notes) + "\n", style="dim")


def _markdown(block: Block) -> str:
    lines = [HEADER, ("---", *["---:"] * (len(HEADER) - 1))]
    lines += block.styled(lambda text: f"**{text}**")
    table = "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
    return f"### {block.title}\n\n{table}\n" + "".join(f"- {note}\n" for note in block.notes)


def _groups(results: Sequence[Results], key: Callable[[Results], object]) -> list[list[Results]]:
    groups: dict[object, list[Results]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return list(groups.values())


def _block(results: list[Results], side: Side) -> Block:
    first = results[0]
    comparable = len({r.signatures[side]["rouge"] for r in results}) == 1
    rows = [_system(runs, side, comparable) for runs in _groups(results, lambda r: r.model)]
    title = f"{first.dataset}, {first.scenario}: {side} summaries ({first.language(side)})"
    return Block(title, [*rows, _reference(results, side)], _notes(results, side))


def _system(runs: list[Results], side: Side, comparable: bool) -> Row:
    def mean(key: str) -> float:
        return fmean(run.scores[side][key] for run in runs)

    def rouge(key: str) -> Cell:
        values = [100 * run.scores[side][key] for run in runs]
        spread = f" {PLUS_MINUS}{stdev(values):.2f}" if len(values) > 1 else ""
        shown = round(fmean(values), 2)  # ranked as shown: what looks equal is bold together
        return Cell(f"{shown:.2f}{spread}", -shown if comparable else None)

    excess = round(mean("length") - mean("reference_length"), 1) + 0.0  # no "-0.0"
    wrong = round(100 * mean("wrong_language"), 1)
    return (
        Cell(runs[0].name),
        *map(rouge, ("rouge1_f", "rouge2_f", "rougeL_f")),
        Cell(f"{mean('length'):.1f} ({excess:+.1f})", abs(excess)),
        Cell(f"{wrong:.1f}", wrong),
        Cell(str(len(runs))),
    )


def _reference(results: list[Results], side: Side) -> Row:
    length = fmean(r.scores[side]["reference_length"] for r in results)
    wrong = 100 * fmean(r.scores[side]["reference_wrong_language"] for r in results)
    texts = ("Reference", "", "", "", f"{length:.1f}", f"{wrong:.1f}", "")
    return tuple(map(Cell, texts))


def _notes(results: list[Results], side: Side) -> list[str]:
    signatures = sorted({r.signatures[side]["rouge"] for r in results})
    tests = {(r.scores[side]["num"], r.scores[side]["reference_length"]) for r in results}
    unit = " or ".join(sorted({u for s in signatures for u in re.findall(r"\btok:(\w+)", s)}))
    notes = [
        f"R-1, R-2, R-L: ROUGE F1 x 100; over several seeds, mean {PLUS_MINUS}standard deviation.",
        f"Length: mean {unit or 'tokens'} per summary (difference to the reference). "
        f"Wrong %: summaries not in {results[0].language(side)}, empty ones aside.",
        *(f"Signature: {signature}" for signature in signatures),
    ]
    if len(signatures) > 1:
        notes.append("Not comparable: the systems' ROUGE scores have different signatures.")
    if len(tests) > 1:
        notes.append("Not comparable: the systems were scored on different references.")
    return notes
