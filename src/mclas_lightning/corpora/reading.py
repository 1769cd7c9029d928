"""An import that is running, and the function that reads a split of its format."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora.near import HeldOut
from mclas_lightning.corpora.readers import lines, ncls
from mclas_lightning.corpora.readers.formats import FORMATS, Files
from mclas_lightning.corpora.readers.log import NO_MONO, Log, Sources, printable
from mclas_lightning.corpora.readers.open_corpora import OpenCorpus
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from mclas_lightning.files import NOTHING_KEPT


@dataclass
class Import:
    """An import that is running."""

    format: str
    languages: dict[str, str | None]
    tokenizer: str | None
    files: Files
    sources: Sources
    scratch: sqlite3.Connection  # ids seen before, and the documents of LCSTS
    apart: HeldOut | None  # documents that no later split may be near to
    mono: list[Path] = field(default_factory=list)  # files with mono summaries to join
    triples_only: bool = False  # without records that have no mono summary
    manifest: dict[str, Any] = field(default_factory=dict)


def reader(job: Import) -> Callable[[Split, Log], Iterator[Example]]:
    """A function that reads a split of this format."""
    files, sources = job.files, job.sources
    if job.format == "ncls-en2zh":
        return lambda split, log: _each(files[split], lambda p: ncls.read_en2zh(p, sources, log))
    if job.format == "ncls-zh2en":
        (lcsts,) = files[None]
        log = Log()
        ncls.index_lcsts(lcsts, sources, log, job.scratch)
        note(job, lcsts.name, log)
        return lambda split, log: _each(
            files[split], lambda p: ncls.read_zh2en(p, sources, log, job.scratch)
        )
    if job.format == "en2desum":
        return lambda split, log: _each(
            files[split], lambda p: lines.read_en2desum(p, split, sources, log)
        )
    if FORMATS[job.format].open:
        return _open_reader(job)
    if job.format == "jsonl":
        return lambda split, log: _each(
            files[split], lambda p: lines.read_canonical(p, sources, log)
        )
    if job.format == "lines":
        return lambda split, log: lines.read_parallel(
            lines.parallel_files(files[split], split), split, sources, log
        )
    return _shard_reader(job)


def _open_reader(job: Import) -> Callable[[Split, Log], Iterator[Example]]:
    corpus = OpenCorpus(
        format=job.format,
        source=str(job.languages["source"]),
        target=job.languages["target"],
        scratch=job.scratch,
    )
    if joined := FORMATS[job.format].joined:
        log = Log()
        # WikiLingua's files of a pair have records in one language as well.
        own = chain(*job.files.values()) if job.format == "wikilingua" else ()
        corpus.index_mono([*job.mono, *own], job.sources, log)
        if log.kept or log.skipped:
            note(job, joined, log)
    return lambda split, log: _each(
        job.files[split], lambda path: corpus.read(path, split, job.sources, log)
    )


def _shard_reader(job: Import) -> Callable[[Split, Log], Iterator[Example]]:
    from mclas_lightning.corpora.readers.shards import ShardReader
    from mclas_lightning.data.tokenizer import Tokenizer

    reader = ShardReader(
        source=str(job.languages["source"]),
        target=str(job.languages["target"]),
        tokenizer=Tokenizer.load(job.tokenizer) if job.tokenizer else None,
    )
    first = next(job.files[split][0] for split in SPLITS if split in job.files)
    reader = replace(reader, swapped=reader.fields_are_swapped(first))
    job.manifest |= {"swapped": reader.swapped, "shards": {}}

    def read(split: Split, log: Log) -> Iterator[Example]:
        sizes = job.manifest["shards"][split] = []
        for path in job.files[split]:
            before = log.kept
            yield from reader.read(path, job.sources, log)
            sizes.append([printable(path.name), log.kept - before])

    return read


def _each(paths: Iterable[Path], read: Callable[[Path], Iterator[Example]]) -> Iterator[Example]:
    for path in paths:
        yield from read(path)


def note(job: Import, name: str, log: Log) -> None:
    """Put the counts of a log into the manifest."""
    job.manifest["counts"][name] = {"kept": log.kept, "skipped": log.skipped}
    if FORMATS[job.format].joined and name in SPLITS:
        job.manifest["counts"][name]["alone"] = log.alone
    if FORMATS[job.format].corrected and name == "test":
        job.manifest["counts"][name]["corrected"] = log.corrected
    for tag, seen in log.unknown.items():
        known = job.manifest["unknown_tags"].setdefault(tag, {**seen, "times": 0})
        known["times"] += seen["times"]


def triples(examples: Iterable[Example], log: Log) -> Iterator[Example]:
    """The examples that have a mono summary; the others are logged."""
    for example in examples:
        if example.mono is None:
            log.skip(NO_MONO)
        else:
            yield example


@contextmanager
def open_scratch(path: Path, out: Path) -> Iterator[sqlite3.Connection]:
    """A database on the disk of the corpus, for more ids and documents than memory would hold."""
    try:
        # No other process knows the file, and some file systems have no locks.
        place = f"{path.absolute().as_uri()}?nolock=1"
        with closing(sqlite3.connect(place, uri=True, isolation_level=None)) as connection:
            for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
                connection.execute(statement)
            yield connection
    except sqlite3.OperationalError as error:
        raise InputError(f"{out}: cannot be written ({error}); {NOTHING_KEPT}") from error
    path.unlink()
