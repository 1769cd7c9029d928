"""Groups of descriptions with common text, and the one split of each group.

A package family repeats its paragraphs ("Qt is a cross-platform ...") and its synopsis ("GNU C
compiler (for arm64)"). With a family in both train and test, the test would measure memory. A group
is a connected component of the descriptions that share a long paragraph or sentence, a synopsis
stem, or a package name (the same package in another suite). English texts are compared, since every
direction has them.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from mclas_lightning.config.dataset import Split
from mclas_lightning.corpora.debian.index import Description, Index
from mclas_lightning.corpora.own.groups import join, root

LONG_PASSAGE = 60  # characters; a shorter passage is a phrase and no copy

# Descriptions. A larger group goes to train: valid and test would drop all but two of its rows.
LARGE_GROUP = 50

_STEM_END = re.compile(r"\s+[-\u2013(]|[:;]\s")

_SENTENCE_END = re.compile(r"(?<=[.!?]) ")

_VERSION = re.compile(r"\d[\d.]*")


def stem(synopsis: str) -> str:
    """The part of a synopsis that a package family shares.

    Digits of versions are 0, and the text ends before a dash, colon, semicolon or parenthesis.
    """
    return _VERSION.sub("0", _STEM_END.split(synopsis.casefold())[0].strip())


def group_of(english: Index) -> dict[str, str]:
    """md5 -> group, which has the smallest md5 of its descriptions for a name."""
    names = sorted(english)
    first, holder = [*range(len(names))], dict[tuple[str, str], int]()
    for row, md5 in enumerate(names):
        join(first, [row, *(holder.setdefault(key, row) for key in _keys(english[md5]))])
    return {md5: names[root(first, row)] for row, md5 in enumerate(names)}


def split_of(groups: Mapping[str, str], shares: Mapping[str, float], seed: int) -> dict[str, Split]:
    """Group -> split, by a hash of the group's name, so that no group changes another's split.

    ``shares`` is the probability of a group for valid, and again for test.
    """
    size = Counter(groups.values())
    splits: dict[str, Split] = {}
    for group, share in shares.items():
        place = int.from_bytes(hashlib.sha256(f"{seed} {group}".encode()).digest()[:8]) / 2**64
        split = "valid" if place < share else "test" if place < 2 * share else "train"
        splits[group] = "train" if size[group] > LARGE_GROUP else split
    return splits


def _keys(description: Description) -> Iterator[tuple[str, str]]:
    yield "stem", stem(description.synopsis)
    for package in description.packages:
        yield "package", package
    for paragraph in description.paragraphs:
        for passage in (paragraph, *_SENTENCE_END.split(paragraph)):
            if len(passage) >= LONG_PASSAGE:
                yield "passage", passage
