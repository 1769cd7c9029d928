"""The corpora of NCLS (Zhu et al. 2019): EN2ZHSUM, and ZH2ENSUM joined with LCSTS.

EN2ZHSUM_{train,valid,test}.txt has the article and, for each sentence n of the summary, it in
English and Chinese. ZH2ENSUM_{train,valid,test}.txt has no articles: they, and the true Chinese
summaries, are in PART_I.txt of LCSTS under the same ids. Where people corrected a translation, as
in the test sets, that is the reference.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mclas_lightning.data.example import Example
from mclas_lightning.data.readers.log import Log, Skip, Sources
from mclas_lightning.data.readers.tags import TagFile
from mclas_lightning.errors import InputError

EN2ZH = ("article", "en-ref", "zh-ref")
# The back-translation is known and left out: LCSTS has the true Chinese summary.
ZH2EN = ("en-summary", "back-translated-zh-summary")
LCSTS = ("summary", "short_text", "human_label")
SAMPLE = 2**16  # bytes whose encoding is tried


def read_en2zh(path: Path, sources: Sources, log: Log) -> Iterator[Example]:
    """The examples of a file of EN2ZHSUM."""
    for record in TagFile(path=path, known=EN2ZH).records(sources, log):
        try:
            yield Example(
                id=record.id,
                document=record.text("article"),
                mono=record.sentences("en-ref", " "),
                cross=record.sentences("zh-ref", ""),
            )
        except Skip as skip:
            log.skip(str(skip), record.where)


def read_zh2en(
    path: Path, sources: Sources, log: Log, documents: sqlite3.Connection
) -> Iterator[Example]:
    """The examples of a file of ZH2ENSUM; ``documents`` are those of ``index_lcsts``."""
    for record in TagFile(path=path, known=ZH2EN).records(sources, log):
        try:
            cross = record.text("en-summary")
        except Skip as skip:
            log.skip(str(skip), record.where)
            continue
        query = "SELECT mono, document FROM lcsts WHERE id = ?"
        found = documents.execute(query, (record.id,)).fetchone()
        if found is None:
            log.skip("LCSTS has no document of this id", record.where)
        else:
            yield Example(id=record.id, document=found[1], mono=found[0], cross=cross)


def index_lcsts(path: Path, sources: Sources, log: Log, documents: sqlite3.Connection) -> int:
    """Put the documents and summaries of LCSTS where ``read_zh2en`` looks for them; how many."""
    documents.execute("CREATE TABLE lcsts (id TEXT PRIMARY KEY, mono, document) WITHOUT ROWID")
    file = TagFile(path=path, known=LCSTS, encoding=encoding_of(path))
    documents.executemany(
        "INSERT OR IGNORE INTO lcsts VALUES (?, ?, ?)",
        (
            (record.id, record.fields["summary", None], record.fields["short_text", None])
            for record in file.records(sources, log)
            if {("summary", None), ("short_text", None)} <= record.fields.keys()
        ),
    )
    (count,) = documents.execute("SELECT count(*) FROM lcsts").fetchone()
    if not count:
        raise InputError(
            f"{path}: no record with <summary> and <short_text>, as PART_I.txt of LCSTS has them"
        )
    return count


def encoding_of(path: Path) -> str:
    """UTF-8, or GB18030 where the beginning of the file is not that."""
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        sample[: sample.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
