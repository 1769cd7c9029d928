"""Multi-head attention (Vaswani et al. 2017, section 3.2.2).

Shape letters: B documents, N rows (documents x beams), T queries, S keys, D width, H heads,
d = D / H.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class KeysValues(NamedTuple):
    """What queries attend to, split into heads."""

    keys_BHSd: Tensor
    values_BHSd: Tensor


class Attention(nn.Module):
    """Attention whose keys and values are computed apart, so that they can be kept."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

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
