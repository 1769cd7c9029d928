"""Which words of a summary its reference has, and which of the reference's it lacks.

Words are ROUGE's tokens, so that a mark is what ROUGE counts: in Chinese every character is one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import normalize

from mclas_lightning.metrics.tokens import PATTERNS, unit


class Piece(NamedTuple):
    """A part of a text; ``size`` is the length of the n-gram that it is, 0 of what is in none."""

    text: str
    size: int


class Token(NamedTuple):
    """A token, and where it stands in the text."""

    word: str
    start: int
    end: int


def matched(text: str, reference: str, language: str) -> list[Piece]:
    """``text`` in pieces: from left to right, the longest n-grams that ``reference`` has."""
    text = normalize("NFC", text)
    tokens = _tokens(text, language)
    words, known = _words(tokens), _words(_tokens(normalize("NFC", reference), language))
    pieces, done, at = [], 0, 0
    while at < len(tokens):
        size = _longest(words, at, known)
        if size:
            start, end = tokens[at].start, tokens[at + size - 1].end
            pieces += [Piece(text[done:start], 0), Piece(text[start:end], size)]
            done = end
        at += size or 1
    return [piece for piece in (*pieces, Piece(text[done:], 0)) if piece.text]


def lacking(text: str, reference: str, language: str) -> list[str]:
    """What of ``reference`` has no word in ``text``, in the reference's own spelling."""
    reference = normalize("NFC", reference)
    written = set(_words(_tokens(normalize("NFC", text), language)))
    return [
        " ".join(reference[run[0].start : run[-1].end].split())
        for run in _runs(_tokens(reference, language), written)
    ]


def _runs(tokens: Sequence[Token], written: set[str]) -> Iterator[list[Token]]:
    run: list[Token] = []
    for token in tokens:
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


def _tokens(text: str, language: str) -> list[Token]:
    """Found in the text as it is written, and lower-cased one by one: their places count."""
    found = PATTERNS[unit(language)].finditer(text)
    return [Token(normalize("NFC", one[0].lower()), *one.span()) for one in found]


def _words(tokens: Sequence[Token]) -> list[str]:
    return [token.word for token in tokens]
