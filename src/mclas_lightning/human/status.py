"""What the annotators of a folder have returned, what is wrong in it, and what is missing."""

from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Group
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
        """``complete``, ``incomplete`` or ``not returned``."""
        if not self.files:
            return "not returned"
        whole = self.answered == self.documents and not self.mistakes
        return "complete" if whole else "incomplete"


class FolderStatus(NamedTuple):
    """The status of all annotators, and the mistakes in files that answer no item of the key."""

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
    strange = [str(one) for sheet in sheets if not sheet.lines for one in sheet.mistakes]
    found = [_annotator_status(number, key, sheets, missing) for number in key.annotators]
    return FolderStatus(found, strange)


def _annotator_status(
    number: int, key: SheetKey, sheets: list[ReturnedSheet], missing: dict[str, int]
) -> AnnotatorStatus:
    own = {name for name, item in key.items.items() if item.annotator == number}
    mine = [sheet for sheet in sheets if own & sheet.lines.keys()]
    answered = {one.document for sheet in mine for one in sheet.judgements}
    mistakes = [str(mistake) for sheet in mine for mistake in sheet.mistakes]
    lacking = [name for name, annotator in missing.items() if annotator == number]
    if lacking:
        mistakes.append(f"no line for item {', '.join(lacking)}")
    return AnnotatorStatus(
        number, [sheet.path.name for sheet in mine], len(answered), len(own), mistakes
    )


def draw_status(found: FolderStatus) -> Group:
    """The status as a table for a terminal, with the mistakes below it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Annotator", "State", "Documents", "Files"):
        table.add_column(name)
    for one in found.annotators:
        answered = f"{one.answered} of {one.documents}"
        # A file's name is data, which Text keeps from being read as markup.
        table.add_row(str(one.annotator), one.state, answered, Text(", ".join(one.files) or "-"))
    mistakes = [f"annotator {a.annotator}: {one}" for a in found.annotators for one in a.mistakes]
    mistakes += [f"of no annotator: {one}" for one in found.strange]
    states = [one.state for one in found.annotators]
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    lines = [Text(line, overflow="fold") for line in [*mistakes, counted]]
    return Group(table, *lines)
