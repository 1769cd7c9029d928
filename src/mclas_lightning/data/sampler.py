"""Micro-batches under a token budget, of similar lengths, grouped into updates.

An update is ``accumulate`` micro-batches on each of ``ranks`` processes. Every update is whole and
every rank gets the same number of micro-batches, in every epoch: where the numbers do not come out
even, large micro-batches are cut in two, which changes no gradient: the loss is divided by the
target tokens of the update, however it is cut.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch.utils.data import DataLoader, Sampler

from mclas_lightning.errors import InputError

BUCKET = 8  # Lengths are compared in steps of this many tokens; within a step, order is chance.


class MicroBatch(NamedTuple):
    """Indices of examples, and the target tokens of the whole update they belong to."""

    indices: list[int]
    update_tokens: int


@dataclass(frozen=True, kw_only=True)
class UpdateShape:
    """How an update is cut into micro-batches."""

    max_tokens: int  # of a micro-batch: padded source and target positions
    accumulate: int = 1
    ranks: int = 1


class UpdateSampler(Sampler[MicroBatch]):
    """One epoch of this rank's micro-batches; a function of seed and epoch alone."""

    def __init__(
        self,
        source_lengths: Sequence[int],
        target_lengths: Sequence[int],
        shape: UpdateShape,
        *,
        rank: int = 0,
        seed: int = 0,
        shuffle: bool = True,
    ) -> None:
        self.source, self.target, self.shape = source_lengths, target_lengths, shape
        self.rank, self.seed, self.shuffle, self.epoch = rank, seed, shuffle, 0
        self._sizes = self._cut(self._in_order(random.Random(0)))

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this; it also makes a resumed epoch the same one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._sizes) // self.shape.ranks

    def __iter__(self) -> Iterator[MicroBatch]:
        rng = random.Random(f"{self.seed}:{self.epoch if self.shuffle else 0}")
        order, batches = iter(self._in_order(rng)), []
        for size in self._sizes:
            batches.append([next(order) for _ in range(size)])
        if self.shuffle:
            rng.shuffle(batches)
        per_update = self.shape.accumulate * self.shape.ranks
        for start in range(0, len(batches), per_update):
            update = batches[start : start + per_update]
            tokens = sum(self.target[i] for batch in update for i in batch)
            for batch in update[self.rank :: self.shape.ranks]:
                yield MicroBatch(batch, tokens)

    def _bucket(self, index: int) -> tuple[int, int]:
        return -(-self.source[index] // BUCKET), -(-self.target[index] // BUCKET)

    def _in_order(self, rng: random.Random) -> list[int]:
        """All indices by length, those of a bucket in an order of ``rng``'s."""
        indices = list(range(len(self.source)))
        rng.shuffle(indices)
        return sorted(indices, key=self._bucket)

    def _cut(self, order: Sequence[int]) -> list[int]:
        """Sizes of the micro-batches: they depend on buckets alone, so all epochs share them."""
        sizes: list[int] = []
        widest = (0, 0)
        for index in order:
            source, target = self._bucket(index)
            grown = (max(widest[0], source), max(widest[1], target))
            if sizes and (sizes[-1] + 1) * BUCKET * sum(grown) <= self.shape.max_tokens:
                sizes[-1], widest = sizes[-1] + 1, grown
            else:
                sizes.append(1)
                widest = (source, target)
        return self._even_out(sizes)

    def _even_out(self, sizes: list[int]) -> list[int]:
        per_update = self.shape.accumulate * self.shape.ranks
        if len(self.source) < per_update:
            raise InputError(
                f"{len(self.source)} examples are too few for one update of {per_update} "
                f"micro-batches; lower optim.accumulate (or the number of devices)"
            )
        missing = -len(sizes) % per_update
        if missing <= len(self.source) - len(sizes):
            for _ in range(missing):
                at = max(range(len(sizes)), key=sizes.__getitem__)
                sizes[at : at + 1] = [sizes[at] // 2, -(-sizes[at] // 2)]
        else:  # A budget of one example each: join pairs of the shortest.
            for at in range(len(sizes) % per_update):
                sizes[at : at + 2] = [sum(sizes[at : at + 2])]
        return sizes


class ResumableLoader(DataLoader):
    """A loader that remembers how much of the epoch was consumed; Lightning saves its state."""

    consumed = 0
    _skip = 0

    def __iter__(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        skip, self._skip, self.consumed = self._skip, 0, 0
        for batch in super().__iter__():
            self.consumed += 1
            if self.consumed > skip:
                yield batch

    def state_dict(self) -> dict[str, int]:
        """Micro-batches of this epoch handed out so far, and how many it has on each rank."""
        return {"consumed": self.consumed, "length": len(self)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next epoch begun skips what was consumed before; nothing, if that was a whole one."""
        if state["length"] != len(self):
            raise InputError(
                f"the run to resume had {state['length']} micro-batches an epoch on each process, "
                f"now there are {len(self)}; resume on the same number of devices"
            )
        self._skip = state["consumed"] % len(self)
