"""Two optimizers, as section 5.2 has them: one Adam for the encoder, one for the decoders."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from mclas_lightning.data.sampler import UNITS, Crowding, UpdateShape
from mclas_lightning.errors import check_range, one_of


@dataclass(frozen=True, kw_only=True)
class PartRecipe:
    """How the encoder or the decoders are trained."""

    lr: float  # lr * min(t^-1/2, t * warmup^-3/2): its peak is lr / sqrt(warmup), at t = warmup
    warmup: int
    dropout: float

    def __post_init__(self) -> None:
        check_range("optim: lr", self.lr, 0)
        check_range("optim: warmup", self.warmup, 1)
        check_range("optim: dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, kw_only=True)
class BatchRecipe:
    """The batch of whoever found a recipe's rates."""

    batch_unit: str
    max_tokens: int
    crowding: Crowding | None
    accumulate: int
    devices: int

    def shape(self) -> UpdateShape:
        """An update of theirs."""
        return UpdateShape(
            max_tokens=self.max_tokens,
            unit=self.batch_unit,
            crowding=self.crowding,
            accumulate=self.accumulate,
            ranks=self.devices,
        )


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """A recipe: section 5.2's is ``conf/optim/paper.yaml``."""

    encoder: PartRecipe
    decoder: PartRecipe
    beta1: float
    beta2: float
    eps: float
    label_smoothing: float
    gradient_clip: float | None
    recipe: BatchRecipe  # what the rates are made for
    batch_unit: str  # what a micro-batch's budget counts: a word of UNITS
    max_tokens: int  # padded positions of a micro-batch
    crowding: Crowding | None
    accumulate: int
    max_source: int | None  # word pieces of a document and of a summary; none: the dataset's
    max_summary: int | None
    updates: dict[str, int]  # of each scenario
    validations: int  # while training, evenly spread
    patience: int  # validations without improvement after which training stops

    def __post_init__(self) -> None:
        check_range("optim.beta1", self.beta1, 0, 0.99999)
        check_range("optim.beta2", self.beta2, 0, 0.99999)
        check_range("optim.eps", self.eps, 0)
        check_range("optim.label_smoothing", self.label_smoothing, 0, 0.99)
        if self.batch_unit not in UNITS:
            raise one_of("optim.batch_unit", self.batch_unit, UNITS)
        for name in ("max_tokens", "accumulate", "validations", "patience"):
            check_range(f"optim.{name}", getattr(self, name), 1)
        for scenario, updates in self.updates.items():
            check_range(f"optim.updates.{scenario}", updates, 1)

    def shape(self, devices: int) -> UpdateShape:
        """An update of this run."""
        return UpdateShape(
            max_tokens=self.max_tokens,
            unit=self.batch_unit,
            crowding=self.crowding,
            accumulate=self.accumulate,
            ranks=devices,
        )


class EncoderDecoderOptimizer(torch.optim.Optimizer):
    """Both optimizers behind one interface.

    Lightning allows a list of optimizers only with manual optimization, which gives up its
    gradient accumulation and clipping and counts every update twice. So ``step`` goes to both
    parts, whose groups and state are this optimizer's own: to whoever saves, shards or scales it,
    it is one optimizer with two groups.
    """

    def __init__(self, encoder: torch.optim.Optimizer, decoder: torch.optim.Optimizer) -> None:
        self.parts = {"encoder": encoder, "decoder": decoder}
        super().__init__([group for part in self.parts.values() for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        for part, group in zip(self.parts.values(), self.param_groups, strict=True):
            part.state, part.param_groups = self.state, [group]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore
        """Update both; the closure, if any, is run once."""
        loss = None if closure is None else closure()
        for part in self.parts.values():
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of ``state_dict``."""
        super().load_state_dict(state_dict)
        # Loading makes new groups and a new state.
        self._share()


def build_optimizer(
    encoder: Iterable[nn.Parameter],
    decoder: Iterable[nn.Parameter],
    rates: tuple[float, float],
    *,
    betas: tuple[float, float],
    eps: float,
) -> EncoderDecoderOptimizer:
    """Two Adams whose learning rates before scheduling are ``rates``."""
    parts = [
        torch.optim.Adam(list(parameters), lr=rate, betas=betas, eps=eps, fused=True)
        for parameters, rate in zip((encoder, decoder), rates, strict=True)
    ]
    return EncoderDecoderOptimizer(*parts)


def noam(warmup: int) -> Callable[[int], float]:
    """min(t^-1/2, t * warmup^-3/2), Vaswani et al. 2017 section 5.3; the first update is t = 1."""
    # Released code, and we: without their factor d_model^-1/2.
    return lambda step: min((step + 1) ** -0.5, (step + 1) * warmup**-1.5)


def build_schedule(optimizer: EncoderDecoderOptimizer, warmups: tuple[int, int]) -> LambdaLR:
    """One scheduler that drives both rates."""
    return LambdaLR(optimizer, [noam(warmup) for warmup in warmups])
