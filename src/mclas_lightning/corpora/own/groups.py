"""Groups of examples with common text, and splits that tear no group apart.

Two examples are in one group where they share a document, a summary, or a long passage of their
documents. A passage of many examples is boilerplate ("Subscribe to our newsletter ...") and joins
none: it would make one group of the corpus. ``joined`` joins the groups of nearly equal documents.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import regex

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Example
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import num_tokens

LONG_PASSAGE = 12  # words, or characters of scripts without spaces; a shorter one is a phrase

BOILERPLATE = 20  # examples; what more of them share joins none of them

HELD_OUT = 0.1  # the largest share of the examples for valid, and again for test

MOST_HELD_OUT = 2000  # examples of valid, and again of test

LARGE = 4  # Groups of more than a fourth of valid or test are for training.

LEAST = 10  # examples that can be split

# The ends of sentences of every script; no white space has to follow those beyond ASCII.
_PASSAGE_END = regex.compile(
    r"(?<=[.!?])\s+|(?<=[\p{Sentence_Terminal}--[.!?]])|\n+", regex.VERSION1
)


class Texts:
    """Hashes of the texts of examples, in the order in which they are added."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.documents = array("q")
        self._rows, self._keys = array("q"), array("q")

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, example: Example) -> None:
        """Note the texts of an example."""
        row = len(self)
        self.ids.append(example.id)
        self.documents.append(hash(_plain(example.document)))
        for text in _common(example):
            self._rows.append(row)
            self._keys.append(hash(text))

    def groups(self) -> np.ndarray:
        """The first example of each example's group, as a number."""
        first = [*range(len(self))]
        keys, rows = np.asarray(self._keys), np.asarray(self._rows)
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
        bounds = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1], True])
        for run in np.flatnonzero(np.diff(bounds) > 1):
            having = np.unique(rows[bounds[run] : bounds[run + 1]])
            if len(having) <= BOILERPLATE:
                join(first, having.tolist())
        by_document: dict[int, int] = {}
        for row, document in enumerate(self.documents):
            join(first, (by_document.setdefault(document, row), row))
        return np.array([root(first, row) for row in range(len(self))], dtype=np.int64)


def _plain(text: str) -> str:
    return " ".join(normalize(text).casefold().split())


def _common(example: Example) -> Iterator[tuple[str, str]]:
    """The texts of an example that another one may have, each with its kind."""
    for side in SIDES:
        if summary := example.summary(side):
            yield side, _plain(summary)
    for passage in _PASSAGE_END.split(example.document):
        if num_tokens(passage) >= LONG_PASSAGE:
            yield "passage", _plain(passage)


def root(first: list[int], row: int) -> int:
    """The first row of the group of ``row``; halves its path in the disjoint sets ``first``."""
    while first[row] != row:
        first[row] = row = first[first[row]]
    return row


def join(first: list[int], rows: Iterable[int]) -> None:
    """Make one group of the groups of ``rows``."""
    roots = {root(first, row) for row in rows}
    for each in roots:
        first[each] = min(roots)


def joined(groups: np.ndarray, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """``groups`` in which those of both rows of each pair are one."""
    first = groups.tolist()
    for pair in pairs:
        join(first, pair)
    return np.array([root(first, row) for row in range(len(first))], dtype=np.int64)


def dealt(groups: np.ndarray, ids: Sequence[str], missing: Sequence[str], seed: int) -> list[str]:
    """A split for each example: train, or one of the ``missing`` ones; a group has one split.

    Groups are taken in the order of a seeded hash, so that the same examples give the same splits.
    Large groups are for training. InputError where too few groups are small.
    """
    quota = min(MOST_HELD_OUT, int(HELD_OUT * len(groups)))
    names, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)

    def place(group: int) -> bytes:
        return hashlib.sha256(f"{seed} {ids[firsts[group]]}".encode()).digest()

    small = iter(sorted(np.flatnonzero(sizes <= max(2, quota // LARGE)).tolist(), key=place))
    split_of = dict.fromkeys(names.tolist(), "train")
    for split in missing:
        filled = 0
        while filled < quota and (group := next(small, None)) is not None:
            split_of[names[group]] = split
            filled += sizes[group]
    found = [split_of[group] for group in groups.tolist()]
    if len(groups) < LEAST or not {"train", *missing} <= set(found):
        raise InputError(
            f"{len(groups):,} examples in {len(names):,} groups with common texts are too few for "
            f"{', '.join(('train', *missing))}; give more examples, or a file for each split"
        )
    return found


def leaking(groups: np.ndarray, splits: Mapping[str, slice]) -> np.ndarray:
    """Whether an example's group has an example of a split that is judged on: test, then valid."""
    leaks, seen = np.zeros(len(groups), dtype=bool), np.zeros(0, dtype=np.int64)
    for split in reversed(SPLITS):
        if split in splits:
            rows = splits[split]
            leaks[rows] = np.isin(groups[rows], seen)
            seen = np.union1d(seen, groups[rows])
    return leaks
