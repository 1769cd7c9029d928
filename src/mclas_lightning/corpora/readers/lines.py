"""Corpora of one example a line: parallel line files, En2DeSum's jsonl, the canonical jsonl."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from mclas_lightning.corpora.readers.log import Log, Sources, one_line, sentence_lines
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Example, parse
from mclas_lightning.files import json_lines

# As the NCLS code reads them: train.source, train.target.ms, train.target.cls.
ENDINGS = {"document": ".source", "mono": ".target.ms", "cross": ".target.cls"}

_READ = {"document": one_line, "mono": sentence_lines, "cross": sentence_lines}

_JOINED = re.compile(r"@@(?:\s|$)")  # A word's last byte pair has none; a line that was cut may.


def parallel_files(paths: Sequence[Path], split: str) -> dict[str, Path]:
    """The file of each field among ``paths``; InputError without document or any summary."""
    found: dict[str, Path] = {}
    for name, ending in ENDINGS.items():
        for path in paths:
            if path.name.lower().endswith(ending):
                found[name] = path
    if "document" not in found or len(found) < 2:
        raise InputError(
            f"{paths[0]}: '{split}' needs a file that ends in .source, and one or both of "
            f".target.ms and .target.cls"
        )
    return found


def read_parallel(
    paths: dict[str, Path], split: str, sources: Sources, log: Log
) -> Iterator[Example]:
    """Line i of each file is example i; byte pairs are joined."""
    texts = {name: _texts(path, sources) for name, path in paths.items()}
    for number, row in enumerate(zip_longest(*texts.values()), start=1):
        if None in row:
            raise _not_parallel(paths, texts, number, row)
        read = (_READ[name](_JOINED.sub("", text)) for name, text in zip(texts, row, strict=True))
        found = dict(zip(texts, read, strict=True))
        if all(found.values()):
            yield Example(id=f"{split}-{number}", **found)
        else:
            log.place = paths["document"], number
            log.skip("a line is empty")


def read_en2desum(path: Path, split: str, sources: Sources, log: Log) -> Iterator[Example]:
    """``{"text", "summary"}``, the summary in German; there is none in English."""
    for number, line in json_lines(sources.lines(path)):
        where = f"{path}:{number}"
        try:
            record = json.loads(_text(line, where))
            document, cross = one_line(record["text"]), sentence_lines(record["summary"])
            f"{document}{cross}".encode()  # Half a character (a lone surrogate) cannot be.
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(
                f'{where}: expected {{"text": ..., "summary": ...}}; the file is damaged or cut '
                f"short, get it again"
            ) from None
        if document and cross:
            yield Example(id=f"{split}-{number}", document=document, cross=cross)
        else:
            log.place = path, number
            log.skip("text or summary is empty")


def read_canonical(path: Path, sources: Sources, log: Log) -> Iterator[Example]:
    """The jsonl of ``example``; what is wrong in one's own file is an InputError.

    A summary may be missing. One that is there and empty is a mistake in that record, which is
    skipped, as in every other format.
    """
    for number, line in json_lines(sources.lines(path)):
        log.place = path, number
        example = parse(line, f"{path}:{number}")
        if all(summary is None or summary.strip() for summary in map(example.summary, SIDES)):
            yield example
        else:
            log.skip("a summary is empty (null says that there is none)")


def _texts(path: Path, sources: Sources) -> Iterator[str]:
    for number, line in enumerate(sources.lines(path), start=1):
        yield _text(line, f"{path}:{number}")


def _text(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{where}: not in UTF-8; the file is damaged or mixes encodings") from None


def _not_parallel(
    paths: dict[str, Path],
    texts: dict[str, Iterator[str]],
    number: int,
    row: Sequence[str | None],
) -> InputError:
    """The error for files of which some have no line ``number``."""
    counts = [
        f"{paths[name]} has {number - 1 if text is None else number + sum(1 for _ in rest):,}"
        for (name, rest), text in zip(texts.items(), row, strict=True)
    ]
    return InputError(
        f"{', '.join(counts)} lines; parallel files need as many lines as each other, get them "
        f"again"
    )
