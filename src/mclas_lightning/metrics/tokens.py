"""Tokens of texts, which ROUGE compares and lengths count.

The script of the text decides, not its language:

    characters  of a script that has no spaces between words (Chinese, Japanese, Thai, Lao, Khmer,
                Burmese): every letter is a token, with the combining marks on it
    words       of every other script: a run of letters and digits is a token, with their marks

All other characters separate tokens: ``don't`` is ``don t``, ``well-known`` is ``well known``,
``1,234`` is ``1 234``. On ASCII text this is rouge-score's tokenization. Texts are normalized
first.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple
from unicodedata import normalize as unicode_form

import regex

from mclas_lightning.metrics.normalization import normalize

# Languages in scripts without spaces between words, whose lengths are in characters.
UNSPACED_LANGUAGES = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})

# Unicode's names of the scripts that have no spaces between words.
UNSPACED_SCRIPTS = ("Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar")

# By script extensions, because the long vowel sign of katakana belongs to two scripts.
_UNSPACED = "".join(rf"\p{{scx={script}}}" for script in UNSPACED_SCRIPTS)

# Letters of unspaced scripts. The Chinese zero is of category Nl. Digits of all scripts are runs.
_ALONE = rf"[[\p{{L}}\p{{Nl}}]&&[{_UNSPACED}]]"

# Combining marks, and four letters that are written on the one before: am of Thai and of Lao, and
# the halfwidth voicing marks of katakana.
_MARK = r"[\p{Mn}\p{Mc}\u0e33\u0eb3\uff9e\uff9f]"

_TOKEN = regex.compile(
    rf"{_ALONE}{_MARK}*+|(?:[[\p{{L}}\p{{N}}]--{_ALONE}]{_MARK}*+)++", regex.VERSION1
)

_ACCENTED = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}])\p{Mn}+")


class Token(NamedTuple):
    """A token without case, and its span in the normalized text."""

    word: str
    start: int
    end: int


def length_unit(language: str) -> str:
    """The unit of lengths in ``language``: ``characters`` or ``words``."""
    return "characters" if language in UNSPACED_LANGUAGES else "words"


def tokens(text: str) -> list[str]:
    """The tokens of ``text``, without case."""
    return [without_case(token) for token in _TOKEN.findall(normalize(text))]


def token_spans(normalized: str) -> Iterator[Token]:
    """The tokens of a text that ``normalize`` returned, with their spans."""
    for found in _TOKEN.finditer(normalized):
        yield Token(without_case(found[0]), *found.span())


def num_tokens(text: str) -> int:
    """The number of tokens of ``text``."""
    return len(_TOKEN.findall(normalize(text)))


def stemmed_tokens(texts: Iterable[str]) -> list[list[str]]:
    """The tokens of each text without accents; Porter stems of those longer than 3."""
    stem = _stemmer()
    return [
        [stem(word) if len(word) > 3 else word for word in tokens(without_accents(text))]
        for text in texts
    ]


def without_case(text: str) -> str:
    """``text`` without case, in NFC.

    The combining dot that ``str.lower`` makes of a Turkish dotted I is removed. A final sigma
    becomes a sigma.
    """
    lower = text.lower().replace("i\u0307", "i").replace("\u03c2", "\u03c3")
    return unicode_form("NFC", lower)


def without_accents(text: str) -> str:
    """``text`` without case and accents, as an uncased BERT reads it.

    Accents are marks on Latin, Greek and Cyrillic letters. In other scripts a mark is a vowel, or
    makes another letter.
    """
    letters = unicode_form("NFD", without_case(normalize(text)))
    return unicode_form("NFC", _ACCENTED.sub(r"\1", letters))


@cache
def _stemmer() -> Callable[[str], str]:
    """rouge-score's stemmer, cached by word; its import takes a second."""
    from nltk.stem.porter import PorterStemmer

    return cache(PorterStemmer().stem)
