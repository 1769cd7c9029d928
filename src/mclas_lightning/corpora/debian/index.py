"""Read Debian's description indexes (Translation-en, -de, -zh_CN) into descriptions by md5.

A document is the long description without its synopsis, in one line with single spaces between
words and paragraphs. The items of a list keep their bullets, which mark where an item begins. A
line of Chinese may break inside a word, so that no space stays between two Chinese characters.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.corpora.debian.deb822 import Stanza, stanzas

TRANSLATION_CODES = {"en": "en", "de": "de", "zh": "zh_CN"}

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")

_WIDE = r"[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"

_SPACE_INSIDE_CHINESE = re.compile(f"(?<={_WIDE}) (?={_WIDE})")

_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # bytes that surrogateescape could not decode

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class Description:
    """One description in one language, and the packages that carry it."""

    packages: set[str]
    synopsis: str
    paragraphs: tuple[str, ...]

    @property
    def document(self) -> str:
        """The long description, as one line."""
        return unwrapped(" ".join(self.paragraphs))


Index = dict[str, Description]  # by Description-md5, the hash of the English text in any language


def read_index(paths: Sequence[Path], language: str) -> tuple[Index, int]:
    """The descriptions of ``paths``, of each md5 the first one; the number of malformed ones."""
    index: Index = {}
    malformed = 0
    for path in paths:
        for stanza in _stream(path):
            description = _describe(stanza, f"description-{TRANSLATION_CODES[language]}".lower())
            if description is None:
                malformed += 1
            else:
                known = index.setdefault(stanza["description-md5"], description)
                known.packages |= description.packages
    return index, malformed


def unwrapped(text: str) -> str:
    """``text`` in one line with single spaces, but no space between two Chinese characters."""
    return _SPACE_INSIDE_CHINESE.sub("", " ".join(text.split()))


def num_words(text: str, language: str) -> int:
    """The number of words; of a Chinese text, the number of characters other than spaces."""
    return len("".join(text.split())) if language == "zh" else len(text.split())


def _stream(path: Path) -> Iterator[Stanza]:
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        yield from stanzas(file)


def _describe(stanza: Stanza, field: str) -> Description | None:
    """The description of a stanza; None without package, md5 or synopsis, or not in UTF-8."""
    package, md5, text = (stanza.get(name, "") for name in ("package", "description-md5", field))
    synopsis, *lines = text.split("\n")
    if not package or not synopsis or not _MD5.fullmatch(md5) or _NOT_UTF8.search(text):
        return None
    body = "\n".join("" if line.strip() == "." else line for line in lines)
    paragraphs = (unwrapped(paragraph) for paragraph in body.split("\n\n"))
    return Description({package}, unwrapped(synopsis), tuple(filter(None, paragraphs)))
