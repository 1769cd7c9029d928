"""Records of NCLS and LCSTS: fields between tags, with one tag or one text in a line.

    <doc id=7>
    <EN-REF1>
    text, of one line or several
    </EN-REF1>
    </doc>

The name of a tag may hold the number of a sentence and ``human-corrected``. Fields may stand in any
order, with unknown fields between them.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.corpora.readers.encodings import decode
from mclas_lightning.corpora.readers.log import MAX_RECORD, Log, Skip, Sources
from mclas_lightning.errors import InputError

_END = b"</doc>"

_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)(?:\s[^<>]*)?>", re.ASCII)

_DOC = re.compile(r"<doc\s(?:[^<>]*\s)?id\s*=\s*[\"']?([^\"'<>\s]+)[^<>]*>")

_CORRECTED = re.compile(r"[-_]?human[-_]corrected[-_]?")

_NUMBERED = re.compile(r"(.*?)(\d{0,6})", re.ASCII)

_LONGEST_TAG = 200  # characters; a longer line is text, on which no regular expression is tried

_MOST_KEPT = 4096  # lines whose tags are remembered

CORRECTED = "-human-corrected"


class Tag(NamedTuple):
    """A tag: ``<EN-REF2-human-corrected>`` is of the field en-ref-human-corrected, number 2."""

    field: str
    number: int  # 0 for a tag without a number
    closes: bool  # whether it is a closing tag
    closing: str  # the line of its closing tag
    shown: str  # the tag in messages and counts: n stands for a number


class Tags(dict[str, Tag | None]):
    """Line -> its tag, or None for a text; a file has few different tags, which are remembered."""

    def __missing__(self, line: str) -> Tag | None:
        tag = _parse_tag(line) if len(line) <= _LONGEST_TAG else None
        if tag and len(self) < _MOST_KEPT:
            self[line] = tag
        return tag


# The texts of each field by their numbers.
Fields = dict[str, dict[int, str]]


class Record(NamedTuple):
    """The fields of a document; a corrected field replaces the field of the same name."""

    id: str
    fields: Fields

    def text(self, name: str) -> str:
        """The text of the field ``name``, with its lines; Skip where there is none."""
        try:
            return self._numbered(name)[0]
        except KeyError:
            raise Skip(f"no <{name}>") from None

    def sentences(self, name: str) -> list[str]:
        """The numbered fields ``name`` in order, a line each; Skip for none or a missing number."""
        numbered = self._numbered(name)
        if not numbered:
            raise Skip(f"no <{name}n>")
        numbers = sorted(numbered)
        if numbers[0] > 1 or numbers[-1] != numbers[0] + len(numbers) - 1:
            raise Skip(f"<{name}n> are not numbered 1, 2, 3, ...")
        return [numbered[number].replace("\n", " ") for number in numbers]

    @property
    def corrected(self) -> bool:
        """Whether the record has a field that people corrected."""
        return any(name.endswith(CORRECTED) for name in self.fields)

    def _numbered(self, name: str) -> dict[int, str]:
        plain, corrected = self.fields.get(name, {}), self.fields.get(name + CORRECTED)
        return {**plain, **corrected} if corrected else plain


class TagFile:
    """A file of records with the fields ``names``."""

    def __init__(self, path: Path, names: Collection[str], encoding: str = "utf-8") -> None:
        self.path, self.encoding, self.tags = path, encoding, Tags()
        # "doc" is known, so that a document inside a document counts as a field without its end.
        self.known = {"doc", *names, *(name + CORRECTED for name in names)}

    def records(self, sources: Sources, log: Log) -> Iterator[Record]:
        """Each whole record; other records are skipped and counted in ``log``.

        InputError where the file ends inside a record, and for a record of more than 16 MiB.
        """
        for number, lines in self._parts(sources, log):
            start = _next_document(lines, 0)
            if start is None:
                log.place = self.path, number + len(lines) - 1
                log.skip("no <doc id=...>")
            else:
                self._note_outside(number, lines[:start], log)
            while start is not None:
                log.place, found = (self.path, number + start), _doc_id(lines[start])
                assert found is not None
                following = None
                try:
                    yield Record(found, self._fields(number, lines, start + 1, log))
                except Skip as skip:
                    following = _next_document(lines, start + 1)
                    log.skip(str(skip) if following is None else "no </doc>")
                start = following

    def _parts(self, sources: Sources, log: Log) -> Iterator[tuple[int, list[str]]]:
        """For each ``</doc>``, the lines since the last one and the number of the first of them."""
        number, rest = 1, b""
        for chunk in sources.chunks(self.path):
            *parts, rest = (rest + chunk).split(_END)
            for part in parts:
                text = decode(part, self.encoding, self.path, number)
                lines = [*map(str.strip, text.split("\n"))]
                yield number, lines
                number += len(lines) - 1
            if len(rest) > MAX_RECORD:
                raise InputError(
                    f"{self.path}:{number}: no </doc> in {MAX_RECORD:,} bytes from here"
                )
        self._check_end(number, [line.strip() for line in rest.split(b"\n")], log)

    def _check_end(self, number: int, lines: Sequence[bytes], log: Log) -> None:
        """Count closing tags after the last document; InputError for all else but blank lines."""
        for at, line in enumerate(lines):
            tag = self.tags[line.decode("ascii", "replace")]
            if line and (tag is None or not tag.closes):
                raise InputError(
                    f"{self.path}:{number + at}: the file ends inside this record (it has no "
                    f"</doc>): it is cut short, or not of this format; get it again"
                )
            if tag:
                log.unknown_tag(tag.shown, self.path, number + at)

    def _note_outside(self, number: int, lines: Sequence[str], log: Log) -> None:
        """Count the tags and texts between documents."""
        for at, line in enumerate(lines):
            if line:
                tag = self.tags[line]
                log.unknown_tag(
                    tag.shown if tag else "text between records", self.path, number + at
                )

    def _fields(self, number: int, lines: list[str], at: int, log: Log) -> Fields:
        """The known fields from line ``at`` on; Skip for one without its end, or twice there."""
        found: Fields = {}
        inside_unknown = False
        while at < len(lines):
            line = lines[at]
            tag = self.tags[line] if line[:1] == "<" else None
            if tag is None:
                if line and not inside_unknown:
                    log.unknown_tag("text between fields", self.path, number + at)
            elif tag.field in self.known:
                opened, at, inside_unknown = at, self._end_of(tag, lines, at + 1), False
                numbered = found.setdefault(tag.field, {})
                if tag.number in numbered:
                    raise Skip(f"{tag.shown} is there twice")
                if text := _joined_lines(lines, opened + 1, at):
                    numbered[tag.number] = text
            else:
                inside_unknown = not tag.closes
                if inside_unknown:
                    log.unknown_tag(tag.shown, self.path, number + at)
            at += 1
        return found

    def _end_of(self, tag: Tag, lines: Sequence[str], at: int) -> int:
        """The line that closes a tag; Skip where another known tag or the end comes first."""
        for end in range(at, 0 if tag.closes else len(lines)):
            line = lines[end]
            if line == tag.closing:
                return end
            other = self.tags[line] if line[:1] == "<" else None
            if other and other.field in self.known:
                break
        raise Skip(f"{tag.shown} is not opened and closed")


def _joined_lines(lines: list[str], first: int, end: int) -> str:
    return lines[first] if end == first + 1 else "\n".join(filter(None, lines[first:end]))


def _next_document(lines: Sequence[str], first: int) -> int | None:
    return next((at for at in range(first, len(lines)) if _doc_id(lines[at])), None)


def _doc_id(line: str) -> str | None:
    found = _DOC.fullmatch(line) if line[:4] == "<doc" and len(line) <= _LONGEST_TAG else None
    return found and found[1]


def _parse_tag(line: str) -> Tag | None:
    found = _TAG.fullmatch(line)
    if found is None:
        return None
    slash, name = found.groups()
    plain, corrected = _CORRECTED.subn("", name.lower())
    numbered = _NUMBERED.fullmatch(plain)
    assert numbered is not None
    return Tag(
        field=numbered[1] + (CORRECTED if corrected else ""),
        number=int(numbered[2] or 0),
        closes=bool(slash),
        closing=f"</{name}>",
        shown=f"<{slash}{re.sub(r'[0-9]+', 'n', name)}>",
    )
