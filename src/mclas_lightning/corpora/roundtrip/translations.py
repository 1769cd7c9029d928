"""A file of scored translations, written batch by batch, so that an interrupted job goes on.

The input is read in windows of ``WINDOW`` pairs, of which one at a time is in memory. Inside a
window, pairs stand in the order in which they were translated: by length and, after an
interruption, by length again for the rest of the window.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any, TextIO, TypeVar

from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, json_record, read_jsonl
from mclas_lightning.files import REST_KEPT, clear_when_full

Item = TypeVar("Item")

Score = Callable[[Sequence[Example]], list[dict[str, Any]]]

# The scores of a pair that decide whether it is kept, from 0 to 1.
SCORE_NAMES = ("rouge1_f", "rouge2_f")

WINDOW = 2048  # pairs that are sorted by length and translated together


class ScoredPairs:
    """A file of scored pairs, window after window; InputError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = self._cut_torn_line() if path.exists() else 0
        for _ in self.in_order():
            pass

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
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    record = json_record(line, f"{self.path}:{number}")
                    if not _is_scored(record):
                        raise self.damaged(f"line {number} is no scored translation")
                    yield record

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The scored pairs in the order of the input."""
        for at, window in zip(count(0, WINDOW), windows(self.rows(), WINDOW), strict=False):
            window.sort(key=lambda scored: scored["row"])
            rows = [scored["row"] for scored in window]
            if len(set(rows)) < len(rows) or rows[0] < at or rows[-1] >= at + WINDOW:
                raise self.damaged(f"not the pairs from {at} on are in lines {at + 1} and below")
            yield from window

    def damaged(self, found: str) -> InputError:
        """The error of a file that holds something else than was written."""
        return InputError(f"{self.path}: is damaged: {found}; delete it, and start again")

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


def _is_scored(record: dict[str, Any]) -> bool:
    scores = [record.get(name) for name in SCORE_NAMES]
    return (
        type(record.get("row")) is int
        and all(isinstance(record.get(name), str) for name in ("id", "cross", "back"))
        and all(isinstance(score, int | float) and math.isfinite(score) for score in scores)
    )


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
