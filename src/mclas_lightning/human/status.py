"""What the annotators of a folder have returned, what is wrong in it, and what is missing."""

import re
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from mclas_lightning.human.judgements import ReturnedSheet, missing_items, read_returned
from mclas_lightning.human.sheet import SheetKey


class AnnotatorStatus(NamedTuple):
    """One annotator's files, and the documents that they answer without a mistake."""

    annotator: int
    files: list[str]
    answered: int
    documents: int
    mistakes: list[str]

    @property
    def state(self) -> str:
        """``complete``, ``mistakes``, ``incomplete`` or ``not returned``."""
        if not self.files:
            return "not returned"
        if self.answered < self.documents:
            return "incomplete"
        return "mistakes" if self.mistakes else "complete"


class FolderStatus(NamedTuple):
    """The status of all annotators, and the mistakes in files that belong to none of them."""

    annotators: list[AnnotatorStatus]
    strange: list[str]

    @property
    def has_mistakes(self) -> bool:
        """Whether anything that came back has a mistake; what has not come back is none."""
        return bool(self.strange) or any(one.mistakes for one in self.annotators)


def folder_status(folder: Path) -> FolderStatus:
    """Read all that came back into ``folder``, with every mistake in it."""
    key = SheetKey.read(folder)
    sheets = read_returned(folder, key)
    missing = missing_items(key, sheets)
    of = [_annotators(sheet, key) for sheet in sheets]
    strange = [
        str(one)
        for sheet, mine in zip(sheets, of, strict=True)
        if not mine
        for one in sheet.mistakes
    ]
    found = []
    for number in key.annotators:
        mine = [sheet for sheet, theirs in zip(sheets, of, strict=True) if number in theirs]
        found.append(_annotator_status(number, key, mine, missing))
    return FolderStatus(found, strange)


def _annotators(sheet: ReturnedSheet, key: SheetKey) -> set[int]:
    """Whose items a sheet answers; where it answers none, the annotator of the key in its name."""
    if sheet.lines:
        return {key.items[name].annotator for name in sheet.lines}
    named = re.match(r"annotator[ _]?(\d+)(?!\d)", sheet.path.name, re.IGNORECASE)
    return {int(named[1])} & {*key.annotators} if named else set()


def _annotator_status(
    number: int, key: SheetKey, mine: list[ReturnedSheet], missing: dict[str, int]
) -> AnnotatorStatus:
    documents = sum(item.annotator == number for item in key.items.values())
    answered = {
        one.document for sheet in mine for one in sheet.judgements if one.annotator == number
    }
    mistakes = [str(mistake) for sheet in mine for mistake in sheet.mistakes]
    lacking = [name for name, annotator in missing.items() if annotator == number]
    if lacking:
        mistakes.append(f"no line for item {', '.join(lacking)}")
    return AnnotatorStatus(
        number, [sheet.path.name for sheet in mine], len(answered), documents, mistakes
    )


def draw_status(found: FolderStatus) -> Table:
    """The status of all annotators as a table for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Annotator", "State", "Documents", "Files"):
        table.add_column(name)
    for one in found.annotators:
        answered = f"{one.answered} of {one.documents}"
        # A file's name is data, which Text keeps from being read as markup.
        table.add_row(str(one.annotator), one.state, answered, Text(", ".join(one.files) or "-"))
    return table


def status_lines(found: FolderStatus) -> list[str]:
    """What stands below the table: each mistake, and how many annotators are in each state."""
    mistakes = [f"annotator {a.annotator}: {one}" for a in found.annotators for one in a.mistakes]
    mistakes += [f"of no annotator: {one}" for one in found.strange]
    states = [one.state for one in found.annotators]
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return [*mistakes, counted]
