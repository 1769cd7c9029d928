"""Which words of a summary its reference has, and which of the reference's it lacks.

Words are ROUGE's tokens, so that a mark is what ROUGE counts: in Chinese every character is one.
Texts are shown as ROUGE reads them, normalized.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import Token, places, tokens


class Piece(NamedTuple):
    """A part of a text; ``size`` is the length of the n-gram that it is, 0 of what is in none."""

    text: str
    size: int


def matched(text: str, reference: str) -> list[Piece]:
    """``text`` in pieces: from left to right, the longest n-grams that ``reference`` has."""
    text = normalize(text)
    found, known = list(places(text)), tokens(reference)
    words = [token.word for token in found]
    pieces, done, at = [], 0, 0
    while at < len(words):
        size = _longest(words, at, known)
        if size:
            start, end = found[at].start, found[at + size - 1].end
            pieces += [Piece(text[done:start], 0), Piece(text[start:end], size)]
            done = end
        at += size or 1
    return [piece for piece in (*pieces, Piece(text[done:], 0)) if piece.text]


def lacking(text: str, reference: str) -> list[str]:
    """What of ``reference`` has no word in ``text``, in the reference's own spelling."""
    reference, written = normalize(reference), set(tokens(text))
    return [
        " ".join(reference[run[0].start : run[-1].end].split())
        for run in _runs(places(reference), written)
    ]


def _runs(found: Iterable[Token], written: set[str]) -> Iterator[list[Token]]:
    run: list[Token] = []
    for token in found:
        if token.word not in written:
            run.append(token)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _longest(words: Sequence[str], at: int, known: Sequence[str]) -> int:
    """Tokens from ``at`` that stand so in ``known``, as many as there are."""
    return max((_common(words, at, known, i) for i in range(len(known))), default=0)


def _common(words: Sequence[str], at: int, known: Sequence[str], i: int) -> int:
    size = 0
    while at + size < len(words) and i + size < len(known) and words[at + size] == known[i + size]:
        size += 1
    return size
