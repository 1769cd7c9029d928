"""Two optimizers, as section 5.2 has them: one Adam for the encoder, one for the decoders."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


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
