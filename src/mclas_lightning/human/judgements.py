"""Judgements read from filled sheets; InputError for an incomplete or contradictory sheet."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple
from unicodedata import normalize

from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError
from mclas_lightning.human.csv_lines import CSV, csv_lines
from mclas_lightning.human.line_texts import LineTexts
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import BEST_WORST, CHOICE_COLUMNS, KEY_FILE, SheetItem, SheetKey

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


class Judgement(NamedTuple):
    """An annotator's best and worst system for one document from one perspective."""

    annotator: int
    document: str
    perspective: str
    best: str
    worst: str


def sheet_files(folder: Path) -> list[Path]:
    """The CSV sheets in ``folder``, workbooks, and whatever else is named as a sheet.

    Files that programs leave beside sheets are ignored: ``._annotator1.csv`` (macOS), ``~$...``
    (Excel).
    """
    found = []
    for path in sorted(folder.glob("[!.~]*")):
        named = path.name.lower().startswith("annotator")
        sheet = path.suffix.lower() in (CSV, *SPREADSHEETS)
        if (named or sheet) if path.is_file() else (named and sheet):  # else a link that is broken
            found.append(path)
    return found


class ReturnedSheet(NamedTuple):
    """A sheet that came back; each of its mistakes names file and line."""

    path: Path
    lines: dict[str, str]  # "file:line" by item of the key
    judgements: list[Judgement]
    seconds: dict[str, float]  # by item, where the annotator's page measured them
    mistakes: list[InputError]


def read_returned(folder: Path, key: SheetKey) -> list[ReturnedSheet]:
    """The sheets in ``folder`` that hold an answer; a blank sheet has not come back.

    A file of another kind is a mistake, unless a sheet of its name holds answers.
    """
    texts = LineTexts(folder, key)
    found = [_read_sheet(path, key, texts) for path in sheet_files(folder)]
    filled = {_name(sheet.path) for sheet in found if sheet.lines}
    sheets = [
        sheet
        for sheet in found
        if sheet.lines or (sheet.mistakes and _name(sheet.path) not in filled)
    ]
    seen: dict[str, str] = {}
    for sheet in sheets:
        twice = [name for name in sheet.lines if name in seen]
        if len(twice) > 1 and len(twice) == len(sheet.lines):
            other = seen[twice[0]].rpartition(":")[0]
            sheet.mistakes.append(
                InputError(f"{sheet.path}: has the items of {other} again; keep one of the two")
            )
        else:
            sheet.mistakes.extend(_twice(name, sheet.lines[name], seen[name]) for name in twice)
        seen = sheet.lines | seen
    return sheets


def _name(path: Path) -> str:
    """A file's name up to its first dot: ``annotator1`` of ``annotator1.csv.bak``."""
    return path.name.split(".")[0]


def missing_items(key: SheetKey, sheets: Iterable[ReturnedSheet]) -> dict[str, int]:
    """The items that lack in the sheets of annotators who returned some, with their annotators."""
    lines = {name for sheet in sheets for name in sheet.lines}
    annotators = {key.items[name].annotator for name in lines}
    return {
        name: item.annotator
        for name, item in key.items.items()
        if item.annotator in annotators and name not in lines
    }


def complete_sheets(folder: Path, key: SheetKey) -> list[ReturnedSheet]:
    """The sheets in ``folder``; InputError unless two annotators or more judged all their items.

    An annotator may have returned no sheet (``not_returned``).
    """
    if not sheet_files(folder):
        raise InputError(f"{folder}: no sheet (*.csv) is here")
    sheets = read_returned(folder, key)
    for sheet in sheets:
        if sheet.mistakes:
            raise sheet.mistakes[0]
    for name, annotator in missing_items(key, sheets).items():
        raise InputError(f"{folder}: item '{name}' of annotator {annotator} is missing")
    annotators = {judgement.annotator for sheet in sheets for judgement in sheet.judgements}
    if len(annotators) < 2:
        raise InputError(
            f"{folder}: expected the filled sheets of two annotators or more, "
            f"found {len(annotators)}; list them with: "
            f"{command('mclas human status', [str(folder)])}"
        )
    return sheets


def not_returned(key: SheetKey, judgements: Iterable[Judgement]) -> list[int]:
    """The annotators of the key who returned no judgement."""
    everyone = {item.annotator for item in key.items.values()}
    return sorted(everyone - {judgement.annotator for judgement in judgements})


def _read_sheet(path: Path, key: SheetKey, texts: LineTexts) -> ReturnedSheet:
    sheet = ReturnedSheet(path, {}, [], {}, [])
    try:
        rows = list(csv_lines(path, ("item", *CHOICE_COLUMNS)))
        if not rows:
            raise InputError(f"{path}: has no line below its columns; copy the sheet again")
        if len(rows) > 1 and not any(row["item"] in key.items for _, row in rows):
            raise InputError(
                f"{path}: none of its {len(rows)} items is in {path.parent / KEY_FILE}; "
                "it is a sheet of another folder"
            )
    except InputError as error:
        sheet.mistakes.append(error)
        return sheet
    if any(row[column] for _, row in rows for column in CHOICE_COLUMNS):
        for where, row in rows:
            try:
                texts.check(where, row)
                _read_row(sheet, where, row, key)
            except InputError as error:
                sheet.mistakes.append(error)
    return sheet


def _read_row(sheet: ReturnedSheet, where: str, row: dict[str, str], key: SheetKey) -> None:
    name = row["item"]
    if name not in key.items:
        raise InputError(f"{where}: item '{name}' is not one of {sheet.path.parent / KEY_FILE}")
    if name in sheet.lines:
        raise _twice(name, where, sheet.lines[name])
    sheet.lines[name] = where
    sheet.judgements.extend(list(_judgements(where, row, key.items[name])))
    if cell := row.get("seconds"):
        sheet.seconds[name] = _seconds(where, cell)


def _seconds(where: str, cell: str) -> float:
    try:
        seconds = float(cell.replace(",", "."))  # A spreadsheet may write a decimal comma.
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(
            f"{where}: column 'seconds' is '{cell}'; expected the seconds of a page, or nothing"
        )
    return seconds


def _twice(name: str, where: str, before: str) -> InputError:
    return InputError(f"{where}: item '{name}' was already in {before}")


def _judgements(where: str, row: dict[str, str], item: SheetItem) -> Iterator[Judgement]:
    for perspective in PERSPECTIVES:
        best, worst = (_choice(where, row, f"{perspective}_{end}", item) for end in BEST_WORST)
        if best == worst:
            letter = row[f"{perspective}_best"]
            raise InputError(
                f"{where}: columns '{perspective}_best' and '{perspective}_worst' are both "
                f"'{letter}'; expected two different letters"
            )
        yield Judgement(item.annotator, item.document, perspective, best, worst)


def _choice(where: str, row: dict[str, str], column: str, item: SheetItem) -> str:
    """The system that stands under the letter in ``column``."""
    letters = ascii_uppercase[: len(item.order)]
    letter = normalize("NFKC", row[column]).upper()  # full-width letters of Chinese keyboards
    if len(letter) != 1 or letter not in letters:
        found = f"is '{row[column]}'" if letter else "is empty"
        if len(letter) == 1 and not letter.isascii():  # such as Cyrillic, which looks the same
            found += f" (U+{ord(letter):04X})"
        raise InputError(
            f"{where}: column '{column}' {found}; expected one of {', '.join(letters)}"
        )
    return item.order[letters.index(letter)]
