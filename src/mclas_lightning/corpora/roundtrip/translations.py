"""Scored translations of a corpus's summaries, written down batch by batch.

They are in windows of ``WINDOW`` pairs: inside one they stand as they were done, sorted by length
and, after an interruption, in two goes. So a job goes on where it was, and no more than a window is
held in memory.
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

WINDOW = 2048  # pairs that are sorted by length together


class Scored:
    """A file of scored pairs, one window of the input after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = self._cut_torn_line() if path.exists() else 0

    def add_missing(self, source: Path, score: Score, batch: int) -> Iterator[int]:
        """Append what is missing, batch by batch; how many pairs each time."""
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
        """The scored pairs, as they were written."""
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
        """Drop what was being written when the last process ended; the lines that are whole."""
        lines = size = 0
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    lines, size = lines + 1, size + len(line)
        if size < self.path.stat().st_size:
            os.truncate(self.path, size)
        return lines


def check_pairs(source: Path) -> int:
    """The number of pairs; InputError for a line that cannot be translated or trained on."""
    return sum(1 for _ in read_jsonl(source, require=("mono",)))


def pairs(source: Path) -> Iterator[Example]:
    """What is to be translated, checked before; ids need not be held again."""
    return read_jsonl(source, require=("mono",), unique=False)


def windows(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """``size`` items at a time."""
    while window := list(islice(items, size)):
        yield window
