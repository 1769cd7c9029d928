"""Near-duplicates across the splits of a corpus, and in those of other corpora, counted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mclas_lightning.config.dataset import Split
from mclas_lightning.corpora.near import HELD_OUT, Near, held_out_of
from mclas_lightning.example import Example

EXAMPLES = 3  # pairs that a finding names


@dataclass
class NearCount:
    """Documents of a split that are near those of a held-out set."""

    documents: set[str] = field(default_factory=set)  # ids
    held_out: set[str] = field(default_factory=set)  # ids
    first: list[Near] = field(default_factory=list)


class Neighbors:
    """Compares each split with the held-out splits that were read before it.

    The splits are therefore read in the order test, valid, train.
    """

    def __init__(self, others: Iterable[Path]) -> None:
        self.counts: dict[tuple[Split, str], NearCount] = {}
        self._held_out = held_out_of(others)

    def see(self, split: Split, example: Example) -> None:
        """Compare an example's document, and hold it out where it is one of valid or test."""
        for near in self._held_out.all_near(example.id, example.document, own=split):
            # The check for equal texts has its own finding.
            if not (near.equal and split == "train" and near.set in HELD_OUT):
                self._count(self.counts.setdefault((split, near.set), NearCount()), near)
        if split in HELD_OUT:
            self._held_out.add(split, example.id, example.document)

    @staticmethod
    def _count(count: NearCount, near: Near) -> None:
        count.documents.add(near.id)
        count.held_out.add(near.there)
        if len(count.first) < EXAMPLES:
            count.first.append(near)
