"""Examples in files of one's own: jsonl, CSV and TSV, Arrow, parquet, or parallel lines."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mclas_lightning.config.overrides import command
from mclas_lightning.corpora.own.files import LINES
from mclas_lightning.corpora.readers import lines
from mclas_lightning.corpora.readers.log import MAX_RECORD, Log, Sources
from mclas_lightning.errors import InputError, first_line, unknown_choice
from mclas_lightning.example import EXAMPLE_FIELDS, Example, example_of, json_record
from mclas_lightning.files import json_lines, sha256

Record = Mapping[str, Any]

# The fields of an example, and the names by which they are found where none is given. Of parallel
# files, a name is the end of a file's name.
Fields = Mapping[str, str]

DELIMITERS = ",;\t"

ROWS = 1000  # of an Arrow table that are objects at a time

FIELDS_OPTION = command("--fields", ["document=NAME,mono=NAME,cross=NAME"])


def fields_named(text: str) -> dict[str, str]:
    """The fields in ``document=dialogue,mono=summary``; InputError for another field or form."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, equals, name = part.partition("=")
        if field not in EXAMPLE_FIELDS:
            raise unknown_choice("--fields: field", field, EXAMPLE_FIELDS)
        if not equals or not name:
            raise InputError(f"--fields: expected FIELD=NAME, found '{part}'")
        found[field] = name
    return found


def read_examples(
    kind: str, paths: Sequence[Path], split: str, fields: Fields, sources: Sources, log: Log
) -> Iterator[Example]:
    """The examples of a split; one with an empty text is skipped.

    InputError for a file that is damaged or of another kind, and where a field is missing.
    """
    if kind == LINES:
        yield from lines.read_parallel(_parallel(paths, fields), split, sources, log)
        return
    number = 0
    for path in paths:
        names: dict[str, str] = {}
        for record in _READERS[kind](path, fields, sources, log):
            names, number = names or _names_in(record, fields, path), number + 1
            values = {field: _value(record, name) for field, name in names.items()}
            given = {field: value for field, value in values.items() if not _is_blank(value)}
            may_lack = {"id", "mono"} if values.get("mono") is None else {"id"}
            if names.keys() - given.keys() <= may_lack:
                file, place = log.place
                yield example_of({"id": f"{split}-{number}", **given}, f"{file}:{place}")
            else:
                log.skip("a text is missing or empty")


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _parallel(paths: Sequence[Path], fields: Fields) -> dict[str, Path]:
    """The file of each field, by the end of its name."""
    endings = {**lines.ENDINGS, **{field: name for field, name in fields.items() if field != "id"}}
    found: dict[str, Path] = {}
    for path in paths:
        field = next((f for f, ending in endings.items() if path.name.endswith(ending)), None)
        if field is None or field in found:
            seen = "no field" if field is None else f"'{field}', as {found[field]} does"
            known = ", ".join(f"{field} in {ending}" for field, ending in endings.items())
            raise InputError(
                f"{path}: the end of its name tells {seen}; expected {known}; give other ends: "
                f"{FIELDS_OPTION}"
            )
        found[field] = path
    for field, ending in endings.items():
        if field not in found and (field != "mono" or field in fields):
            raise InputError(
                f"{paths[0]}: no file beside it holds field '{field}', whose name ends in "
                f"{ending}; give another end: {FIELDS_OPTION}"
            )
    return found


def _names_in(record: Record, fields: Fields, path: Path) -> dict[str, str]:
    """The name of each field; InputError where the first record lacks one but mono and id."""
    names = {field: fields.get(field, field) for field in EXAMPLE_FIELDS}
    for field, name in names.items():
        needed = field in fields or field in ("document", "cross")
        if needed and not _has(record, name):
            # A table without a row of names has texts in their place, which may be long.
            found = ", ".join(
                each if len(each) < 40 else f"{each[:36]}..." for each in map(str, record)
            )
            raise InputError(
                f"{path}: no field '{name}' for the {field}; its fields (a table's first row) are "
                f"{found or 'none'}; say which is which: {FIELDS_OPTION}"
            )
    return names


def _check_columns(path: Path, columns: Sequence[str], fields: Fields) -> None:
    """InputError where a column that holds a field is there twice: a record keeps the last one."""
    used = {fields.get(field, field) for field in EXAMPLE_FIELDS}
    for name in used | {name.partition(".")[0] for name in used}:
        if columns.count(name) > 1:
            raise InputError(
                f"{path}: column '{name}' is there more than once; rename all but one of them"
            )


def _has(record: Record, name: str) -> bool:
    whole, inner = name in record, name.partition(".")
    return whole or (isinstance(record.get(inner[0]), Mapping) and inner[2] in record[inner[0]])


def _value(record: Record, name: str) -> Any:
    """A field, or a part of one: ``translation.en`` of ``{"translation": {"en": ...}}``."""
    outer, _, inner = name.partition(".")
    whole = record.get(outer)
    part = whole.get(inner) if isinstance(whole, Mapping) else None
    return record.get(name, part)


def _jsonl(path: Path, fields: Fields, sources: Sources, log: Log) -> Iterator[Record]:
    for number, line in json_lines(sources.lines(path)):
        log.place = path, number
        yield json_record(line, f"{path}:{number}")


def _table(path: Path, fields: Fields, sources: Sources, log: Log) -> Iterator[Record]:
    """The rows of CSV or TSV by the names in the first; quoted cells may hold all characters."""
    csv.field_size_limit(MAX_RECORD)
    found = _decoded(path, sources.lines(path))
    header = next(found, "")
    delimiter = max(DELIMITERS, key=header.count)
    rows = csv.DictReader(chain([header], found), delimiter=delimiter, strict=True)
    try:
        _check_columns(path, rows.fieldnames or [], fields)
        for row in rows:
            log.place = path, rows.line_num
            if None in row or None in row.values():
                more = "more" if None in row else "fewer"
                raise InputError(
                    f"{path}:{rows.line_num}: this row has {more} cells than the first row, "
                    f"{len(rows.fieldnames or [])}; is a quote missing?"
                )
            yield row
    except csv.Error as error:
        raise InputError(
            f"{path}:{rows.line_num}: is no CSV: {error}; a cell with a quote, a newline or a "
            f"{delimiter!a} stands in quotes, and a quote in it is doubled"
        ) from error


def _decoded(path: Path, found: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(found, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise InputError(f"{path}:{number}: is no text in UTF-8; convert the file first")
        yield f"{text}\n"


def _arrow(path: Path, fields: Fields, sources: Sources, log: Log) -> Iterator[Record]:
    with _opened(path, sources), pa.memory_map(str(path)) as file:
        try:
            table = pa.ipc.open_file(file)
            batches = map(table.get_batch, range(table.num_record_batches))
        except pa.ArrowInvalid:  # A saved Hugging Face dataset holds streams, which name no end.
            file.seek(0)
            batches = iter(pa.ipc.open_stream(file))
        yield from _rows(path, batches, fields, log)


def _parquet(path: Path, fields: Fields, sources: Sources, log: Log) -> Iterator[Record]:
    with _opened(path, sources), pq.ParquetFile(path) as file:
        yield from _rows(path, file.iter_batches(ROWS), fields, log)


def _rows(
    path: Path, batches: Iterable[pa.RecordBatch], fields: Fields, log: Log
) -> Iterator[Record]:
    number = 0
    for batch in batches:
        _check_columns(path, batch.schema.names, fields)
        batch.validate(full=True)  # pyarrow trusts offsets and texts of a file.
        for start in range(0, len(batch), ROWS):
            for row in batch.slice(start, ROWS).to_pylist():
                number += 1
                log.place = path, number
                yield row


@contextmanager
def _opened(path: Path, sources: Sources) -> Iterator[None]:
    """Notes the file as read; turns errors of Arrow into InputErrors."""
    try:
        yield
        sources.add(path, sha256(path))
        sources.progress(path.stat().st_size)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason, kind = first_line(error), path.suffix[1:]
        raise InputError(f"{path}: is damaged, or is no {kind} file ({reason})") from error


_READERS = {"jsonl": _jsonl, "table": _table, "arrow": _arrow, "parquet": _parquet}
