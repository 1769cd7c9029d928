"""What an import reads: its files with their hashes, and what became of every record."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError

CHUNK = 2**20

MOST_TAGS = 100  # different ones that are named: a file of something else may have millions

LONGEST = 16 * 2**20  # bytes of a line or record: more is no text of these corpora


class Skip(Exception):
    """A record that is not kept, and why."""


@dataclass
class Log:
    """Counts of one split; places are ``file:line``, ``place`` is that of the record in hand."""

    kept: int = 0
    corrected: int = 0  # of them, those whose reference people corrected
    skipped: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: dict[str, dict[str, Any]] = field(default_factory=dict)
    place: tuple[Path, int] = (Path(), 0)

    def skip(self, reason: str) -> None:
        """Count the record in hand as one that is not kept."""
        first = {"records": 0, "first": _shown(*self.place)} if reason not in self.skipped else {}
        self.skipped.setdefault(reason, first)["records"] += 1

    def unknown_tag(self, tag: str, path: Path, line: int) -> None:
        """Count a tag that the reader does not know."""
        if tag not in self.unknown:
            if len(self.unknown) >= MOST_TAGS:
                tag = "more tags"
            self.unknown.setdefault(tag, {"times": 0, "first": _shown(path, line)})
        self.unknown[tag]["times"] += 1

    @property
    def num_skipped(self) -> int:
        """Records that are not kept."""
        return sum(reason["records"] for reason in self.skipped.values())


class Sources:
    """The files of an import; each is hashed as it is read, ``progress`` hears of its bytes."""

    def __init__(self, progress: Callable[[int], object]) -> None:
        self.progress, self.files = progress, list[dict[str, Any]]()

    def chunks(self, path: Path) -> Iterator[bytes]:
        """The bytes of ``path``, less a byte order mark."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    begins = file.tell() == len(chunk)
                    yield chunk.removeprefix(b"\xef\xbb\xbf") if begins else chunk
                    digest.update(chunk)
                    self.progress(len(chunk))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        self.add(path, digest.hexdigest())

    def lines(self, path: Path) -> Iterator[bytes]:
        """The lines of ``path`` without their ends; the last may be without one."""
        number, rest = 1, b""
        for chunk in self.chunks(path):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            number += len(lines)
            if len(rest) > LONGEST:
                raise InputError(f"{path}:{number}: a line of over {LONGEST:,} bytes is no text")
        if rest:
            yield rest

    def add(self, path: Path, sha256: str) -> None:
        """Note a file that was read."""
        name = printable(path.name)
        self.files.append({"file": name, "bytes": path.stat().st_size, "sha256": sha256})


def one_line(text: str) -> str:
    """``text`` with single spaces."""
    return " ".join(text.split())


def sentence_lines(text: str) -> str:
    """``text`` with single spaces and a line for each sentence, where borders are given.

    A border is the end of a line or ``<q>``, which the released code writes between sentences.
    """
    lines = text.replace("<q>", "\n").splitlines()
    return "\n".join(filter(None, map(one_line, lines)))


def printable(name: object) -> str:
    """The name of a file, which need not be text in UTF-8, as JSON and a terminal can take it."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _shown(path: Path, line: int) -> str:
    return f"{printable(path)}:{line}"
