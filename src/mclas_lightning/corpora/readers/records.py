"""Records of jsonl and parquet files: texts by field, without markup."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.corpora.readers.log import Log, Skip, Sources, one_line, sentence_lines
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.example import Example
from mclas_lightning.files import json_lines, sha256

BATCH_ROWS = 1000  # rows of a parquet file that are in memory at a time

BUFFER_BYTES = 2**16  # of a column of a parquet file, at a time

DAMAGED = "the file is damaged or cut short, get it again"

# Tags of HTML by their names, because a text may hold "<" for "less than".
_TAG = re.compile(
    r"</?(a|b|blockquote|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|small|span|strong|sub|sup|u"
    r"|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)

_BORDERS = frozenset({"blockquote", "br", "div", "h1", "h2", "h3", "hr", "li", "p"})


@dataclass(frozen=True)
class Record:
    """A record, with the log that counts the tags in its texts."""

    fields: dict[str, Any]
    log: Log

    def __getitem__(self, name: str) -> Any:
        """The value of a field; InputError where there is none."""
        if name not in self.fields:
            path, number = self.log.place
            raise InputError(
                f"{path}:{number}: has no field '{name}', but {', '.join(sorted(self.fields))}; "
                f"are these files of the format named?"
            )
        return self.fields[name]

    def document(self, name: str) -> str:
        """A field as one line; Skip for an empty one."""
        return self._filled(name, one_line(self.text(self[name])))

    def summary(self, name: str) -> str:
        """A field with a line for each sentence whose border is marked; Skip for an empty one."""
        return self._filled(name, sentence_lines(self.text(self[name])))

    def text(self, value: Any) -> str:
        """A string, or the strings of a list a line each, without markup."""
        parts = value if isinstance(value, list) else [value]
        text = "\n".join(part for part in parts if isinstance(part, str))
        if "<" in text:
            text = _TAG.sub(self._without, text)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Skip("a text holds half a character (a lone surrogate)") from None
        return html.unescape(text) if "&" in text else text

    def _without(self, tag: re.Match[str]) -> str:
        self.log.unknown_tag(f"<{tag[1].lower()}>", *self.log.place)
        return "\n" if tag[1].lower() in _BORDERS else ""

    @staticmethod
    def _filled(name: str, text: str) -> str:
        if not text:
            raise Skip(f"{name} is empty")
        return text


def read_records(
    path: Path, sources: Sources, log: Log, make: Callable[[Record], Example | None]
) -> Iterator[Example]:
    """What ``make`` makes of the records of a file; where it raises Skip, the record is logged."""
    read = _parquet if path.suffix == ".parquet" else _jsonl
    for number, fields in read(path, sources):
        log.place = sources.shown(path), number
        try:
            example = make(Record(fields, log))
        except Skip as skip:
            log.skip(str(skip))
            continue
        if example is not None:
            yield example


def _jsonl(path: Path, sources: Sources) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in json_lines(sources.lines(path)):
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise InputError(f"{sources.shown(path)}:{number}: expected a JSON object; {DAMAGED}")
        yield number, fields


def _parquet(path: Path, sources: Sources) -> Iterator[tuple[int, dict[str, Any]]]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number, size = 0, path.stat().st_size
    try:
        # Without a buffer of its own size, pyarrow reads a whole group of rows, of any size.
        with ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
            total = max(1, file.metadata.num_rows)
            for batch in file.iter_batches(BATCH_ROWS):
                batch.validate(full=True)  # pyarrow trusts offsets and texts of a file.
                for fields in batch.to_pylist():
                    number += 1
                    yield number, fields
                sources.progress(size * batch.num_rows // total)
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        reason, name = first_line(error), sources.shown(path)
        raise InputError(f"{name}: no readable parquet ({reason}); {DAMAGED}") from error
    sources.add(path, sha256(path))
