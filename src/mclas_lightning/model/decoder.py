"""The decoder: a pre-norm Transformer with cross-attention (section 4.1, as released).

Shape letters: B documents, N rows (documents x beams), T target length, S source length, D width,
F feed-forward width.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mclas_lightning.model import MAX_POSITIONS
from mclas_lightning.model.attention import Attention, Cache, FixedCache, KeysValues
from mclas_lightning.model.linear import Linear

NORM_EPS = 1e-6  # Released code; the encoder has BERT's 1e-12.

# Adds keys and values of new positions to a layer's cache; returns those of all positions.
Append = Callable[[KeysValues], KeysValues]


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """Sizes of a decoder; its width is the encoder's."""

    layers: int
    heads: int
    feed_forward: int
    dropout: float


class DecoderLayer(nn.Module):
    """A pre-norm layer: x + f(norm(x)) for self-attention, cross-attention and feed-forward."""

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
        """The document's keys and values in this layer's cross-attention."""
        return self.cross_attention.keys_values(memory_BSD)

    def forward(
        self,
        x_NTD: Tensor,
        cross: KeysValues,
        mask_B11S: Tensor,
        append: Append | None,
        seen: Tensor | None = None,
    ) -> Tensor:
        """The layer's output at the positions of ``x``.

        ``append`` adds their keys and values to the cached ones, of which ``seen`` is a mask.
        Without a mask, several positions attend causally, and nothing may be cached before them.
        """
        own = self.self_attention.keys_values(normed_NTD := self.self_norm(x_NTD))
        if append is not None:
            own = append(own)
        causal = seen is None and x_NTD.shape[1] > 1
        mixed_NTD = self.self_attention(normed_NTD, own, seen, causal=causal)
        x_NTD = x_NTD + self.dropout(mixed_NTD)
        mixed_NTD = self.cross_attention(self.cross_norm(x_NTD), cross, mask_B11S)
        x_NTD = x_NTD + self.dropout(mixed_NTD)
        inner_NTF = F.gelu(self.inner(self.feed_norm(x_NTD)), approximate="tanh")
        return x_NTD + self.dropout(self.outer(self.dropout(inner_NTF)))


class Decoder(nn.Module):
    """From embedded target tokens to the vectors that the output layer reads."""

    def __init__(self, width: int, config: DecoderConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(width, config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)
        # Positions run on over both summaries, without a language embedding (section 4.1).
        self.register_buffer("positions_TD", sinusoids(MAX_POSITIONS, width), persistent=False)
        self.recompute = False  # Activation checkpointing of the layers in training.

    def cross_keys_values(self, memory_BSD: Tensor) -> list[KeysValues]:
        """Each layer's keys and values of the documents, computed once for all steps and beams."""
        return [layer.cross_keys_values(memory_BSD) for layer in self.layers]  # pyright: ignore

    def forward(
        self,
        embedded_NTD: Tensor,
        cross: list[KeysValues],
        mask_B11S: Tensor,
        cache: Cache | FixedCache | None = None,
    ) -> Tensor:
        """Vectors of T positions.

        A step of the search has a ``cache`` and T = 1, the position after the cached ones. Teacher
        forcing has none, a given prefix an empty one: each of T positions sees those before it.
        With a fixed cache, N are documents and T their beams, all at the same position.
        """
        T, D = embedded_NTD.shape[1:]
        positions_TD = self.get_buffer("positions_TD")[cache.places(T) if cache else slice(T)]
        x_NTD = self.dropout(embedded_NTD * math.sqrt(D) + positions_TD)
        for index, layer in enumerate(self.layers):
            append = partial(cache.append, index) if cache else None
            arguments = (x_NTD, cross[index], mask_B11S, append, cache.seen if cache else None)
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
