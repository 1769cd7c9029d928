"""Which words of S^A and of the document a head gives to a word of S^B.

Shape letters: L layers, H heads, W words of the target, J words of S^B, I words of S^A, V words of
the document.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.heads.words import Array


def looking_at(maps: DocumentMaps, ahead: int) -> Array:
    """Self-attention from words of S^B to words of S^A: [L, H, J, I].

    ``ahead`` is 1 for the rows that predict the words of S^B.
    """
    first, second = maps.target.places(0), maps.target.places(1)
    return maps.self_LHWW[..., second - ahead, :][..., first]


def looking_up(maps: DocumentMaps, ahead: int) -> Array:
    """Encoder-decoder attention from words of S^B to words of the document: [L, H, J, V]."""
    return maps.cross_LHWV[..., maps.target.places(1) - ahead, :][..., maps.source.places()]


def reading_alike(maps: DocumentMaps, ahead: int) -> Array:
    """How alike words of S^B and of S^A read the document: [L, H, J, I].

    The Bhattacharyya coefficient of both rows of encoder-decoder attention, over the words of the
    document: 1 for equal rows that leave nothing to control tokens.
    """
    root_LHWV = np.sqrt(maps.cross_LHWV[..., maps.source.is_text_W])
    rows_A, rows_B = (root_LHWV[..., maps.target.places(side) - ahead, :] for side in (0, 1))
    return rows_B @ rows_A.swapaxes(-1, -2)


class Way(NamedTuple):
    """An alignment's attention, the kind whose strongest head makes it, and its likeness."""

    attention: str
    kind: str
    likeness: Callable[[DocumentMaps, int], Array]


BEST_HEAD = "best head"

WAYS = {
    BEST_HEAD: Way("self", "translation", looking_at),
    "through the document": Way("cross", "lookup", reading_alike),
}
