"""How much a training sees: the examples and target tokens of an update, on average."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.data.batch import EncodedExamples
from mclas_lightning.data.sampler import UpdateSampler
from mclas_lightning.example import Side


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Means over the updates of an epoch, of all devices together."""

    shape: UpdateShape
    documents: float
    tokens: Mapping[Side, float]  # target tokens, [LSEP] and [EOS] included
    updates: float  # updates that an epoch takes

    @classmethod
    def of(cls, train: EncodedExamples, shape: UpdateShape) -> "Exposure":
        """The exposure to ``train`` in updates of ``shape``; InputError where none is full."""
        sampler = UpdateSampler(train.lengths(shape.unit), shape)
        updates = len(sampler) / shape.accumulate
        sides = train.task.sides
        tokens: dict[Side, float] = {
            side: int(train.target_lengths(side).sum()) / updates for side in sides
        }
        return cls(shape=shape, documents=len(train) / updates, tokens=tokens, updates=updates)

    @property
    def predicted(self) -> float:
        """Target tokens of an update."""
        return sum(self.tokens.values())

    def seen(self, updates: int) -> dict[str, Any]:
        """What a training of ``updates`` has seen, as training.json and results.json hold it."""
        return {
            "documents_per_update": round(self.documents, 2),
            **{f"{side}_tokens_per_update": round(num, 2) for side, num in self.tokens.items()},
            "epochs": round(updates / self.updates, 2),
        }
