"""From a store's ids to tensors.

Shape letters: B documents, S source length, T target length, M positions that predict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mclas_lightning.data.sampler import Lengths, MicroBatch
from mclas_lightning.data.store import TokenStore
from mclas_lightning.example import SIDES, Side
from mclas_lightning.task import Special, Task


class Batch(NamedTuple):
    """A micro-batch; rows are filled up with [PAD]."""

    source_BS: Tensor
    targets_BT: dict[str, Tensor]  # of each decoder
    real_M: dict[str, Tensor]  # positions of a target, its rows one after the other, that predict
    update_tokens: int  # target tokens of the whole update this is a part of
    places: tuple[int, ...] = ()  # of its examples among those that are trained on


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ids of a source with its control tokens, and of each summary, that are used."""

    max_source: int
    max_summary: int


class EncodedExamples(Dataset):
    """A task's sources and targets of some of a store's examples; indexed by micro-batches.

    Each summary is cut by itself, so none displaces the other.
    """

    # Released code: cuts the concatenation, and a long S^A can push S^B out.

    def __init__(
        self, store: TokenStore, rows: np.ndarray, task: Task, special: Special, limits: Limits
    ) -> None:
        self.store, self.rows = store, rows
        self.task, self.special, self.limits = task, special, limits

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, batch: MicroBatch) -> Batch:
        sources, targets = self.ids(batch.indices)
        targets_BT = {decoder: pad(ids, self.special.pad) for decoder, ids in targets.items()}
        made = make_batch(
            pad(sources, self.special.pad), targets_BT, batch.update_tokens, self.special.pad
        )
        return made._replace(places=tuple(batch.indices))

    def names(self, indices: Sequence[int]) -> list[str]:
        """The ids of these examples in the corpus."""
        return self.store.ids(self.rows[list(indices)].tolist())

    def ids(self, indices: Sequence[int]) -> tuple[list[list[int]], dict[str, list[list[int]]]]:
        """The source and, for each decoder, the target of each of these examples."""
        texts = self.store.texts(self.rows[indices], {self.task.source, *self.task.sides})
        cut = self.limits.max_source - 2
        sources = [
            [self.special.cls, *ids[:cut], self.special.sep] for ids in texts[self.task.source]
        ]
        targets = {
            decoder: [
                self.task.target_ids(
                    decoder,
                    {side: texts[side][i][: self.limits.max_summary] for side in sides},
                    self.special,
                )
                for i in range(len(sources))
            ]
            for decoder, sides in self.task.targets.items()
        }
        return sources, targets

    @property
    def source_lengths(self) -> np.ndarray:
        """Ids of each source."""
        lengths = self.store.lengths(self.task.source)[self.rows]
        return np.minimum(lengths, self.limits.max_source - 2) + 2

    def target_lengths(self, *sides: Side) -> np.ndarray:
        """Tokens to predict for the summaries ``sides`` of each example."""
        controls = sum(map(self.task.num_control_tokens, sides))
        return self._summary_lengths(*sides) + np.int32(controls)

    def _summary_lengths(self, *sides: Side) -> np.ndarray:
        """Word pieces that are learned of the summaries ``sides`` of each example."""
        longest, lengths = self.limits.max_summary, self.store.lengths
        of_sides = (np.minimum(lengths(side)[self.rows], longest) for side in sides)
        return sum(of_sides, start=np.int32(0))  # pyright: ignore

    def cut(self) -> list[str]:
        """Which texts are longer than what is read or learned of them, and how much that is."""
        source, limits = self.task.source, self.limits
        asked = [(source, "max_source", limits.max_source, limits.max_source - 2, "read")]
        asked += [
            (side, "max_summary", limits.max_summary, limits.max_summary, "learned")
            for side in self.task.sides
        ]
        said = []
        for text, name, longest, room, done in asked:
            whole = self.store.whole_lengths(text)[self.rows]
            if num := int((whole > room).sum()):
                share = np.minimum(whole, room).sum() / whole.sum()
                what = "documents" if text == "document" else f"{text} summaries"
                said.append(
                    f"{num:,} of {len(whole):,} {what} are longer than dataset.{name}={longest} "
                    f"word pieces: {share:.0%} of their text is {done}"
                )
        return said

    def lengths(self, unit: str) -> Lengths:
        """What a sampler needs to know where a micro-batch's budget counts ``unit``."""
        predicted = counted = self.target_lengths(*self.task.sides)
        if unit == "released":  # With [BOS], and of NCLS+MS only the target that ends in S^B.
            counted = self.target_lengths(*[*self.task.targets.values()][-1]) + np.int32(1)
        elif unit in ("texts", "summaries"):
            # A monolingual corpus has no cross summaries. Systems differ in control tokens, and
            # see the same documents: one a summary, whatever the system writes.
            sides: list[Side] = [*filter(self.store.written, SIDES)]
            counted = self._summary_lengths(*sides) + np.int32(len(sides))
        return Lengths(self.source_lengths, counted, predicted)


def make_batch(
    source_BS: Tensor, targets_BT: dict[str, Tensor], update_tokens: int, pad_id: int
) -> Batch:
    """The batch of these tensors."""
    # Found here, not in the step: a GPU would wait for it there.
    real_M = {
        decoder: (target_BT[:, 1:] != pad_id).flatten().nonzero().flatten()
        for decoder, target_BT in targets_BT.items()
    }
    return Batch(source_BS, targets_BT, real_M, update_tokens)


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> Tensor:
    """``[len(rows), longest]``."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows])
