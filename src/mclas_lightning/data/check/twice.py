"""What is twice in a corpus: in a split, or in train and in the split that measures it."""

from collections.abc import Iterator

import numpy as np

from mclas_lightning.data.check.corpus import NAMES, Corpus
from mclas_lightning.data.check.measure import Measured

REPEATED = 0.01  # of a split's documents, that need no look
SHARED = 0.05  # of a split's summaries, likewise: two stories can have one headline

Said = Iterator[tuple[bool, str]]


def ids(corpus: Corpus) -> Said:
    """Ids that an earlier example of the split has; training refuses them."""
    for split, measured in corpus.splits.items():
        if len(rows := repeats(measured.ids)):
            first = corpus.example_id(split, rows[0])
            yield False, f"{split}: {len(rows):,} were used before, first {first}"


def documents(corpus: Corpus) -> Said:
    """Documents that an earlier example of the split has."""
    for split, measured in corpus.splits.items():
        if len(rows := repeats(measured.hashes("document"))):
            first, few = corpus.example_id(split, rows[0]), len(rows) <= REPEATED * len(measured)
            yield (
                few,
                f"{split}: {_of(rows, measured)} documents repeat an earlier one, first {first}",
            )


def shared(corpus: Corpus) -> Said:
    """Documents and summaries of valid and test that train has too."""
    for split in ("valid", "test"):
        if not {"train", split} <= corpus.splits.keys():
            yield False, f"{split} and train were not compared: a file is missing"
            continue
        train, measured = corpus.splits["train"], corpus.splits[split]
        for field, name in NAMES.items():
            seen, hashes = train.hashes(field), measured.hashes(field)
            if len(rows := np.flatnonzero(np.isin(hashes, seen) & (hashes != 0))):
                first = corpus.example_id(split, rows[0])
                there = corpus.example_id("train", np.flatnonzero(seen == hashes[rows[0]])[0])
                where = f"first {first}, there {there}"
                few = field != "document" and len(rows) <= SHARED * len(measured)
                yield few, f"{split}: {_of(rows, measured)} {name} are in train too, {where}"


def _of(rows: np.ndarray, measured: Measured) -> str:
    return f"{len(rows):,} of {len(measured):,}"


def repeats(hashes: np.ndarray) -> np.ndarray:
    """Rows whose text is in an earlier row; 0 is no text."""
    later = np.ones(len(hashes), dtype=bool)
    later[np.unique(hashes, return_index=True)[1]] = False
    return np.flatnonzero(later & (hashes != 0))
