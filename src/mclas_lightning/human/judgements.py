"""Filled sheets become judgements; an incomplete or contradictory one is refused."""

import csv
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

from mclas_lightning.errors import InputError
from mclas_lightning.human.key import KEY, Item, Key
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import CHOICES


class Judgement(NamedTuple):
    """The systems whose summaries an annotator chose from one perspective."""

    annotator: int
    document: str
    perspective: str
    best: str
    worst: str


def read_judgements(folder: Path, key: Key) -> list[Judgement]:
    """All that the sheets of ``folder`` say; InputError with file, line and column of a mistake.

    A sheet may be missing where an annotator gave none back; one that is here must be complete.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise InputError(f"{folder}: no sheet (*.csv) is here")
    found: dict[str, str] = {}
    judgements: list[Judgement] = []
    for path in paths:
        for where, row in _rows(path):
            name = row["item"]
            if name not in key.items:
                raise InputError(f"{where}: item '{name}' is not one of {folder / KEY}")
            if name in found:
                raise InputError(f"{where}: item '{name}' was already in {found[name]}")
            found[name] = where
            judgements += _judgements(where, row, key.items[name])
    _check_complete(folder, key, found)
    return judgements


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The filled lines, each with its file and number; comma, semicolon or tab separates."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            start = header.replace('"', "")
            delimiter = next((d for d in ";\t" if start.startswith(f"item{d}")), ",")
            names = next(csv.reader([header], delimiter=delimiter), [])
            for name in ("item", *CHOICES):
                if name not in names:
                    raise InputError(f"{path}:1: column '{name}' is missing")
            lines = csv.reader(file, delimiter=delimiter, strict=True)
            for cells in lines:
                if any(cell.strip() for cell in cells):
                    row = dict(zip(names, map(str.strip, cells), strict=False))
                    yield f"{path}:{lines.line_num + 1}", dict.fromkeys(names, "") | row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV file in UTF-8 ({error})") from error


def _judgements(where: str, row: dict[str, str], item: Item) -> Iterator[Judgement]:
    for perspective in PERSPECTIVES:
        best, worst = (
            _choice(where, row, f"{perspective}_{end}", item) for end in ("best", "worst")
        )
        if best == worst:
            letter = row[f"{perspective}_best"]
            raise InputError(
                f"{where}: columns '{perspective}_best' and '{perspective}_worst' are both "
                f"'{letter}'; expected two different letters"
            )
        yield Judgement(item.annotator, item.document, perspective, best, worst)


def _choice(where: str, row: dict[str, str], column: str, item: Item) -> str:
    """The system behind a letter."""
    letters = ascii_uppercase[: len(item.order)]
    letter = row[column].upper()
    if len(letter) != 1 or letter not in letters:
        found = f"is '{row[column]}'" if letter else "is empty"
        raise InputError(
            f"{where}: column '{column}' {found}; expected one of {', '.join(letters)}"
        )
    return item.order[letters.index(letter)]


def _check_complete(folder: Path, key: Key, found: dict[str, str]) -> None:
    """Every annotator who judged anything judged everything; there are at least two."""
    annotators = {key.items[name].annotator for name in found}
    for name, item in key.items.items():
        if item.annotator in annotators and name not in found:
            raise InputError(f"{folder}: item '{name}' of annotator {item.annotator} is missing")
    if len(annotators) < 2:
        raise InputError(
            f"{folder}: expected the sheets of two annotators or more, found {len(annotators)}"
        )
