"""Corpora that can be downloaded: CrossSum with XL-Sum, WikiLingua, XWikis, X-SCITLDR, ConvSumX.

A function for each corpus makes an example of a record. Corpora that keep the summary S^A of a
document elsewhere are joined with it: ``index_mono`` puts S^A into a database by a key, which is
the article's address, or the document itself where there is no address. A document without a
partner has no mono summary.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import Split
from mclas_lightning.corpora.readers.log import Log, Skip, Sources, one_line, sentence_lines
from mclas_lightning.corpora.readers.records import Record, read_records
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example


@dataclass(frozen=True, kw_only=True)
class OpenCorpus:
    """Reads the files of one corpus for a pair of languages."""

    format: str
    source: str
    target: str | None
    scratch: sqlite3.Connection

    def read(self, path: Path, split: Split, sources: Sources, log: Log) -> Iterator[Example]:
        """The examples of a file."""
        make: Callable[[Record, str], Example | None] = {
            "crosssum": self._crosssum,
            "xlsum": self._xlsum,
            "wikilingua": self._wikilingua,
            "xwikis": self._xwikis,
            "xscitldr": self._xscitldr,
            "convsumx": self._convsumx,
        }[self.format]
        return read_records(
            path, sources, log, lambda record: make(record, f"{split}-{log.place[1]}")
        )

    def index_mono(self, paths: list[Path], sources: Sources, log: Log) -> None:
        """Put the mono summaries of files into the database, for ``read``."""
        self.scratch.execute("CREATE TABLE mono (key TEXT PRIMARY KEY, summary)")
        key_and_summary: Callable[[Record], tuple[str, str] | None] = {
            "crosssum": lambda record: (record.document("url"), record.summary("summary")),
            "wikilingua": self._own_summary,
            "xscitldr": lambda record: (_key(record["source"]), _first_target(record)),
            "xwikis": lambda record: (record.document("src_title"), record.summary("src_summary")),
        }[self.format]

        def insert(record: Record) -> None:
            if row := key_and_summary(record):
                done = self.scratch.execute("INSERT OR IGNORE INTO mono VALUES (?, ?)", row)
                if not done.rowcount:
                    raise Skip("the document was there before")
                log.kept += 1

        for path in paths:
            for _ in read_records(path, sources, log, insert):
                pass

    def _mono(self, key: str) -> str | None:
        """The indexed summary, if any."""
        found = self.scratch.execute("SELECT summary FROM mono WHERE key = ?", (key,)).fetchone()
        return found and found[0]

    def _crosssum(self, record: Record, _: str) -> Example:
        address = record.document("source_url")
        document, cross = record.document("text"), record.summary("summary")
        mono = self._mono(address)
        return Example(id=address, document=document, mono=mono, cross=cross)

    def _xlsum(self, record: Record, _: str) -> Example:
        document, mono = record.document("text"), record.summary("summary")
        return Example(id=record.document("url"), document=document, mono=mono)

    def _wikilingua(self, record: Record, name: str) -> Example | None:
        found = str(record.fields.get("gem_id") or name)
        if "source_aligned" in record.fields:
            document, (mono, cross) = self._aligned(record)
            return Example(id=found, document=document, mono=mono, cross=cross)
        if (pair := _languages(record)) != (self.source, self.target):
            if pair[0] != pair[1]:
                record.log.unknown_tag(f"{pair[0]} to {pair[1]}", *record.log.place)
            return None
        document, cross = record.document("source"), record.summary("target")
        mono = self._mono(_key(record["source"]))
        return Example(id=found, document=document, mono=mono, cross=cross)

    def _aligned(self, record: Record) -> tuple[str, tuple[str, ...]]:
        """The document in A, and the summaries in A and B, of a record with both languages."""
        documents, summaries = record["source_aligned"], record["target_aligned"]
        pair = self.source, str(self.target)
        if not (isinstance(documents, dict) and isinstance(summaries, dict)):
            raise Skip("source_aligned or target_aligned has no languages")
        for language in pair:
            if language not in summaries or language not in documents:
                path, number = record.log.place
                raise InputError(
                    f"{path}:{number}: is in {' and '.join(sorted(summaries))}, not in "
                    f"'{language}'; name the files of {pair[0]} and {pair[1]}"
                )
        document = one_line(record.text(documents[self.source]))
        written = tuple(sentence_lines(record.text(summaries[language])) for language in pair)
        if not document or not all(written):
            raise Skip("the document or a summary is empty")
        return document, written

    def _own_summary(self, record: Record) -> tuple[str, str] | None:
        if "source_aligned" in record.fields or _languages(record) != (self.source, self.source):
            return None
        return _key(record["source"]), record.summary("target")

    def _xwikis(self, record: Record, name: str) -> Example:
        sections = record["src_document"]
        if isinstance(sections, list):
            parts = [part for section in sections for part in _section(section)]
            document = one_line(record.text(parts))
        else:
            document = record.document("src_document")
        if not document:
            raise Skip("src_document is empty")
        found = record.fields.get("id")
        return Example(
            id=name if found is None else str(found),
            document=document,
            mono=self._lead(record),
            cross=record.summary("tgt_summary"),
        )

    def _lead(self, record: Record) -> str | None:
        """The record's own mono summary, else that of the article with its title."""
        if record.fields.get("src_summary"):
            return record.summary("src_summary")
        return self._mono(one_line(record.text(record.fields.get("src_title") or "")))

    def _xscitldr(self, record: Record, name: str) -> Example:
        document, cross = record.document("source"), _first_target(record)
        mono = self._mono(_key(record["source"]))
        return Example(id=name, document=document, mono=mono, cross=cross)

    def _convsumx(self, record: Record, name: str) -> Example:
        field = f"{self.target}_summary"
        if self.target == "uk" and field not in record.fields:
            field = "ukr_summary"  # of QMSumX
        if "dialogue" in record.fields:  # QMSumX: a summary answers a query.
            document = f"{record.document('en_query')} {record.document('dialogue')}"
        else:
            document = record.document("en_dialogue")
        mono, cross = record.summary("en_summary"), record.summary(field)
        found = record.fields.get("fname")
        return Example(id=f"{found}-{name}", document=document, mono=mono, cross=cross)


def _languages(record: Record) -> tuple[str, str]:
    return record["source_language"], record["target_language"]


def _section(section: Any) -> Iterator[Any]:
    if isinstance(section, dict):
        yield from (section.get("title"), section.get("content"))
    else:
        yield section


def _first_target(record: Record) -> str:
    """The first of several summaries, which is the author's own."""
    value = record["target"]
    text = sentence_lines(record.text(value[0] if isinstance(value, list) and value else value))
    if not text:
        raise Skip("target is empty")
    return text


def _key(document: Any) -> str:
    """A hash of a document without white space: X-SCITLDR joins SciTLDR's sentences without any."""
    parts = document if isinstance(document, list) else [document]
    text = "".join(map(str, parts))
    return hashlib.sha1("".join(text.split()).encode(errors="surrogatepass")).hexdigest()
