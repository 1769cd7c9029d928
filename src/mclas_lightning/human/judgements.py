"""Filled sheets become judgements; an incomplete or contradictory one is refused."""

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
from mclas_lightning.human.sheet import CHOICES, KEY, Item, Key

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


class Judgement(NamedTuple):
    """The systems whose summaries an annotator chose from one perspective."""

    annotator: int
    document: str
    perspective: str
    best: str
    worst: str


def sheets(folder: Path) -> list[Path]:
    """The sheets that lie in ``folder``; InputError where one came back as another kind of file.

    Left out is what a system lays beside them: ``._annotator1.csv`` (macOS), ``~$...`` (Excel).
    """
    files = sorted(path for path in folder.glob("[!.~]*") if path.is_file())
    found = [path for path in files if path.suffix.lower() == ".csv"]
    for path in files:
        if path.suffix.lower() in SPREADSHEETS and path.stem not in {one.stem for one in found}:
            raise InputError(f"{path}: expected a sheet as CSV; save it as CSV (UTF-8)")
    return found


def read_judgements(folder: Path, key: Key) -> list[Judgement]:
    """All that the sheets of ``folder`` say; InputError with file, line and column of a mistake.

    A sheet may be missing where an annotator gave none back (``not_returned``); one that is here
    must be complete.
    """
    paths = sheets(folder)
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


def not_returned(key: Key, judgements: Iterable[Judgement]) -> list[int]:
    """The annotators whom the key knows and who judged nothing."""
    everyone = {item.annotator for item in key.items.values()}
    return sorted(everyone - {judgement.annotator for judgement in judgements})


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The filled lines, each with its file and number; comma, semicolon or tab separates."""
    try:
        file = io.StringIO(_text(path), newline="")
        header, first = file.readline(), 1
        said = re.fullmatch(r'"?sep=(.)"?\s*', header)  # Excel's own line
        if said:
            header, first = file.readline(), 2
        delimiter = said[1] if said else _delimiter(header)
        names = next(csv.reader([header], delimiter=delimiter), [])
        for name in ("item", *CHOICES):
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
    """A sheet's text: UTF-8, UTF-16 by its byte order mark, or what an older spreadsheet writes.

    Items and letters are ASCII in all of these; documents and summaries are not read again.
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
    letter = normalize("NFKC", row[column]).upper()  # full-width letters of Chinese keyboards
    if len(letter) != 1 or letter not in letters:
        found = f"is '{row[column]}'" if letter else "is empty"
        if len(letter) == 1 and not letter.isascii():  # such as Cyrillic, which looks the same
            found += f" (U+{ord(letter):04X})"
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
