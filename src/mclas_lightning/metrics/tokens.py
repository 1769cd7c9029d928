"""The tokens that ROUGE compares, and that the length of a summary counts.

On lower-cased NFC text:

    zh      every Han character is a token; so is every run of other letters and digits
    others  every run of letters and digits is a token; tested for ``en`` and ``de``

Everything else separates: ``don't`` is ``don t``, ``well-known`` is ``well known`` and ``1,234`` is
``1 234``. On ASCII text this is exactly rouge-score's tokenization.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from unicodedata import category, normalize

# The blocks of Unicode's script Han that text is written in: iteration mark and zero, extension A,
# the unified ideographs, what NFC leaves of the compatibility block, and the supplementary planes.
HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
PATTERNS = {
    "characters": re.compile(rf"[{HAN}]|[^\W_{HAN}]+"),
    "words": re.compile(r"[^\W_]+"),
}


def unit(language: str) -> str:
    """What a token of ``language`` is: ``characters`` or ``words``."""
    return "characters" if language == "zh" else "words"


def tokens(text: str, language: str) -> list[str]:
    """The tokens of ``text``, lower-cased."""
    # Lower-casing first: it can leave a decomposed letter behind, which NFC then composes.
    return PATTERNS[unit(language)].findall(normalize("NFC", text.lower()))


def stems(texts: Iterable[str]) -> list[list[str]]:
    """The words of each text, accents stripped, by Porter's stemmer: of four letters or more."""
    stem = _stemmer()
    return [
        [stem(word) if len(word) > 3 else word for word in PATTERNS["words"].findall(plain(text))]
        for text in texts
    ]


def plain(text: str) -> str:
    """``text`` lower-cased and without accents, as an uncased BERT has it."""
    letters = normalize("NFD", text.lower())
    return normalize("NFC", "".join(c for c in letters if category(c) != "Mn"))


@cache
def _stemmer() -> Callable[[str], str]:
    """The stemmer that rouge-score has; it takes a second to import, and a text repeats words."""
    from nltk.stem.porter import PorterStemmer

    return cache(PorterStemmer().stem)
