"""The decoder: a pre-norm Transformer with cross-attention (section 4.1, as released).

Shape letters: B documents, N rows (documents x beams), T target length, S source length, D width.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mclas_lightning.model.attention import Attention, Cache, KeysValues
from mclas_lightning.model.linear import Linear

NORM_EPS = 1e-6  # Released code; the encoder has BERT's 1e-12.

MAX_POSITIONS = 5000

Earlier = Callable[[KeysValues], KeysValues]


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Sizes; the width is the encoder's."""

    layers: int
    heads: int
    feed_forward: int
    dropout: float


class DecoderLayer(nn.Module):
    """x + self-attention, + cross-attention, + feed-forward, each of a normalized x."""

    def __init__(self, width: int, config: DecoderConfig) -> None:
        super().__init__()
        self.self_norm, self.cross_norm, self.feed_norm = (
            nn.LayerNorm(width, eps=NORM_EPS) for _ in range(3)
        )
        self.self_attention = Attention(width, config.heads, config.dropout)
        self.cross_attention = Attention(width, config.heads, config.dropout)
        self.inner = Linear(width, config.feed_forward)
        self.outer = Linear(config.feed_forward, width)
        self.dropout = nn.Dropout(config.dropout)

    def cross_keys_values(self, memory_BSD: Tensor) -> KeysValues:
        """What the layer reads of the document."""
        return self.cross_attention.keys_values(memory_BSD)

    def forward(
        self, x_NTD: Tensor, cross: KeysValues, mask_B11S: Tensor, earlier: Earlier | None
    ) -> Tensor:
        """The layer's output, whose positions follow those that ``earlier`` adds them to."""
        own = self.self_attention.keys_values(normed_NTD := self.self_norm(x_NTD))
        if earlier is not None:
            own = earlier(own)
        mixed_NTD = self.self_attention(normed_NTD, own, causal=earlier is None)
        x_NTD = x_NTD + self.dropout(mixed_NTD)
        mixed_NTD = self.cross_attention(self.cross_norm(x_NTD), cross, mask_B11S)
        x_NTD = x_NTD + self.dropout(mixed_NTD)
        inner_NTF = F.gelu(self.inner(self.feed_norm(x_NTD)), approximate="tanh")
        return x_NTD + self.dropout(self.outer(self.dropout(inner_NTF)))


class Decoder(nn.Module):
    """From embedded target tokens to the vectors the output layer reads."""

    def __init__(self, width: int, config: DecoderConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(width, config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)
        # One position sequence over both summaries and no language embedding: section 4.1.
        self.register_buffer("positions_TD", sinusoids(MAX_POSITIONS, width), persistent=False)
        self.recompute = False  # Layers' activations in training, instead of keeping them.

    def cross_keys_values(self, memory_BSD: Tensor) -> list[KeysValues]:
        """Each layer's keys and values of the document, computed once for all steps and beams."""
        return [layer.cross_keys_values(memory_BSD) for layer in self.layers]  # pyright: ignore

    def forward(
        self,
        embedded_NTD: Tensor,
        cross: list[KeysValues],
        mask_B11S: Tensor,
        cache: Cache | None = None,
    ) -> Tensor:
        """Vectors of the T given positions, which follow those in the cache.

        With a cache, T is 1: a step of the search. Without, the whole target, left to right.
        """
        T, D = embedded_NTD.shape[1:]
        start = cache.length if cache else 0
        positions_TD = self.get_buffer("positions_TD")[start : start + T]
        x_NTD = self.dropout(embedded_NTD * math.sqrt(D) + positions_TD)
        for index, layer in enumerate(self.layers):
            earlier = partial(cache.append, index) if cache else None
            arguments = (x_NTD, cross[index], mask_B11S, earlier)
            if self.recompute and self.training:
                x_NTD = checkpoint(layer, *arguments, use_reentrant=False)
            else:
                x_NTD = layer(*arguments)
        return self.norm(x_NTD)


def sinusoids(length: int, width: int) -> Tensor:
    """Interleaved sines and cosines, Vaswani et al. 2017, section 3.5."""
    angles_TD = torch.arange(length)[:, None] * torch.exp(
        torch.arange(0, width, 2) * (-math.log(10_000) / width)
    )
    return torch.stack((angles_TD.sin(), angles_TD.cos()), 2).flatten(1)[:, :width]
