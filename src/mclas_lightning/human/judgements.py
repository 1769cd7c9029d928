"""Judgements read from filled sheets; InputError for an incomplete or contradictory sheet."""

import codecs
import csv
import io
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple
from unicodedata import normalize

from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError
from mclas_lightning.human.line_texts import LineTexts
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import (
    BEST_WORST,
    CHOICE_COLUMNS,
    KEY_FILE,
    SheetItem,
    SheetKey,
)

CSV = ".csv"

csv.field_size_limit(2**31 - 1)  # A document may be longer than Python's limit of a cell.

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


class Judgement(NamedTuple):
    """An annotator's best and worst system for one document from one perspective."""

    annotator: int
    document: str
    perspective: str
    best: str
    worst: str


def sheet_files(folder: Path) -> list[Path]:
    """The CSV sheets in ``folder``, workbooks, and other files that are named as a sheet.

    Files that programs leave beside sheets are ignored: ``._annotator1.csv`` (macOS), ``~$...``
    (Excel).
    """
    files = sorted(path for path in folder.glob("[!.~]*") if path.is_file())
    return [
        path
        for path in files
        if path.suffix.lower() in (CSV, *SPREADSHEETS) or path.name.startswith("annotator")
    ]


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
        for name, where in sheet.lines.items():
            if name in seen:
                sheet.mistakes.append(_twice(name, where, seen[name]))
            seen.setdefault(name, where)
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


def read_judgements(folder: Path, key: SheetKey) -> list[Judgement]:
    """All judgements of the sheets in ``folder``; InputError with a mistake's file and line."""
    return [one for sheet in complete_sheets(folder, key) for one in sheet.judgements]


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
        rows = list(_rows(path))
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
    with suppress(KeyError, ValueError):  # sheets have no such column
        if 0 <= (seconds := float(row["seconds"])) < math.inf:
            sheet.seconds[name] = seconds


def _twice(name: str, where: str, before: str) -> InputError:
    return InputError(f"{where}: item '{name}' was already in {before}")


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The filled lines, each with "file:line"; comma, semicolon, tab or bar separates cells."""
    if path.suffix.lower() != CSV:
        raise InputError(f"{path}: expected a sheet as CSV; save it as CSV (UTF-8)")
    try:
        file = io.StringIO(_text(path), newline="")
        header, first = file.readline(), 1
        # Excel may declare the delimiter in a first line of its own, such as "sep=;".
        if header.lstrip('"').lower().startswith("sep="):
            header, first = file.readline(), 2
        delimiter = _delimiter(header)
        names = next(csv.reader([header], delimiter=delimiter), [])
        for name in ("item", *CHOICE_COLUMNS):
            if names.count(name) != 1:
                state = "is there more than once" if name in names else "is missing"
                raise InputError(f"{path}:{first}: column '{name}' {state}")
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                row = dict(zip(names, map(str.strip, cells), strict=False))
                yield f"{path}:{lines.line_num + first}", dict.fromkeys(names, "") | row
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: not a readable CSV file; save it again as CSV (UTF-8)"
        ) from error


def _text(path: Path) -> str:
    """A sheet's text: UTF-8, UTF-16 with a byte order mark, or Latin-1 of older spreadsheets.

    Latin-1 may misread documents and summaries. Those are not used again, and items and letters
    are ASCII in all three encodings.
    """
    raw = path.read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _delimiter(header: str) -> str:
    """The delimiter that gives most columns; no column's name holds one."""
    return max(",;\t|", key=lambda one: len(next(csv.reader([header], delimiter=one), [])))


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
