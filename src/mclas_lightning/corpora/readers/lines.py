"""Corpora with an example in each line: parallel line files, En2DeSum's and canonical jsonl."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from mclas_lightning.corpora.readers.log import Log, Sources, one_line, sentence_lines
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Example, parse_example
from mclas_lightning.files import json_lines

# The endings of the NCLS code: train.source, train.target.ms, train.target.cls.
ENDINGS = {"document": ".source", "mono": ".target.ms", "cross": ".target.cls"}

_CLEAN = {"document": one_line, "mono": sentence_lines, "cross": sentence_lines}

# The mark after a byte pair inside a word; a line that was cut short may end with it.
_PAIR_END = re.compile(r"@@(?:\s|$)")


def parallel_files(paths: Sequence[Path], split: str) -> dict[str, Path]:
    """The file of each field among ``paths``; InputError without documents or without summaries."""
    found: dict[str, Path] = {}
    for name, ending in ENDINGS.items():
        for path in paths:
            if path.name.lower().endswith(ending):
                if name in found:
                    raise InputError(
                        f"{path}: ends in {ending}, as {found[name]} does; name one of them"
                    )
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
    """The examples of parallel files, of which example i has line i of each; byte pairs are joined.

    An example with an empty line is skipped. InputError for files of different numbers of lines.
    """
    texts = {name: _texts(path, sources) for name, path in paths.items()}
    for number, row in enumerate(zip_longest(*texts.values()), start=1):
        log.place = paths["document"], number
        if None in row:
            raise _not_parallel(paths, texts, number, row)
        read = (
            _CLEAN[name](_PAIR_END.sub("", text)) for name, text in zip(texts, row, strict=True)
        )
        found = dict(zip(texts, read, strict=True))
        if all(found.values()):
            yield Example(id=f"{split}-{number}", **found)
        else:
            log.skip("a line is empty")


def read_en2desum(path: Path, split: str, sources: Sources, log: Log) -> Iterator[Example]:
    """The examples of a file of ``{"text", "summary"}``: English text, German summary, no mono.

    An example with an empty text or summary is skipped. InputError for any other line.
    """
    for number, line in json_lines(sources.lines(path)):
        log.place, where = (path, number), f"{path}:{number}"
        try:
            record = json.loads(_decoded(line, where))
            document, cross = one_line(record["text"]), sentence_lines(record["summary"])
            f"{document}{cross}".encode()  # raises for half a character (a lone surrogate)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(
                f'{where}: expected {{"text": ..., "summary": ...}}; the file is damaged or cut '
                f"short, get it again"
            ) from None
        if document and cross:
            yield Example(id=f"{split}-{number}", document=document, cross=cross)
        else:
            log.skip("text or summary is empty")


def read_canonical(path: Path, sources: Sources, log: Log) -> Iterator[Example]:
    """The examples of canonical jsonl (``example``); InputError for a line that is none.

    A summary may be missing. A record with an empty summary is skipped, as in all formats.
    """
    for number, line in json_lines(sources.lines(path)):
        log.place = path, number
        example = parse_example(line, f"{path}:{number}")
        if all(summary is None or summary.strip() for summary in map(example.summary, SIDES)):
            yield example
        else:
            log.skip("a summary is empty (null says that there is none)")


def _texts(path: Path, sources: Sources) -> Iterator[str]:
    for number, line in enumerate(sources.lines(path), start=1):
        yield _decoded(line, f"{path}:{number}")


def _decoded(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{where}: not in UTF-8; the file is damaged or mixes encodings") from None


def _not_parallel(
    paths: dict[str, Path], texts: dict[str, Iterator[str]], number: int, row: Sequence[str | None]
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
