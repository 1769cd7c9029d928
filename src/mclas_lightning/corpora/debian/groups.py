"""Groups of descriptions that would leak into each other, and the one split each group goes to.

A package family repeats its paragraphs ("Qt is a cross-platform ...") and its synopsis ("GNU C
compiler (for arm64)"); were the family in train and test, test would measure memory. A group is a
connected component of the descriptions that share a long paragraph or sentence, a synopsis stem or
a package name (another suite's wording), in English, the pivot of every direction.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from mclas_lightning.corpora.debian.index import Description, Index

Split = Literal["train", "valid", "test"]

SPLITS: tuple[Split, ...] = ("train", "valid", "test")

LONG = 60  # characters: shorter passages are phrases, not copies

LARGE_GROUP = 50  # descriptions: held out, a group loses all but two of its rows, so these train

_STEM_END = re.compile(r"\s+[-\u2013(]|[:;]\s")

_SENTENCE_END = re.compile(r"(?<=[.!?]) ")

_VERSION = re.compile(r"\d[\d.]*")


def stem(synopsis: str) -> str:
    """What a package family's synopses share: no version numbers, nothing after a dash, colon,
    semicolon or parenthesis."""
    return _VERSION.sub("0", _STEM_END.split(synopsis.casefold())[0].strip())


def group_of(english: Index) -> dict[str, str]:
    """md5 -> its group, named by the smallest md5 in it."""
    parent = {md5: md5 for md5 in sorted(english)}

    def find(md5: str) -> str:
        while parent[md5] != md5:
            parent[md5] = md5 = parent[parent[md5]]
        return md5

    first: dict[tuple[str, str], str] = {}
    for md5 in parent:
        for key in _keys(english[md5]):
            one, other = sorted((find(first.setdefault(key, md5)), find(md5)))
            parent[other] = one
    return {md5: find(md5) for md5 in parent}


def split_of(groups: Mapping[str, str], shares: Mapping[str, float], seed: int) -> dict[str, Split]:
    """Group -> split, by a hash of the group's name, so that no group depends on another.

    ``shares`` says how probably a group goes to valid, and as probably to test.
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
            if len(passage) >= LONG:
                yield "passage", passage
