"""Sheets drawn for a terminal; a wider sheet is cut between groups of columns."""

from collections.abc import Sequence
from itertools import pairwise

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mclas_lightning.report.sheet import Cell, Column, Sheet, SheetEntry

GAP = 2  # spaces between columns


def show(console: Console, sheets: Sequence[Sheet]) -> None:
    """One table below the other, no wider than the console if a cut between groups allows it."""
    for sheet in sheets:
        console.print(Text(sheet.title, style="italic"))
        for start, end in _cuts(sheet, console.width):
            console.print(_table(sheet, start, end))
        for note in sheet.notes:
            console.print(Text(note, style="dim"))
        if sheet.commands:
            console.print(Text("What is missing is made by:", style="dim"))
        for command in sheet.commands:  # Commands are never wrapped, so that they can be copied.
            console.print(Text(f"  {command}"), soft_wrap=True)
        console.print()


def _cuts(sheet: Sheet, width: int) -> list[tuple[int, int]]:
    """Ranges of columns that fit the width; each holds whole groups, and at least one."""
    sizes = [size + GAP for size in _widths(sheet)]
    num = len(sheet.labels)
    room = width - 2 + GAP - sum(sizes[:num])  # rich leaves a space on either side
    ends, used, at = [0], 0, 0
    for _, count in sheet.groups():
        needed = sum(sizes[num + at : num + at + count])
        if used and used + needed > room:
            ends.append(at)
            used = 0
        used += needed
        at += count
    return list(pairwise([*ends, at]))


def _widths(sheet: Sheet) -> list[int]:
    headings = [*sheet.labels, *_headings(sheet.columns)]
    columns = zip(headings, *sheet.rows(), strict=True)
    return [
        max(cell_len(line) for entry in column for line in str(entry).split("\n"))
        for column in columns
    ]


def _headings(columns: Sequence[Column]) -> list[str]:
    """Headings, of two lines where columns have groups: the group above its first column."""
    if not any(column.group and column.name for column in columns):
        return [column.title for column in columns]
    before = ["", *(column.group for column in columns)]
    return [
        f"{'' if column.group == last else column.group}\n{column.name}"
        for column, last in zip(columns, before, strict=False)
    ]


def _table(sheet: Sheet, start: int, end: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    num = len(sheet.labels)
    headings = _headings(sheet.columns[start:end])
    above = "\n" if any("\n" in heading for heading in headings) else ""
    for label in sheet.labels:
        table.add_column(f"{above}{label}", no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    rows = iter(sheet.rows())
    for section in sheet.sections:
        for _ in section.rows:
            row = next(rows)
            table.add_row(*map(_styled, [*row[:num], *row[num + start : num + end]]))
        table.add_section()
    return table


def _styled(entry: SheetEntry) -> Text:
    return Text(str(entry), style="bold" if isinstance(entry, Cell) and entry.best else "")
