"""How a text is spelled, before its words are counted or its word pieces are looked up.

The same text can be stored in several ways that look alike: an umlaut as one code point or two, a
word with or without a soft hyphen inside. ROUGE and every tokenizer here read the one spelling that
``normalize`` leaves, so that a summary is neither scored nor learned by what nobody can see.
"""

import unicodedata

import regex

VERSION = 1  # Goes up with these rules, so that texts are tokenized again.

# Scripts in which U+200B, the zero width space, stands between words; elsewhere it stands where a
# long word may be broken, as the soft hyphen does.
_BETWEEN_WORDS = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"

# Unicode's name for joiners, soft hyphens, byte order marks, direction marks, variation selectors.
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")

# Control characters, private use, halves of surrogate pairs: no part of a word. Lines stay lines.
_SEPARATING = regex.compile(
    rf"(?<={_BETWEEN_WORDS})\u200b|\u200b(?={_BETWEEN_WORDS})"
    r"|[[\p{C}\ufffd]--[\p{Default_Ignorable_Code_Point}\t\n\r]]",
    regex.VERSION1,
)


def normalize(text: str) -> str:
    """``text`` in Unicode's form NFC, without invisible characters.

    What separates words without being seen becomes a space.
    """
    seen = _INVISIBLE.sub("", _SEPARATING.sub(" ", text))
    return unicodedata.normalize("NFC", seen)
