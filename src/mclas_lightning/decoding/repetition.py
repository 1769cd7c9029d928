"""Units of a repetition: words, or characters in scripts without spaces between words.

Section 5.2 blocks three words. How many Chinese, Japanese, Thai, ... characters are as much is
measured on real texts: ``python -m benchmarks.blocking``.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import regex
import torch
from torch import Tensor

from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.metrics.tokens import UNSPACED_SCRIPTS

REPETITION_WORDS = 3  # words that are a repetition (section 5.2)

REPETITION_CHARACTERS = 8  # characters that are a repetition, in scripts without spaces

REPETITION_SHARES = REPETITION_WORDS * REPETITION_CHARACTERS  # the sum over a repetition's pieces

# By script, and not by script extensions, to which punctuation belongs; the long vowel sign of
# katakana, U+30FC, belongs to no single script.
_UNSPACED = regex.compile(r"[\p{" + r"}\p{".join(UNSPACED_SCRIPTS) + r"}\u30fc]")


@cache
def repetition_shares(tokenizer: Tokenizer) -> Tensor:
    """The share ``[V]`` of each piece in a repetition, which is whole at ``REPETITION_SHARES``.

    A word's first piece has the share of the word. A piece of an unspaced script has the shares of
    its letters. Punctuation has none, so that "U.S." and "Covid-19" may be written again.
    """
    share_V = _of_pieces(tokenizer, _share)
    share_V[sorted({*tokenizer.silent, *tokenizer.special, tokenizer.border} - {None})] = 0
    return share_V


@cache
def released_repetition_shares(tokenizer: Tokenizer) -> Tensor:
    """The shares ``[V]`` of the released code: a word opens with each piece that continues none."""
    return _of_pieces(tokenizer, lambda text, opens: REPETITION_CHARACTERS if opens else 0)


def _of_pieces(tokenizer: Tokenizer, share: Callable[[str, bool], int]) -> Tensor:
    pieces: Sequence[str] = tokenizer.backend.convert_ids_to_tokens([*range(len(tokenizer))])
    return torch.tensor([share(*tokenizer.word_piece(piece)) for piece in pieces])


def _share(text: str, opens: bool) -> int:
    if _UNSPACED.search(text):
        return REPETITION_WORDS * sum(unicodedata.category(c)[0] == "L" for c in text)
    return REPETITION_CHARACTERS if opens and any(c.isalnum() for c in text) else 0
