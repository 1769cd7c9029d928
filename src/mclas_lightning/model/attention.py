"""Multi-head attention (Vaswani et al. 2017, section 3.2.2).

Shape letters: B documents, N rows (documents x beams), T queries, S keys, L layers, D width,
H heads, d = D / H, K beams, p keys or values, Q queries of a document's beams.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mclas_lightning.model.device import reading_waits
from mclas_lightning.model.linear import Linear


class KeysValues(NamedTuple):
    """Keys and values of attention, split into heads."""

    keys_BHSd: Tensor
    values_BHSd: Tensor

    def of(self, rows: Tensor) -> "KeysValues":
        """Those of some of the documents or rows."""
        return KeysValues(self.keys_BHSd[rows], self.values_BHSd[rows])

    def by_head(self) -> "KeysValues":
        """The same, with the positions of a head one after another in memory."""
        return KeysValues(self.keys_BHSd.contiguous(), self.values_BHSd.contiguous())


class Cache:
    """The key-value cache of all self-attention layers, over the target positions so far."""

    ROOM = 32  # positions that the buffer grows by
    seen = None  # A query attends to all cached positions.

    def __init__(self, layers: int) -> None:
        self.layers, self.length = layers, 0
        self._room_NL2HSd: Tensor | None = None  # Row first: a row moves as one block.

    def places(self, T: int) -> slice:
        """The next T positions."""
        return slice(self.length, self.length + T)

    def append(self, layer: int, new: KeysValues) -> KeysValues:
        """Add ``new`` positions to ``layer``; returns its keys and values of all positions.

        Each step appends to every layer once, in order from layer 0, which makes room for all.
        """
        T = new.keys_BHSd.shape[2]
        if layer == 0:
            self.length += T
            self._make_room(new.keys_BHSd)
        assert self._room_NL2HSd is not None
        kept_NHSd = [self._room_NL2HSd[:, layer, part, :, : self.length] for part in (0, 1)]
        for of_layer_NHSd, new_NHTd in zip(kept_NHSd, new, strict=True):
            of_layer_NHSd[:, :, self.length - T :] = new_NHTd
        return KeysValues(*kept_NHSd)

    def select(self, rows_N: Tensor) -> None:
        """Keep ``rows_N``, in this order; on a CPU, a row that keeps its place is not copied.

        With as many rows as before, rows are copied in place. A row that another row is copied from
        must then keep its place (``decoding.beam`` orders rows so).
        """
        assert self._room_NL2HSd is not None
        if len(rows_N) < len(self._room_NL2HSd) or reading_waits(rows_N):
            self._room_NL2HSd = self._room_NL2HSd[rows_N]
            return
        kept_NL2HTd = self._room_NL2HSd[..., : self.length, :]
        for place, row in enumerate(rows_N.tolist()):  # An index would copy each row twice.
            if place != row:
                kept_NL2HTd[place].copy_(kept_NL2HTd[row])

    def _make_room(self, keys_NHTd: Tensor) -> None:
        kept = self._room_NL2HSd
        if kept is not None and self.length <= kept.shape[-2]:
            return
        N, H, T, d = keys_NHTd.shape
        room = -(-self.length // self.ROOM) * self.ROOM
        self._room_NL2HSd = keys_NHTd.new_empty(N, self.layers, 2, H, room, d)
        if kept is not None:
            start = self.length - T
            self._room_NL2HSd[..., :start, :] = kept[..., :start, :]


class FixedCache:
    """A cache of a beam search whose tensors keep shapes and addresses, as a CUDA graph needs.

    The K beams of a document are K queries side by side. Keys and values stay where they were
    written, at a position and a beam; the mask ``seen`` says which of them belong to the hypothesis
    of each beam. So no beam is ever copied.
    """

    def __init__(self, layers: int, like_BHSd: Tensor, beams: int, room: int) -> None:
        (B, H, _, d), K, device = like_BHSd.shape, beams, like_BHSd.device
        # Zeros: a key that is not seen has the weight 0, and 0 times NaN would be NaN.
        kept_LpBHTKd = like_BHSd.new_zeros(layers, 2, B, H, room, K, d)
        self.kept = [KeysValues(*kept_pBHTKd) for kept_pBHTKd in kept_LpBHTKd]
        self.own_1K1K = torch.eye(K, dtype=torch.bool, device=device)[None, :, None]
        self.position_1 = torch.zeros(1, dtype=torch.long, device=device)
        self.seen_BKTK = torch.zeros(B, K, room, K, dtype=torch.bool, device=device)
        self.seen_BKTK[:, :, :1] = self.own_1K1K

    def places(self, T: int) -> Tensor:
        """The position of all T queries."""
        return self.position_1

    @property
    def seen(self) -> Tensor:
        """The mask ``[B, 1, K, room x K]`` of self-attention."""
        return self.seen_BKTK.flatten(2)[:, None]

    def append(self, layer: int, new: KeysValues) -> KeysValues:
        """Write the beams' keys and values of this position; returns those of the whole room."""
        for kept_BHTKd, new_BHKd in zip(self.kept[layer], new, strict=True):
            kept_BHTKd.index_copy_(2, self.position_1, new_BHKd[:, :, None])
        return KeysValues(*(kept_BHTKd.flatten(2, 3) for kept_BHTKd in self.kept[layer]))

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        """Go to the next position, with the hypotheses of ``rows_N`` of ``documents_B``."""
        seen_BKTK = self.seen_BKTK.flatten(0, 1)[rows_N].view(-1, *self.seen_BKTK.shape[1:])
        self.position_1 += 1
        own_BK1K = self.own_1K1K.expand(len(seen_BKTK), -1, -1, -1)
        seen_BKTK.index_copy_(2, self.position_1, own_BK1K)
        if len(documents_B) < len(self.seen_BKTK):
            self.kept = [kept.of(documents_B) for kept in self.kept]
        self.seen_BKTK = in_place(self.seen_BKTK, seen_BKTK)


def in_place(kept: Tensor, new: Tensor) -> Tensor:
    """The values of ``new`` at the address of ``kept``; with another shape, ``new`` itself."""
    return kept.copy_(new) if kept.shape == new.shape else new


class Attention(nn.Module):
    """Multi-head attention; its keys and values are computed apart, so that a search keeps them."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.fused = True  # Whether torch's fused kernel attends, which keeps no weights.
        self.query, self.key = Linear(width, width), Linear(width, width)
        self.value, self.output = Linear(width, width), Linear(width, width)

    def keys_values(self, memory_BSD: Tensor) -> KeysValues:
        """Keys and values of each position of ``memory``."""
        return KeysValues(self._split(self.key(memory_BSD)), self._split(self.value(memory_BSD)))

    def forward(
        self,
        query_NTD: Tensor,
        memory: KeysValues,
        mask_B11S: Tensor | None = None,
        *,
        causal: bool = False,
    ) -> Tensor:
        """The attention output of each query; ``mask`` is true where a key may be attended to.

        In a beam search N = B x K, the K beams of a document beside each other. The queries of a
        document's beams are laid side by side, so that its keys are stored and read once.
        """
        N, T, D = query_NTD.shape
        B = len(memory.keys_BHSd)
        query_BQD = query_NTD.view(B, N // B * T, D)
        if self.fused:
            mixed_BHQd = F.scaled_dot_product_attention(
                self._split(self.query(query_BQD)),
                *memory,
                attn_mask=mask_B11S,
                dropout_p=self.dropout if self.training else 0.0,
                is_causal=causal,
            )
        else:
            weights_BHQS = self.weights(query_BQD, memory, mask_B11S, causal=causal)
            weights_BHQS = F.dropout(weights_BHQS, self.dropout, self.training)
            mixed_BHQd = weights_BHQS @ memory.values_BHSd
        return self.output(mixed_BHQd.transpose(1, 2).reshape(N, T, D))

    def weights(
        self,
        query_BTD: Tensor,
        memory: KeysValues,
        mask_B11S: Tensor | None = None,
        *,
        causal: bool = False,
    ) -> Tensor:
        """The weights ``[B, H, T, S]`` that ``forward`` mixes values with, before dropout.

        ``causal`` expects the keys of the queries' own positions.
        """
        query_BHTd = self._split(self.query(query_BTD))
        scores_BHTS = query_BHTd * query_BHTd.shape[-1] ** -0.5 @ memory.keys_BHSd.transpose(2, 3)
        if causal:
            mask_B11S = torch.ones_like(scores_BHTS[0, 0], dtype=torch.bool).tril()
        if mask_B11S is not None:
            scores_BHTS = scores_BHTS.masked_fill(~mask_B11S, -torch.inf)
        return scores_BHTS.softmax(-1)

    def _split(self, x_BSD: Tensor) -> Tensor:
        B, S, _ = x_BSD.shape
        return x_BSD.view(B, S, self.heads, -1).transpose(1, 2)
