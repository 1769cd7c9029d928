"""``mclas summarize``: texts of one's own, summarized by a trained run."""

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mclas_lightning.cli.arguments import positive
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Side, begins_json, text_record
from mclas_lightning.files import BOM, json_lines
from mclas_lightning.progress import progress_bar

if TYPE_CHECKING:
    from mclas_lightning.inference.api import Summarizer, Summary

FORMATS = ("text", "jsonl", "json")


class Document(NamedTuple):
    """A text to summarize, and its name in outputs and errors."""

    name: str
    text: str


def add_summarize(commands: argparse._SubParsersAction) -> None:
    """Add ``summarize``."""
    command = commands.add_parser(
        "summarize", help="summarize texts of your own with a trained run",
        epilog='A file ending in .jsonl, and input that begins as JSON, holds lines {"id": ..., '
        '"document": ...}; any other file, or standard input, is one document.',
    )  # fmt: skip
    command.add_argument("system", metavar="RUN", help="a run, an exported folder, or user/name")
    command.add_argument(
        "words", nargs="*", metavar="FILE|WORD",
        help="files, or - for standard input (default); words such as decoding.beam=10",
    )  # fmt: skip
    command.add_argument("--side", choices=SIDES, help="only this summary (default: all)")
    command.add_argument("--format", choices=FORMATS, default="text", help="(default: text)")
    command.add_argument(
        "--n-best", type=positive, default=1, metavar="N", help="the N best, with their scores"
    )
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.set_defaults(run=_summarize)


def _summarize(arguments: argparse.Namespace) -> None:
    from mclas_lightning.inference.api import Summarizer

    named = [word for word in arguments.words if word.startswith(("decoding.", "decoding="))]
    words = [word for word in named if "=" in word and not Path(word).exists()]
    files = [word for word in arguments.words if word not in words]
    for name in files:
        # A misspelled word is refused before any summary, which would have another decoding.
        if "=" in name and not Path(name).exists():
            raise InputError(
                f"{name}: neither a file nor a word for decoding, such as decoding.beam=10"
            )
    summarizer = Summarizer.load(arguments.system, device=arguments.device)
    written = summarizer.sides
    if arguments.side and arguments.side not in written:
        raise InputError(
            f"--side {arguments.side}: {arguments.system} writes {', '.join(written)} alone"
        )
    sides = (arguments.side,) if arguments.side else written
    changes, names = _changes(summarizer, words), deque[str]()
    records: list[dict[str, Any]] = []
    try:
        # Where summaries and bar would go to the same terminal, the summaries show the progress.
        with progress_bar(None, "summarizing", "documents", disable=sys.stdout.isatty()) as bar:
            texts = _named(read_documents(files or ["-"]), names)
            for summary in summarizer.stream(texts, n_best=arguments.n_best, decoding=changes):
                name = names.popleft()
                if arguments.format == "text":
                    print(_text(summary, sides, summarizer, arguments.n_best), flush=True)
                elif arguments.format == "jsonl":
                    print(_json(_record(name, summary, sides)), flush=True)
                else:
                    records.append(_record(name, summary, sides))
                for note in summary.notes:
                    print(f"note: {name} {note}", file=sys.stderr)
                bar.update()
    finally:  # An error leaves the summaries before it, and no documents an empty list.
        if arguments.format == "json" and (records or sys.exception() is None):
            print(_json(records, indent=2))


def _changes(summarizer: "Summarizer", words: Sequence[str]) -> dict[str, Any]:
    """The keys of the decoding as ``words`` of the command line change them."""
    if not words:
        return {}
    from mclas_lightning.config.compose import clear_errors, compose_over

    with clear_errors("evaluate"):
        return dict(compose_over({"decoding": asdict(summarizer.decoding)}, words).decoding)


def _named(documents: Iterable[Document], names: deque[str]) -> Iterator[str]:
    """The texts of ``documents``, whose names are added to ``names``."""
    for document in documents:
        names.append(document.name)
        yield document.text


def read_documents(files: Iterable[str]) -> Iterator[Document]:
    """The documents in ``files``, of which - is standard input.

    InputError for a file that cannot be read, a text that is empty or no text, or another record.
    """
    for name in files:
        if name == "-":
            yield from _read(sys.stdin.buffer, "standard input", jsonl=False)
            continue
        try:
            with open(name, "rb") as file:
                yield from _read(file, name, jsonl=name.endswith(".jsonl"))
        except OSError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror})") from error


def _read(file: BinaryIO, where: str, *, jsonl: bool) -> Iterator[Document]:
    head = [file.readline()]
    while head[-1].removeprefix(BOM).isspace():
        head.append(file.readline())
    lines = chain(head, file)
    if jsonl or begins_json(b"".join(head)):
        for number, line in json_lines(lines):
            yield _document(line, number, f"{where}:{number}")
        return
    try:
        text = b"".join(lines).decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{where}: is no text in UTF-8; convert it first")
    yield _not_empty(Document(where, text), where)


def _document(line: bytes, number: int, where: str) -> Document:
    name, text = text_record(line, "document", where, str(number))
    return _not_empty(Document(name, text), where)


def _not_empty(document: Document, where: str) -> Document:
    if not document.text.strip():
        raise InputError(f"{where}: this document is empty; there is nothing to summarize")
    return document


def _text(summary: "Summary", sides: Sequence[Side], summarizer: "Summarizer", n_best: int) -> str:
    """A line of a summary; with several sides or candidates, several lines and an empty one."""
    if len(sides) == 1 and n_best == 1:
        return _one_line(summary.candidates[0].summaries[sides[0]])
    lines = [
        "\t".join(
            [f"{candidate.score:.3f}"] * (n_best > 1)
            + [summarizer.dataset.language(side)] * (len(sides) > 1)
            + [_one_line(candidate.summaries[side])]
        )
        for candidate in summary.candidates
        for side in sides
    ]
    return "\n".join([*lines, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _record(name: str, summary: "Summary", sides: Sequence[Side]) -> dict[str, Any]:
    candidates = [
        {**{side: candidate.summaries[side] for side in sides}, "score": candidate.score}
        for candidate in summary.candidates
    ]
    others = {"candidates": candidates} if len(candidates) > 1 else {}
    return {"id": name, **candidates[0], **others, "notes": summary.notes}


def _json(value: Any, indent: int | None = None) -> str:
    """JSON with escapes where the encoding of stdout may lack a character."""
    ascii_only = sys.stdout.encoding.lower() != "utf-8"
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent)
