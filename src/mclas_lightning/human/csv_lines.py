"""The lines of a CSV file as spreadsheets of many kinds and systems save it."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from mclas_lightning.errors import InputError, clear_when_unreadable

CSV = ".csv"

csv.field_size_limit(2**31 - 1)  # A document may be longer than Python's limit of a cell.


def csv_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The filled lines, each with "file:line"; comma, semicolon, tab or bar separates cells.

    InputError for a file of another kind, and unless each of ``columns`` is there once.
    """
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
        _check_names(f"{path}:{first}", names, columns)
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                row = dict(zip(names, map(str.strip, cells), strict=False))
                yield f"{path}:{lines.line_num + first}", dict.fromkeys(names, "") | row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: not a readable CSV file; save it again as CSV (UTF-8)"
        ) from error


def _check_names(where: str, names: Sequence[str], columns: Sequence[str]) -> None:
    if not set(names) & set(columns):
        raise InputError(
            f"{where}: expected the columns of a sheet ({', '.join(columns)}), found none of them; "
            "save the sheet again as CSV (UTF-8)"
        )
    for name in columns:
        if names.count(name) != 1:
            state = "is there more than once" if name in names else "is missing"
            raise InputError(f"{where}: column '{name}' {state}")


def _text(path: Path) -> str:
    """A sheet's text: UTF-8, UTF-16 with a byte order mark, or Latin-1 of older spreadsheets.

    Latin-1 may misread documents and summaries. Those are not used again, and items and letters
    are ASCII in all three encodings.
    """
    with clear_when_unreadable(path):
        raw = path.read_bytes()
    if not raw.strip():
        raise InputError(f"{path}: is empty; copy the sheet again")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        if raw.startswith(codecs.BOM_UTF8):
            raise
        return raw.decode("latin-1")


def _delimiter(header: str) -> str:
    """The delimiter that gives most columns; no column's name holds one."""
    return max(",;\t|", key=lambda one: len(next(csv.reader([header], delimiter=one), [])))
