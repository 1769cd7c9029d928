"""From examples to tensors.

Shape letters: B documents, S source length, T target length.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mclas_lightning.data.example import Example
from mclas_lightning.data.sampler import MicroBatch
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.task import Task


class Batch(NamedTuple):
    """A micro-batch; rows are filled up with [PAD]."""

    source_BS: Tensor
    targets_BT: dict[str, Tensor]  # of each decoder
    update_tokens: int  # target tokens of the whole update this is a part of


class EncodedExamples(Dataset):
    """Token ids of a task's sources and targets; indexed by micro-batches."""

    def __init__(
        self, sources: list[list[int]], targets: Mapping[str, list[list[int]]], pad_id: int
    ) -> None:
        self.sources, self.targets, self.pad_id = sources, targets, pad_id

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, batch: MicroBatch) -> Batch:
        indices = batch.indices
        return Batch(
            pad([self.sources[i] for i in indices], self.pad_id),
            {
                name: pad([ids[i] for i in indices], self.pad_id)
                for name, ids in self.targets.items()
            },
            batch.update_tokens,
        )

    @property
    def source_lengths(self) -> list[int]:
        """Ids of each source."""
        return [len(ids) for ids in self.sources]

    @property
    def target_lengths(self) -> list[int]:
        """Tokens to predict for each example, by all decoders: [BOS] is given."""
        return [
            sum(len(ids) - 1 for ids in row) for row in zip(*self.targets.values(), strict=True)
        ]


def encode(
    examples: Sequence[Example],
    task: Task,
    tokenizer: Tokenizer,
    *,
    max_source: int,
    max_summary: int,
) -> EncodedExamples:
    """Token ids of ``examples``; each summary is cut by itself, so none displaces the other."""
    # Released code: cuts the concatenation, and a long S^A can push S^B out.
    sources = tokenizer.encode_sources([task.source_text(e) for e in examples], max_source)
    summaries = {
        side: tokenizer.encode([e.summary(side) or "" for e in examples], max_summary)
        for side in task.sides
    }
    targets = {
        decoder: [
            task.target_ids(
                decoder, {side: summaries[side][i] for side in sides}, tokenizer.special
            )
            for i in range(len(examples))
        ]
        for decoder, sides in task.targets.items()
    }
    return EncodedExamples(sources, targets, tokenizer.special.pad)


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> Tensor:
    """``[len(rows), longest]``."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows])
