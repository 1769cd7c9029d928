"""Unicode normalization of texts, before ROUGE and before every tokenizer.

The same text can be stored in several ways that look alike: an umlaut as one code point or two, a
word with or without a soft hyphen inside. ``normalize`` makes them equal.
"""

import unicodedata

import regex

NORMALIZATION_VERSION = 1  # Goes up when the rules change, so that stores are tokenized again.

# Scripts in which U+200B, the zero width space, separates words. In other scripts it marks where a
# long word may be broken, as the soft hyphen does.
_BETWEEN_WORDS = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"

# Unicode's name for joiners, soft hyphens, byte order marks, direction marks, variation selectors.
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")

# Zero width spaces that separate words, and category C (control, private use, surrogates) except
# tabs and line ends.
_SEPARATING = regex.compile(
    rf"(?<={_BETWEEN_WORDS})\u200b|\u200b(?={_BETWEEN_WORDS})"
    r"|[[\p{C}\ufffd]--[\p{Default_Ignorable_Code_Point}\t\n\r]]",
    regex.VERSION1,
)


def normalize(text: str) -> str:
    """``text`` in Unicode's form NFC, without invisible characters.

    Invisible characters that separate words become spaces.
    """
    seen = _INVISIBLE.sub("", _SEPARATING.sub(" ", text))
    return unicodedata.normalize("NFC", seen)
