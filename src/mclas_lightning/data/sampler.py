"""Micro-batches under a token budget, of similar lengths, grouped into updates.

An update is ``accumulate`` micro-batches on each of ``ranks`` processes. Every update is whole and
every rank gets the same number of micro-batches, in every epoch: where the numbers do not come out
even, large micro-batches are cut in two, which changes no gradient: the loss is divided by the
target tokens of the update, however it is cut.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import DataLoader, Sampler

from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.errors import InputError

BUCKET = 8  # Lengths are compared in steps of this many tokens; within a step, order is chance.


class MicroBatch(NamedTuple):
    """Indices of examples, and the target tokens of the whole update they belong to."""

    indices: list[int]
    update_tokens: int


class Lengths(NamedTuple):
    """Of each example: positions as the budget counts them, and target tokens to predict."""

    source: np.ndarray
    target: np.ndarray
    predicted: np.ndarray


class UpdateSampler(Sampler[MicroBatch]):
    """One epoch of this rank's micro-batches; a function of seed and epoch alone."""

    def __init__(
        self,
        lengths: Lengths,
        shape: UpdateShape,
        *,
        rank: int = 0,
        seed: int = 0,
        shuffle: bool = True,
    ) -> None:
        self.predicted, self.shape = lengths.predicted, shape
        self.rank, self.seed, self.shuffle, self.epoch = rank, seed, shuffle, 0
        self.first = 0  # the micro-batch of this rank that an epoch starts with
        # What a budget counts alone is told apart exactly.
        self._step = np.array([BUCKET, BUCKET if shape.counts_sources else 1])
        source, target = (
            -(-counted // step)
            for counted, step in zip((lengths.source, lengths.target), self._step, strict=True)
        )
        self._base = int(target.max()) + 1, int(source.max()) + 1
        self._bucket = self._number(source, target)
        if self._bucket.max() < 2**16:
            self._bucket = self._bucket.astype(np.uint16)  # Sorted by radix, and a quarter as big.
        self._sizes = self._even_out(self._cut())

    def _number(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """A bucket's number grows with the length that costs most first, then with the other."""
        if self.shape.counts_sources:
            return source * self._base[0] + target
        return target * self._base[1] + source

    def _lengths(self, number: int) -> np.ndarray:
        """Source and target length of a bucket: the inverse of ``_number``."""
        if self.shape.counts_sources:
            return np.array(divmod(number, self._base[0])) * self._step
        return np.array(divmod(number, self._base[1])[::-1]) * self._step

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this; it also makes a resumed epoch the same one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._sizes) // self.shape.ranks

    def __iter__(self) -> Iterator[MicroBatch]:
        rng = np.random.default_rng([self.seed, self.epoch if self.shuffle else 0])
        order = rng.permutation(np.arange(len(self._bucket), dtype=np.int32))
        order = order[np.argsort(self._bucket[order], kind="stable")]
        stops = np.cumsum(self._sizes)
        starts = stops - self._sizes
        batches = rng.permutation(len(stops)) if self.shuffle else np.arange(len(stops))
        updates = batches.reshape(-1, self.shape.accumulate * self.shape.ranks)
        done, inside = divmod(self.first, self.shape.accumulate)
        for update in updates[done:]:
            micro = [order[starts[i] : stops[i]] for i in update]
            tokens = sum(int(self.predicted[indices].sum()) for indices in micro)
            for indices in micro[self.rank :: self.shape.ranks][inside:]:
                yield MicroBatch(indices.tolist(), tokens)
            inside = 0

    def _cut(self) -> list[int]:
        """Sizes of the micro-batches: they depend on buckets alone, so all epochs share them."""
        sizes: list[int] = []
        size, widest = 0, np.zeros(2, int)
        counts = np.bincount(self._bucket)
        for number in np.flatnonzero(counts).tolist():
            lengths, count = self._lengths(number), int(counts[number])
            while count:
                grown = np.maximum(widest, lengths)
                fits = self.shape.fits(*grown.tolist()) - size
                if size and fits < 1:
                    sizes.append(size)
                    size, widest = 0, np.zeros(2, int)
                    continue
                taken = min(count, max(fits, 1))
                size, count, widest = size + taken, count - taken, grown
        return [*sizes, size]

    def _even_out(self, sizes: list[int]) -> np.ndarray:
        per_update = self.shape.accumulate * self.shape.ranks
        total = len(self._bucket)
        if total < per_update:
            raise InputError(
                f"{total} examples are too few for one update of {per_update} "
                f"micro-batches; lower optim.accumulate (or the number of devices)"
            )
        missing = -len(sizes) % per_update
        if missing <= total - len(sizes):
            for _ in range(missing):
                at = max(range(len(sizes)), key=sizes.__getitem__)
                sizes[at : at + 1] = [sizes[at] // 2, -(-sizes[at] // 2)]
        else:  # A budget of one example each: join pairs of the shortest.
            for at in range(len(sizes) % per_update):
                sizes[at : at + 2] = [sum(sizes[at : at + 2])]
        return np.array(sizes)


class ResumableLoader(DataLoader):
    """A loader that remembers how much of the epoch was consumed; Lightning saves its state.

    A resumed epoch starts in the ``UpdateSampler``: no batch is built that was consumed before.
    """

    consumed = 0
    _skip = 0

    def __iter__(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert isinstance(self.sampler, UpdateSampler)
        self.consumed = self.sampler.first = self._skip
        self._skip = 0
        for batch in super().__iter__():
            self.consumed += 1
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
        self.consumed = state["consumed"]  # until the epoch goes on
        self._skip = self.consumed % len(self)
