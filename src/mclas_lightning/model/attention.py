"""Multi-head attention (Vaswani et al. 2017, section 3.2.2).

Shape letters: B documents, N rows (documents x beams), T queries, S keys, D width, H heads,
d = D / H.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mclas_lightning.model.linear import Linear


class KeysValues(NamedTuple):
    """What queries attend to, split into heads."""

    keys_BHSd: Tensor
    values_BHSd: Tensor


class Cache:
    """Keys and values of the target positions so far, of one layer."""

    ROOM = 32  # positions that it grows by

    def __init__(self) -> None:
        self.length = 0
        self._room: KeysValues | None = None

    def append(self, new: KeysValues) -> KeysValues:
        """Add those of the next positions; all of them."""
        start, self.length = self.length, self.length + new.keys_BHSd.shape[2]
        if self._room is None or self.length > self._room.keys_BHSd.shape[2]:
            self._room = self._grown(new)
        for room_NHSd, new_NHTd in zip(self._room, new, strict=True):
            room_NHSd[:, :, start : self.length] = new_NHTd
        return self._kept()

    def select(self, rows_N: Tensor) -> None:
        """Go on with these rows; one that stays where it was is not copied."""
        assert self._room is not None
        if len(rows_N) < len(self._room.keys_BHSd):
            self._room = KeysValues(*(room[rows_N] for room in self._room))
            return
        moved_M = (rows_N != torch.arange(len(rows_N), device=rows_N.device)).nonzero().flatten()
        if len(moved_M):
            for kept_NHTd in self._kept():
                kept_NHTd[moved_M] = kept_NHTd[rows_N[moved_M]]

    def _kept(self) -> KeysValues:
        assert self._room is not None
        return KeysValues(*(room_NHSd[:, :, : self.length] for room_NHSd in self._room))

    def _grown(self, new: KeysValues) -> KeysValues:
        N, H, T, d = new.keys_BHSd.shape
        room = -(-self.length // self.ROOM) * self.ROOM
        grown = KeysValues(*(part.new_empty(N, H, room, d) for part in new))
        if self._room is not None:
            start = self.length - T
            for larger_NHSd, smaller_NHSd in zip(grown, self._room, strict=True):
                larger_NHSd[:, :, :start] = smaller_NHSd[:, :, :start]
        return grown


class Attention(nn.Module):
    """Attention whose keys and values are computed apart, so that they can be kept."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key = Linear(width, width), Linear(width, width)
        self.value, self.output = Linear(width, width), Linear(width, width)

    def keys_values(self, memory_BSD: Tensor) -> KeysValues:
        """Keys and values of everything that may be attended to."""
        return KeysValues(self._split(self.key(memory_BSD)), self._split(self.value(memory_BSD)))

    def forward(
        self,
        query_NTD: Tensor,
        memory: KeysValues,
        mask_B11S: Tensor | None = None,
        *,
        causal: bool = False,
    ) -> Tensor:
        """Mix the values for each query; ``mask`` is true where a key may be attended to.

        Rows may outnumber documents: N = B x K, the K beams of a document beside each other. Their
        queries are laid side by side, so that the document's keys are held and read once.
        """
        N, T, D = query_NTD.shape
        B = len(memory.keys_BHSd)
        mixed_BHQd = F.scaled_dot_product_attention(
            self._split(self.query(query_NTD).view(B, N // B * T, D)),
            *memory,
            attn_mask=mask_B11S,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=causal,
        )
        return self.output(mixed_BHQd.transpose(1, 2).reshape(N, T, D))

    def _split(self, x_BSD: Tensor) -> Tensor:
        B, S, _ = x_BSD.shape
        return x_BSD.view(B, S, self.heads, -1).transpose(1, 2)
