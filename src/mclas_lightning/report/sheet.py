"""A table before it is drawn: what stands where, in words and numbers, whatever the format.

``render`` turns a ``Sheet`` into text of one format; nothing else knows formats.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

PLUS_MINUS = "\u00b1"

MISSING = "-"

ORIGIN = ("Test set", "Signature", "Decoding")  # what rows must share to be compared


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Ours: the mean over seeds, as it is shown, and what the significance test says of it."""

    mean: float
    deviation: float | None = None  # None of one seed
    seeds: int = 1
    digits: int = 2
    signed: bool = False
    best: bool = False
    significant: bool = False
    partial: str = ""  # how many of the seeds have it, where not all do

    @property
    def shown(self) -> str:
        """The mean alone."""
        return number(self.mean, self.digits, self.signed)

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" {PLUS_MINUS}{self.deviation:.{self.digits}f}"
        some = f" ({self.partial})" if self.partial else ""
        return self.shown + spread + ("*" if self.significant else "") + some


Entry = Cell | str


class Column(NamedTuple):
    """A column; neighbors of the same ``group`` share a heading. ``measured`` ones hold cells."""

    group: str
    name: str
    measured: bool = False

    @property
    def title(self) -> str:
        """Its heading in one line."""
        return " ".join(part for part in (self.group, self.name) if part)


class Section(NamedTuple):
    """Rows that belong together, such as those of a scenario; each opens with its label."""

    name: str
    rows: list[tuple[Entry, ...]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table, with what is said below it."""

    name: str  # of files and anchors, such as table2-en2desum
    title: str
    label: str = ""  # what the title begins with in a table of the paper, such as Table 2
    by: str = ""  # what sections are, the first heading; none: sections have no names
    corner: str  # what rows are
    columns: tuple[Column, ...]
    sections: list[Section]
    origins: list[tuple[str, ...]] = field(default_factory=list)  # ORIGIN of each row, for files
    notes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # which fill what is missing
    missing: int = 0

    @property
    def caption(self) -> str:
        """The title of a float, which has a number of its own: the paper's stands at the end."""
        if not self.label:
            return self.title
        return f"{self.title.removeprefix(f'{self.label}. ')} (as the paper's {self.label})"

    @property
    def headings(self) -> list[str]:
        """Of all columns, each in one line."""
        return [*self.labels, *(column.title for column in self.columns)]

    @property
    def labels(self) -> list[str]:
        """Headings of the columns that only say what a row is."""
        return [self.by, self.corner] if self.by else [self.corner]

    def rows(self, repeat: bool = False) -> Iterator[list[Entry]]:
        """All rows; a section's name stands in its first, or in each of them with ``repeat``."""
        for section in self.sections:
            for i, row in enumerate(section.rows):
                name = section.name if repeat or i == 0 else ""
                yield [name, *row] if self.by else list(row)

    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns, with the number of columns of each."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and column.group and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found


def number(value: float, digits: int = 2, signed: bool = False) -> str:
    """``value`` as it is shown; never a negative zero."""
    value = round(value, digits) + 0.0
    return f"{value:+.{digits}f}" if signed and value else f"{value:.{digits}f}"
