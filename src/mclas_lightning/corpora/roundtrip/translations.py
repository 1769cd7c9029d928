"""A file of scored translations, written batch by batch, so that an interrupted job goes on.

The input is read in windows of ``WINDOW`` pairs, of which one at a time is in memory. Inside a
window, pairs stand in the order in which they were translated: by length and, after an
interruption, by length again for the rest of the window.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, TypeVar

from mclas_lightning.example import Example, read_jsonl
from mclas_lightning.files import REST_KEPT, clear_when_full

Item = TypeVar("Item")

Score = Callable[[Sequence[Example]], list[dict[str, Any]]]

WINDOW = 2048  # pairs that are sorted by length and translated together


class ScoredPairs:
    """A file of scored pairs, window after window."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = self._cut_torn_line() if path.exists() else 0

    def add_missing(self, source: Path, score: Score, batch: int) -> Iterator[int]:
        """Translate and append the missing pairs; the number of pairs after each batch."""
        at = self.done // WINDOW * WINDOW
        finished = {row["row"] for row in islice(self.rows(), at, None)}
        with clear_when_full(self.path, REST_KEPT), self.path.open("a", encoding="utf-8") as file:
            for window in windows(islice(pairs(source), at, None), WINDOW):
                numbered = enumerate(window, start=at)
                left = [(row, example) for row, example in numbered if row not in finished]
                left.sort(key=lambda pair: len(pair[1].mono or ""))
                for several in windows(iter(left), batch):
                    self._append(file, several, score)
                    yield len(several)
                at += len(window)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The scored pairs in the order of the file."""
        if self.path.exists():
            with self.path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The scored pairs in the order of the input."""
        for window in windows(self.rows(), WINDOW):
            yield from sorted(window, key=lambda scored: scored["row"])

    def _append(self, file: TextIO, batch: Sequence[tuple[int, Example]], score: Score) -> None:
        scored = score([example for _, example in batch])
        for (row, example), scores in zip(batch, scored, strict=True):
            line = {"row": row, "id": example.id, "mono": example.mono, **scores}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())

    def _cut_torn_line(self) -> int:
        """Cut off a last line without its end, which a killed process leaves; the whole lines."""
        lines = size = 0
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    lines, size = lines + 1, size + len(line)
        if size < self.path.stat().st_size:
            os.truncate(self.path, size)
        return lines


def check_pairs(source: Path) -> int:
    """The number of pairs; InputError for a line that is no example with a mono summary."""
    return sum(1 for _ in read_jsonl(source, require=("mono",)))


def pairs(source: Path) -> Iterator[Example]:
    """The pairs to translate; ``check_pairs`` has checked that each id is there once."""
    return read_jsonl(source, require=("mono",), unique=False)


def windows(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items; the last list may be shorter."""
    while window := list(islice(items, size)):
        yield window
