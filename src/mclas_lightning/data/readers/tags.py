"""Records between tags, one tag or one text a line, as NCLS and LCSTS write them.

    <doc id=7>
    <EN-REF1>
    text, of one line or several
    </EN-REF1>
    </doc>

A tag may end in a number (of a sentence) and in ``-human-corrected``. Fields may come in any order,
and among fields that the reader does not know.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.data.readers.log import LONGEST, Log, Skip, Sources
from mclas_lightning.errors import InputError

_END = b"</doc>"
_TAG = re.compile(rb"<(/?)([A-Za-z][\w-]*?)(\d*)(-human-corrected)?(?:\s[^<>]*)?>")
_ID = re.compile(rb"<doc\s+id\s*=\s*[\"']?([^\"'>\s]+)[\"']?[^>]*>")


class Tag(NamedTuple):
    """``<EN-REF2-human-corrected>`` is en-ref, 2, corrected."""

    name: str
    number: int | None
    corrected: bool
    closes: bool
    closing: bytes  # the line that closes it
    shown: str  # without its numbers, as it is counted

    def __str__(self) -> str:
        return self.shown


class Record(NamedTuple):
    """The fields of one document; the corrected ones stand in for the others."""

    where: str
    id: str
    fields: dict[tuple[str, int | None], str]

    def text(self, name: str) -> str:
        """The field ``name``; Skip where there is none."""
        try:
            return self.fields[name, None]
        except KeyError:
            raise Skip(f"no <{name}>") from None

    def sentences(self, name: str, separator: str) -> str:
        """The numbered fields ``name``, joined in order; Skip where a number is missing."""
        numbered = sorted(
            (number, text)
            for (tag, number), text in self.fields.items()
            if tag == name and number is not None
        )
        if not numbered:
            raise Skip(f"no <{name}n>")
        first = numbered[0][0]
        if first > 1 or numbered[-1][0] != first + len(numbered) - 1:
            raise Skip(f"<{name}n> are not numbered 1, 2, 3, ...")
        return separator.join(text for _, text in numbered)


@dataclass(frozen=True, kw_only=True)
class TagFile:
    """A file of records; ``known`` are the names of its fields."""

    path: Path
    known: Collection[str]
    encoding: str = "utf-8"

    def records(self, sources: Sources, log: Log) -> Iterator[Record]:
        """Every record that is whole; the others are skipped and counted."""
        for start, block in self._blocks(sources, log):
            where = f"{self.path}:{start}"
            try:
                yield self._record(start, block, where, log)
            except Skip as skip:
                log.skip(str(skip), where)

    def _blocks(self, sources: Sources, log: Log) -> Iterator[tuple[int, list[bytes]]]:
        """The lines from each ``<doc>`` to its ``</doc>``, and the number of the first."""
        number, rest = 1, b""
        for chunk in sources.chunks(self.path):
            *parts, rest = (rest + chunk).split(_END)
            for part in parts:
                lines = [*map(bytes.strip, part.split(b"\n"))]
                # Nearly always: after the end of </doc>'s line, one <doc> and its fields.
                usual = part.count(b"<doc") == 1 and any(map(_ID.fullmatch, lines[1:2]))
                starts = [1] if usual else [i for i, e in enumerate(lines) if _ID.fullmatch(e)]
                for start in starts[:-1]:
                    log.skip("no </doc>", f"{self.path}:{number + start}")
                if starts:
                    yield number + starts[-1], lines[starts[-1] :]
                else:
                    log.skip("no <doc id=...>", f"{self.path}:{number + len(lines) - 1}")
                number += len(lines) - 1
            if len(rest) > LONGEST:
                raise InputError(f"{self.path}:{number}: no </doc> in {LONGEST:,} bytes from here")
        if rest.strip():
            number += rest[: len(rest) - len(rest.lstrip())].count(b"\n")
            raise InputError(
                f"{self.path}:{number}: the file ends inside this record (it has no </doc>): it is "
                f"cut short, or not of this format; get it again"
            )

    def _record(self, start: int, block: list[bytes], where: str, log: Log) -> Record:
        found = _ID.fullmatch(block[0])
        assert found is not None
        plain: dict[tuple[str, int | None], str] = {}
        corrected: dict[tuple[str, int | None], str] = {}
        for tag, first, lines in self._fields(start, block, log):
            key, fields = (tag.name, tag.number), corrected if tag.corrected else plain
            if key in fields:
                raise Skip(f"{tag} is there twice")
            if text := self._decode(lines, first):
                fields[key] = text
        return Record(
            where, self._decode([found[1]], start), {**plain, **corrected} if corrected else plain
        )

    def _fields(
        self, start: int, block: list[bytes], log: Log
    ) -> Iterator[tuple[Tag, int, list[bytes]]]:
        """Each known field: its tag, the number of its first line of text, its text's lines."""
        at = 1
        while at < len(block):
            line, opened = block[at], at
            at += 1
            tag = _tag(line) if line[:1] == b"<" else None
            if tag is None or (tag.closes and tag.name not in self.known):
                if line and tag is None:
                    log.unknown_tag("text between fields", self.path, start + opened)
                continue
            text = self._text(block, opened, tag)
            if tag.name in self.known:
                if text is None or tag.closes:
                    raise Skip(f"{tag} is not opened and closed")
                yield tag, start + at, text
            else:
                log.unknown_tag(tag.shown, self.path, start + opened)
            at += len(text) + 1 if text is not None else 0

    def _text(self, block: list[bytes], opened: int, tag: Tag) -> list[bytes] | None:
        """The lines up to the tag that closes; None where it does not, or not before others."""
        try:
            text = block[opened + 1 : block.index(tag.closing, opened + 1)]
        except ValueError:
            return None
        tags = [_tag(line) for line in text if line[:1] == b"<"]
        return None if any(tag and tag.name in self.known for tag in tags) else text

    def _decode(self, lines: Sequence[bytes], first: int) -> str:
        try:
            return b" ".join(lines).decode(self.encoding).strip()
        except UnicodeDecodeError:
            raise self._not_encoded(lines, first) from None

    def _not_encoded(self, lines: Sequence[bytes], first: int) -> InputError:
        wrong = (i for i, line in enumerate(lines) if not _decodes(line, self.encoding))
        return InputError(
            f"{self.path}:{first + next(wrong, 0)}: not in {self.encoding.upper()} as the lines "
            f"before it; the file is damaged or mixes encodings; get it again, or convert it"
        )


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _tag(line: bytes) -> Tag | None:
    """The tag that a line is; None where it is none."""
    found = _TAG.fullmatch(line)
    if found is None:
        return None
    slash, name, number, corrected = found.groups()
    return Tag(
        name=name.decode().lower(),
        number=int(number) if number else None,
        corrected=bool(corrected),
        closes=bool(slash),
        closing=b"</%b%b%b>" % (name, number, corrected or b""),
        shown=re.sub(r"\d+", "n", (b"<%b%b%b>" % (name, number, corrected or b"")).decode()),
    )
