"""The files that an import reads, with their hashes, and the log of kept and skipped records."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError, clear_when_unreadable

CHUNK_BYTES = 2**20

# Reasons, or what they begin with, for which an import skips records because it was asked to.
APART, NO_MONO = "its document is nearly one of", "it has no mono summary"

MOST_TAGS = 100  # The log names as many different tags; a file of another kind may have millions.

MAX_RECORD = 16 * 2**20  # bytes of a line or record; no text of these corpora has more


class Skip(Exception):
    """Raised by a reader to skip a record; the message is the reason."""


@dataclass
class Log:
    """Counts of the records of a split."""

    kept: int = 0
    corrected: int = 0  # kept records whose reference people corrected
    alone: int = 0  # kept records without a mono summary
    skipped: dict[str, dict[str, Any]] = field(default_factory=dict)  # reason -> records, first
    unknown: dict[str, dict[str, Any]] = field(default_factory=dict)  # tag -> times, first
    place: tuple[Path, int] = (Path(), 0)  # file and line of the record that is being read

    def skip(self, reason: str) -> None:
        """Count the record at ``place`` as skipped."""
        if reason not in self.skipped:
            self.skipped[reason] = {"records": 0, "first": _place_text(*self.place)}
        self.skipped[reason]["records"] += 1

    def unknown_tag(self, tag: str, path: Path, line: int) -> None:
        """Count a tag that is unknown to the reader."""
        if tag not in self.unknown:
            if len(self.unknown) >= MOST_TAGS:
                tag = "more tags"
            self.unknown.setdefault(tag, {"times": 0, "first": _place_text(path, line)})
        self.unknown[tag]["times"] += 1

    @property
    def num_skipped(self) -> int:
        """The number of skipped records."""
        return sum(reason["records"] for reason in self.skipped.values())


class Sources:
    """The files of an import, hashed while they are read; ``progress`` gets the bytes read."""

    def __init__(self, progress: Callable[[int], object]) -> None:
        self.progress, self.files = progress, list[dict[str, Any]]()
        self.members: dict[Path, Path] = {}  # unpacked file -> archive/member
        self._noted = set[Path]()

    def shown(self, path: Path) -> Path:
        """The name of a file for a user: of an unpacked one, its place in its archive."""
        return self.members.get(path, path)

    def chunks(self, path: Path) -> Iterator[bytes]:
        """The bytes of ``path`` without a byte order mark; InputError if it cannot be read."""
        digest = hashlib.sha256()
        with clear_when_unreadable(path), path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                begins = file.tell() == len(chunk)
                yield chunk.removeprefix(b"\xef\xbb\xbf") if begins else chunk
                digest.update(chunk)
                self.progress(len(chunk))
        self.add(path, digest.hexdigest())

    def lines(self, path: Path) -> Iterator[bytes]:
        """The lines of ``path`` without their ends; the last may be without one."""
        number, rest = 1, b""
        for chunk in self.chunks(path):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            number += len(lines)
            if len(rest) > MAX_RECORD:
                raise InputError(f"{path}:{number}: a line of over {MAX_RECORD:,} bytes is no text")
        if rest:
            yield rest

    def add(self, path: Path, sha256: str) -> None:
        """Note a file that was read, once: its name, size and hash; of an archive no member."""
        if path in self.members or path in self._noted:
            return
        self._noted.add(path)
        name = printable(path.name)
        self.files.append({"file": name, "bytes": path.stat().st_size, "sha256": sha256})


def one_line(text: str) -> str:
    """``text`` with single spaces."""
    return " ".join(text.split())


def sentence_lines(text: str) -> str:
    """``text`` with single spaces and a line for each sentence, where borders are marked.

    Marks of a border are the end of a line, and the ``<q>`` that the released code writes.
    """
    lines = text.replace("<q>", "\n").splitlines()
    return "\n".join(filter(None, map(one_line, lines)))


def printable(name: object) -> str:
    """The name of a file for JSON or a terminal; bytes that are not UTF-8 become escapes."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _place_text(path: Path, line: int) -> str:
    return f"{printable(path)}:{line}"


def skipped_unasked(skipped: Mapping[str, Mapping[str, Any]]) -> int:
    """The records of an import's log that it was not asked to skip."""
    asked = (APART, NO_MONO)
    return sum(seen["records"] for why, seen in skipped.items() if not why.startswith(asked))
