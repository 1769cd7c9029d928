"""The corpora of NCLS (Zhu et al. 2019): EN2ZHSUM, and ZH2ENSUM joined with LCSTS.

EN2ZHSUM_{train,valid,test}.txt has articles, and each sentence of their summaries in English and
Chinese. ZH2ENSUM_{train,valid,test}.txt has English summaries alone; the Chinese documents and
summaries are in PART_I.txt of LCSTS under the same ids. Where people corrected a translation, as
in the test sets, the corrected one is the reference. A sentence of a summary is a line of its text.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mclas_lightning.corpora.readers.encodings import encoding_of
from mclas_lightning.corpora.readers.log import Log, Skip, Sources
from mclas_lightning.corpora.readers.tags import TagFile
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example

EN2ZH = ("article", "en-ref", "zh-ref")

# The reader knows the field of the back-translation and leaves it out: LCSTS has the true summary.
ZH2EN = ("en-summary", "back-translated-zh-summary")

LCSTS = ("summary", "short_text", "human_label")


def read_en2zh(path: Path, sources: Sources, log: Log) -> Iterator[Example]:
    """The examples of a file of EN2ZHSUM."""
    for record in TagFile(path, EN2ZH).records(sources, log):
        try:
            document, mono = _one_line(record.text("article")), record.sentences("en-ref")
            cross = record.sentences("zh-ref")
            if len(mono) != len(cross):
                raise Skip("more sentences in <en-refn> or <zh-refn> than in the other")
        except Skip as skip:
            log.skip(str(skip))
            continue
        log.corrected += record.corrected
        yield Example(id=record.id, document=document, mono="\n".join(mono), cross="\n".join(cross))


def read_zh2en(
    path: Path, sources: Sources, log: Log, documents: sqlite3.Connection
) -> Iterator[Example]:
    """The examples of a file of ZH2ENSUM; ``index_lcsts`` has filled the database ``documents``."""
    query = "SELECT mono, document FROM lcsts WHERE id = ?"
    for record in TagFile(path, ZH2EN).records(sources, log):
        try:
            cross = record.text("en-summary")
            found = documents.execute(query, (record.id,)).fetchone()
            if found is None:
                raise Skip("LCSTS has no document of this id")
        except Skip as skip:
            log.skip(str(skip))
            continue
        log.corrected += record.corrected
        yield Example(id=record.id, document=found[1], mono=found[0], cross=cross)


def index_lcsts(path: Path, sources: Sources, log: Log, documents: sqlite3.Connection) -> None:
    """Put documents and summaries of LCSTS by id into a database, for ``read_zh2en``.

    InputError for a file without such records.
    """
    documents.execute("CREATE TABLE lcsts (id TEXT PRIMARY KEY, mono, document)")
    insert = "INSERT OR IGNORE INTO lcsts VALUES (?, ?, ?)"
    for record in TagFile(path, LCSTS, encoding_of(path)).records(sources, log):
        try:
            row = record.id, record.text("summary"), _one_line(record.text("short_text"))
        except Skip as skip:
            log.skip(str(skip))
            continue
        if documents.execute(insert, row).rowcount:
            log.kept += 1
        else:
            log.skip("the id was used before")
    if not log.kept:
        raise InputError(
            f"{path}: no record with <summary> and <short_text>, as PART_I.txt of LCSTS has them"
        )


def _one_line(document: str) -> str:
    return document.replace("\n", " ")
