"""Word pieces merged to words, and attention between words.

Shape letters: P and Q word pieces, W and V words, ``...`` layers and heads.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.metrics.tokens import UNSPACED_LANGUAGES

Array = NDArray[np.floating]

Places = NDArray[np.int64]


class Words(NamedTuple):
    """The words of a sequence of word pieces; each control token is a word of its own.

    ``side_W`` counts the [LSEP] up to a word: [LSEP] itself belongs to the summary that it opens.
    """

    labels: tuple[str, ...]
    starts_W: Places  # the first word piece of each word
    side_W: Places
    is_text_W: NDArray[np.bool_]  # false for control tokens

    def places(self, side: int = 0) -> Places:
        """The places of the words of a side, without control tokens."""
        return np.flatnonzero(self.is_text_W & (self.side_W == side))


def words_of(ids: Sequence[int], tokenizer: Tokenizer, languages: Sequence[str]) -> Words:
    """The words of ``ids``, whose sides are in ``languages``.

    In a language without spaces between words, each word piece is a word.
    """
    special = tokenizer.special
    control = {*special} - {special.unk}
    labels: list[str] = []
    starts, sides, texts = [], [], []
    side, is_text = 0, False
    for place, (i, piece) in enumerate(
        zip(ids, tokenizer.backend.convert_ids_to_tokens([*ids]), strict=True)
    ):
        letters, opens = tokenizer.word_piece(piece)
        side += i == special.lsep
        inside = is_text and not (opens or languages[side] in UNSPACED_LANGUAGES)
        is_text = i not in control
        if is_text and inside:
            labels[-1] += letters
            continue
        labels.append(letters if is_text else piece)
        starts.append(place)
        sides.append(side)
        texts.append(is_text)
    return Words(tuple(labels), np.array(starts), np.array(sides), np.array(texts, dtype=bool))


def merge(weights_PQ: Array, rows: Words, columns: Words) -> Array:
    """Attention ``[..., P, Q]`` between pieces as attention ``[..., W, V]`` between words.

    A word gets the sum of what its pieces get, and gives the mean of what its pieces give: a row
    sums to 1 as before.
    """
    sums_PV = np.add.reduceat(weights_PQ, columns.starts_W, axis=-1)
    sums_WV = np.add.reduceat(sums_PV, rows.starts_W, axis=-2)
    sizes_W = np.diff(rows.starts_W, append=weights_PQ.shape[-2])
    return sums_WV / sizes_W[:, None]
