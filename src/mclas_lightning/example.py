"""The examples of a corpus, as jsonl lines:

``{"id": str, "document": str, "mono": str | null, "cross": str | null}``: the document D^A, its
summary S^A in the document's language A and its summary S^B in language B (paper, section 3.1).
Either summary may be missing where no task needs it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import Any, Literal, get_args

from mclas_lightning.errors import InputError, clear_when_unreadable
from mclas_lightning.files import BOM, json_lines, whole_file

Side = Literal["mono", "cross"]

SIDES: tuple[Side, ...] = get_args(Side)

EXAMPLE_FIELDS = ("id", "document", *SIDES)

ONE_OBJECT = "write one JSON object a line"

# A text may begin with a brace or bracket, as in "{Reuters} ..." and "[Update] ...".
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*["{]|[{[]\s*$)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One document with its summaries."""

    id: str
    document: str
    mono: str | None = None
    cross: str | None = None

    def summary(self, side: Side) -> str | None:
        """The summary in language A (``mono``) or B (``cross``)."""
        return self.mono if side == "mono" else self.cross


def read_jsonl(
    path: Path, require: Iterable[Side] = (), *, unique: bool = True
) -> Iterator[Example]:
    """Stream the examples of ``path``; each must hold the summaries named in ``require``.

    InputError, with file and line, for a line that is not a JSON object, lacks a field, has a field
    of the wrong type, or has an empty document or required summary. ``unique`` refuses repeated
    ids, for which it keeps all ids in memory.
    """
    required, seen = tuple(require), set[str]()
    with clear_when_unreadable(path), path.open("rb") as file:
        for number, line in json_lines(file):
            example = parse_example(line, f"{path}:{number}", required)
            if unique and example.id in seen:
                raise repeated_id(f"{path}:{number}", example.id)
            if unique:
                seen.add(example.id)
            yield example


def write_jsonl(path: Path, examples: Iterable[Example]) -> int:
    """Write ``examples`` to ``path``, whole or not at all; the number written."""
    count = 0
    with whole_file(path) as file:
        for example in examples:
            file.write(example_line(example))
            count += 1
    return count


def example_line(example: Example) -> str:
    """The line of jsonl that ``parse_example`` reads."""
    # json.dumps sets up an encoder for every line: of 1.7 million, that is most of the time.
    mono = "null" if example.mono is None else _quoted(example.mono)
    cross = "null" if example.cross is None else _quoted(example.cross)
    text = f'"id": {_quoted(example.id)}, "document": {_quoted(example.document)}'
    return f'{{{text}, "mono": {mono}, "cross": {cross}}}\n'


def parse_example(line: bytes, where: str, required: Iterable[Side] = ()) -> Example:
    """The example in a jsonl line; InputError, which names ``where``, for any other line."""
    return example_of(json_record(line, where), where, required)


def json_record(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object in a line; InputError, which names ``where``, for any other line."""
    if not line.strip():
        raise InputError(f"{where}: this line is empty; expected a JSON object, delete the line")
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        advice = _json_advice(line, error)
        raise InputError(f"{where}: not a line of JSON in UTF-8; {advice}") from None
    if isinstance(record, list):
        raise InputError(f"{where}: a JSON array; {ONE_OBJECT}")
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(record).__name__}")
    return record


def begins_json(head: bytes) -> bool:
    """Whether a file that begins with the bytes ``head`` holds JSON objects or an array."""
    return _JSON.match(head.removeprefix(BOM)) is not None


def example_of(record: Mapping[str, Any], where: str, required: Iterable[Side] = ()) -> Example:
    """The example of a record's fields; InputError, which names ``where``, for another record."""
    values: dict[str, str | None] = {}
    for field in EXAMPLE_FIELDS:
        value = _text(record, field, where)
        if field in ("id", "document", *required) and not (value or "").strip():
            state = "is empty" if field in record else "is missing"
            raise InputError(f"{where}: field '{field}' {state}")
        values[field] = value
    return Example(**values)  # pyright: ignore[reportArgumentType]  # id and document were checked


def _text(record: Mapping[str, Any], field: str, where: str) -> str | None:
    """A field's text, if any; InputError for another type, or half a character."""
    value = record_id(record) if field == "id" else record.get(field)
    if value is not None and not isinstance(value, str):
        kinds = "a string or a whole number" if field == "id" else "a string"
        found = type(value).__name__
        raise InputError(f"{where}: field '{field}' must be {kinds}, found {found}")
    if value and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InputError(f"{where}: field '{field}' holds half a character (a lone surrogate)")
    return value


def _json_advice(line: bytes, error: Exception) -> str:
    """What to do about a ``line`` that json.loads refuses."""
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        return "the file is in UTF-16: save it as UTF-8"
    if isinstance(error, UnicodeDecodeError):
        return "save the file as UTF-8"
    return f"it begins a JSON array: {ONE_OBJECT}" if line.lstrip()[:1] == b"[" else ONE_OBJECT


def record_id(record: Mapping[str, Any]) -> Any:
    """The id in a record of any jsonl file; a whole number becomes its decimal text."""
    found = record.get("id")
    return str(found) if type(found) is int else found


def text_record(line: bytes, field: str, where: str, name: str | None = None) -> tuple[str, str]:
    """The id and the text ``field`` of a jsonl line; ``name`` stands for an id that is missing.

    InputError, which names ``where``, for any other line.
    """
    record = json_record(line, where)
    example_id, text = _text(record, "id", where) or name, _text(record, field, where)
    if example_id is None or text is None:
        rest = " with a string each" if name is None else ", in which id may be missing"
        raise InputError(f'{where}: expected {{"id": ..., "{field}": ...}}{rest}')
    return example_id, text


def repeated_id(where: str, example_id: str) -> InputError:
    """The error for an example with the id of another one."""
    return InputError(f"{where}: id '{example_id}' was used before; ids must be unique")
