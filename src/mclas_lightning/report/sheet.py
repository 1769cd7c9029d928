"""A ``Sheet``: the cells, headings and notes of a table, independent of any output format.

``report.render`` turns a ``Sheet`` into text of one format; no other module knows formats.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

PLUS_MINUS = "\u00b1"

MISSING = "-"

ORIGIN = ("Test set", "Signature", "Decoding")  # properties that rows must share to be compared


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A score of our runs: mean and deviation over seeds, rank and significance."""

    mean: float
    deviation: float | None = None  # None where there is one seed
    seeds: int = 1
    digits: int = 2
    signed: bool = False
    best: bool = False
    significant: bool = False
    interval: tuple[float, float] | None = None
    partial: str = ""  # such as "2 of 3" where not all seeds have the score

    @property
    def shown(self) -> str:
        """The rounded mean without its deviation."""
        return format_number(self.mean, self.digits, self.signed)

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" {PLUS_MINUS}{self.deviation:.{self.digits}f}"
        if self.interval is not None:
            low, high = (format_number(end, self.digits, self.signed) for end in self.interval)
            spread += f" [{low}, {high}]"
        some = f" ({self.partial})" if self.partial else ""
        return self.shown + spread + ("*" if self.significant else "") + some


SheetEntry = Cell | str


class Column(NamedTuple):
    """A column; neighbors of one ``group`` share a heading. A ``measured`` column holds cells."""

    group: str
    name: str
    measured: bool = False

    @property
    def title(self) -> str:
        """The column's heading in one line."""
        return " ".join(part for part in (self.group, self.name) if part)


class Section(NamedTuple):
    """Rows that belong together, such as those of a scenario; a row starts with its label."""

    name: str
    rows: list[tuple[SheetEntry, ...]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table with the notes and commands below it."""

    name: str  # for files and anchors, such as table2-en2desum
    title: str
    label: str = ""  # the start of the title of one of the paper's tables, such as Table 2
    by: str = ""  # the heading above the sections' names; empty: sections have no names
    corner: str  # the heading above the rows' labels
    columns: tuple[Column, ...]
    sections: list[Section]
    # The values of ORIGIN for each row, for CSV files.
    origins: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # that fill the missing cells
    missing: int = 0  # number of cells that no run fills

    @property
    def caption(self) -> str:
        """The title of a LaTeX float: the paper's table number stands at the end, not the start."""
        if not self.label:
            return self.title
        return f"{self.title.removeprefix(f'{self.label}. ')} (as the paper's {self.label})"

    @property
    def headings(self) -> list[str]:
        """The headings of all columns, each in one line."""
        return [*self.labels, *(column.title for column in self.columns)]

    @property
    def labels(self) -> list[str]:
        """The headings of the columns that label rows."""
        return [self.by, self.corner] if self.by else [self.corner]

    def rows(self, repeat: bool = False) -> Iterator[list[SheetEntry]]:
        """All rows; a section's name stands in its first row, or with ``repeat`` in every row."""
        for section in self.sections:
            for i, row in enumerate(section.rows):
                name = section.name if repeat or i == 0 else ""
                yield [name, *row] if self.by else list(row)

    def groups(self) -> list[tuple[str, int]]:
        """The headings of groups of columns, each with its number of columns."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and column.group and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found


def paper_columns(heading: str, printed: bool) -> tuple[Column, ...]:
    """The column of our cells under ``heading``; with ``printed``, between the paper's columns."""
    if not printed:
        return (Column(heading, "", True),)
    return (Column(heading, "paper"), Column(heading, "ours", True), Column(heading, "diff."))


def beside_paper(
    printed: float | None, ours: Cell | None, digits: int, signed: bool = False, differ: bool = True
) -> list[SheetEntry]:
    """The paper's number, our cell and, with ``differ``, their difference: three columns."""
    shown = MISSING if printed is None else format_number(printed, digits, signed)
    difference = ""
    if differ and printed is not None and ours is not None:
        difference = format_number(float(ours.shown) - printed, digits, signed=True)
    return [shown, ours or MISSING, difference]


def format_number(value: float, digits: int = 2, signed: bool = False) -> str:
    """``value`` with ``digits`` decimals; never a negative zero."""
    value = round(value, digits) + 0.0
    return f"{value:+.{digits}f}" if signed and value else f"{value:.{digits}f}"
