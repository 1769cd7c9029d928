"""Random numbers of dropout on a CPU."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor

BITS = 16  # of a random number; a probability is rounded to a multiple of 2^-16


@contextmanager
def short_random_numbers() -> Iterator[None]:
    """Within the context ``bernoulli_``, which dropout calls, draws 16 bits an entry on a CPU.

    torch's own numbers take longer (docs/performance.md). Attention of Hugging Face's encoders
    calls dropout inside torch, where no layer of ours can replace it.
    """
    library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*Overriding a previously registered kernel")
        library.impl("bernoulli_.float", _bernoulli, "CPU")
    try:
        yield
    finally:
        del library  # torch's own is back.


def _bernoulli(entries: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
    share = round(p * 2**BITS)
    if not 0 < share < 2**BITS:  # A threshold beyond those of 16 bits.
        return entries.copy_(torch.rand(entries.shape, generator=generator) < p)
    words = torch.empty(-(-entries.numel() * BITS // 64), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    numbers = words.view(torch.int16)[: entries.numel()].view(entries.shape)
    return entries.copy_(numbers < share - 2 ** (BITS - 1))
