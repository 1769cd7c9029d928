"""Judgements read from filled sheets; InputError for an incomplete or contradictory sheet."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple
from unicodedata import normalize

from mclas_lightning.errors import InputError
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import CHOICE_COLUMNS, KEY_FILE, SheetItem, SheetKey

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


class Judgement(NamedTuple):
    """An annotator's best and worst system for one document from one perspective."""

    annotator: int
    document: str
    perspective: str
    best: str
    worst: str


def sheet_files(folder: Path) -> list[Path]:
    """The CSV sheets in ``folder``; InputError where a sheet came back as a workbook only.

    Files that programs leave beside sheets are ignored: ``._annotator1.csv`` (macOS), ``~$...``
    (Excel).
    """
    files = sorted(path for path in folder.glob("[!.~]*") if path.is_file())
    found = [path for path in files if path.suffix.lower() == ".csv"]
    for path in files:
        if path.suffix.lower() in SPREADSHEETS and path.stem not in {one.stem for one in found}:
            raise InputError(f"{path}: expected a sheet as CSV; save it as CSV (UTF-8)")
    return found


def read_judgements(folder: Path, key: SheetKey) -> list[Judgement]:
    """All judgements of the sheets in ``folder``; InputError with a mistake's file and line.

    An annotator may have returned no sheet (``not_returned``); every returned sheet must be
    complete.
    """
    paths = sheet_files(folder)
    if not paths:
        raise InputError(f"{folder}: no sheet (*.csv) is here")
    found: dict[str, str] = {}
    judgements: list[Judgement] = []
    for path in paths:
        for where, row in _rows(path):
            name = row["item"]
            if name not in key.items:
                raise InputError(f"{where}: item '{name}' is not one of {folder / KEY_FILE}")
            if name in found:
                raise InputError(f"{where}: item '{name}' was already in {found[name]}")
            found[name] = where
            judgements += _judgements(where, row, key.items[name])
    _check_complete(folder, key, found)
    return judgements


def not_returned(key: SheetKey, judgements: Iterable[Judgement]) -> list[int]:
    """The annotators of the key who returned no judgement."""
    everyone = {item.annotator for item in key.items.values()}
    return sorted(everyone - {judgement.annotator for judgement in judgements})


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The filled lines, each with "file:line"; comma, semicolon or tab separates cells."""
    try:
        file = io.StringIO(_text(path), newline="")
        header, first = file.readline(), 1
        # Excel may declare the delimiter in a first line of its own, such as "sep=;".
        declared = re.fullmatch(r'"?sep=(.)"?\s*', header)
        if declared:
            header, first = file.readline(), 2
        delimiter = declared[1] if declared else _delimiter(header)
        names = next(csv.reader([header], delimiter=delimiter), [])
        for name in ("item", *CHOICE_COLUMNS):
            if name not in names:
                raise InputError(f"{path}:{first}: column '{name}' is missing")
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                row = dict(zip(names, map(str.strip, cells), strict=False))
                yield f"{path}:{lines.line_num + first}", dict.fromkeys(names, "") | row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from error


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
    start = header.replace('"', "")
    return next((d for d in ";\t" if start.startswith(f"item{d}")), ",")


def _judgements(where: str, row: dict[str, str], item: SheetItem) -> Iterator[Judgement]:
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


def _check_complete(folder: Path, key: SheetKey, found: dict[str, str]) -> None:
    """InputError unless at least two annotators judged, each of them all of their items."""
    annotators = {key.items[name].annotator for name in found}
    for name, item in key.items.items():
        if item.annotator in annotators and name not in found:
            raise InputError(f"{folder}: item '{name}' of annotator {item.annotator} is missing")
    if len(annotators) < 2:
        raise InputError(
            f"{folder}: expected the sheets of two annotators or more, found {len(annotators)}"
        )
