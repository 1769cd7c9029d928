"""``mclas data import``: a downloaded corpus becomes canonical jsonl and a manifest."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import SPLITS, Split, check_two_languages
from mclas_lightning.config.overrides import command
from mclas_lightning.corpora.manifest import check_replaceable, whole_corpus
from mclas_lightning.corpora.near import apart, held_out_of
from mclas_lightning.corpora.readers.archives import unpack
from mclas_lightning.corpora.readers.formats import FORMATS, Files, Format, find_files
from mclas_lightning.corpora.readers.log import Log, Sources, printable, skipped_unasked
from mclas_lightning.corpora.readers.pairs import check_pair, in_languages
from mclas_lightning.corpora.reading import Import, note, open_scratch, reader, triples
from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.example import Example, example_line
from mclas_lightning.files import write_json
from mclas_lightning.metrics.language import check_language
from mclas_lightning.progress import progress_bar

Languages = dict[str, str | None]  # source, target

MANY = 10**6  # files of a split that are joined


def import_corpus(
    format: str,
    paths: Sequence[Path],
    out: Path,
    *,
    source: str | None = None,
    target: str | None = None,
    tokenizer: str | None = None,
    others: Sequence[Path] | None = None,
    mono: Sequence[Path] = (),
    triples_only: bool = False,
) -> dict[str, Any]:
    """Write ``out``/{train,valid,test}.jsonl and manifest.json, whole or not at all; the manifest.

    ``paths`` are files of the format, or folders with such files. A damaged record is skipped and
    counted. With ``others`` (folders of corpora, or none), a document of train that is near one of
    valid or test, here or there, is skipped, and a document of valid that is near one of test here
    or of valid or test there; test stays as it is.
    ``mono`` are the files with the mono summaries, of a format that is joined with another corpus.
    With ``triples_only``, a record without a mono summary is skipped. InputError where a file is
    cut short, is of another format or mixes encodings, and where more records of a split are
    skipped than kept.
    """
    if format not in FORMATS:
        raise unknown_choice("format", format, FORMATS)
    languages = corpus_languages(FORMATS[format], source, target)
    if tokenizer and format != "released-shards":
        raise InputError("--tokenizer: this format has no ids to read; released-shards has")
    check_replaceable(out, "imported")
    held_out = None if others is None else held_out_of(others)
    with whole_corpus(out) as part:
        sources = Sources(int)
        files = _files(FORMATS[format], paths, languages, part / "unpacked", sources)
        joined = _mono_files(FORMATS[format], mono, languages, part / "unpacked", sources)
        total = sum(path.stat().st_size for path in chain(joined, *files.values()))
        with (
            progress_bar(total, "importing", "B") as bar,
            open_scratch(part / "scratch.sqlite", out) as scratch,
        ):
            sources.progress = bar.update
            job = Import(format, languages, tokenizer, files, sources, scratch, held_out, joined)
            job.triples_only = triples_only
            _write_splits(job, part)
        shutil.rmtree(part / "unpacked", ignore_errors=True)
        write_json(part / "manifest.json", job.manifest)
    return job.manifest


def _files(
    format: Format, paths: Sequence[Path], languages: Languages, unpacked: Path, sources: Sources
) -> Files:
    """The files of each split, out of archives as well."""
    pair = languages["source"], languages["target"]
    members = unpack(format, paths, unpacked, pair, sources) if format.open else []
    return find_files(format, paths, pair, {path: sources.shown(path) for path in members})


def _mono_files(
    format: Format, paths: Sequence[Path], languages: Languages, unpacked: Path, sources: Sources
) -> list[Path]:
    """The files of the corpus that has the mono summaries; InputError where it has none."""
    if paths and not format.joined:
        raise InputError("--mono: this format is not joined with another corpus")
    if not paths:
        return []
    # Every name is taken, and of XL-Sum's and XWikis's, those in the documents' language.
    like = replace(format, pair=format.mono_pair, num_files=MANY)
    found = _files(like, paths, {**languages, "target": None}, unpacked / "mono", sources)
    return [path for files in found.values() for path in files]


def _write_splits(job: Import, part: Path) -> None:
    dataset = FORMATS[job.format].dataset
    if job.format == "released-shards":
        datasets = {(f.source, f.target): f.dataset for f in FORMATS.values()}
        dataset = datasets.get((job.languages["source"], job.languages["target"]))
    job.manifest |= {
        "corpus": "imported",
        "format": job.format,
        "dataset": dataset,
        "languages": job.languages,
        "counts": {},
        "unknown_tags": {},
        "files": {},
    }
    read = reader(job)
    for split in SPLITS if job.apart is None else reversed(SPLITS):
        if split in job.files:
            log = Log()
            examples = in_languages(read(split, log), job.languages)
            if job.triples_only:
                examples = triples(examples, log)
            if job.apart is not None:
                examples = apart(split, examples, job.apart, log.skip)
            examples = _once(examples, log, job.scratch)
            job.manifest["files"][f"{split}.jsonl"] = _write(part / f"{split}.jsonl", examples, log)
            _check_kept(log, split)
            _check_joined(job, split, log)
            note(job, split, log)
    job.manifest["sources"] = job.sources.files


def _once(examples: Iterator[Example], log: Log, scratch: sqlite3.Connection) -> Iterator[Example]:
    """The examples whose id no earlier example of the split has; the others are logged."""
    scratch.execute("DROP TABLE IF EXISTS seen")
    scratch.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")
    insert = "INSERT OR IGNORE INTO seen VALUES (?)"
    for example in examples:
        if scratch.execute(insert, (example.id,)).rowcount:
            log.kept += 1
            log.alone += example.mono is None
            yield example
        else:
            log.skip("the id was used before")


def _write(path: Path, examples: Iterable[Example], log: Log) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for example in examples:
            line = example_line(example).encode()
            digest.update(line)
            file.write(line)
    return {"records": log.kept, "sha256": digest.hexdigest()}


def _check_kept(log: Log, split: Split) -> None:
    """InputError where a split has no record, or more skipped than kept: the files are wrong.

    Records that the user asked to leave out are right, however many they are.
    """
    if skipped_unasked(log.skipped) <= log.kept and log.kept:
        return
    if not log.skipped:
        others = f" but those not read ({', '.join(log.unknown)})" if log.unknown else ""
        raise InputError(f"{split}: no record found{others}; are these files of the format named?")
    reason, most = max(log.skipped.items(), key=lambda item: item[1]["records"])
    raise InputError(
        f"{split}: {log.num_skipped:,} of {log.num_skipped + log.kept:,} records cannot be used, "
        f"{most['records']:,} because: {reason} (first {most['first']}); are these the right files?"
    )


def _check_joined(job: Import, split: Split, log: Log) -> None:
    """InputError where no document of a split has a partner among the files of ``--mono``."""
    if job.mono and log.alone >= log.kept:
        raise InputError(
            f"{split}: none of {log.kept:,} documents is in {job.mono[0].name}, where its mono "
            f"summary is looked for; is it of the documents' language, and of the same version?"
        )


def corpus_languages(format: Format, source: str | None, target: str | None) -> Languages:
    """The languages of a corpus: those asked for, and those that its format decides.

    InputError for a language that is missing, unknown or not in the corpus.
    """
    for given, decided, option in (
        (source, format.source, "--source"),
        (target, format.target, "--target"),
    ):
        if decided and given not in (None, decided):
            raise InputError(f"{option} {given}: this format is in '{decided}'")
    source, target = format.source or source, format.target or target
    if source is None or (target is None and not format.monolingual):
        raise InputError("give the languages of the corpus, such as --source en --target de")
    check_two_languages(source, target)
    if format.open:
        if format.monolingual and target:
            raise InputError(f"--target {target}: this format is in one language")
        check_pair("this corpus", (source, target), format.sources, format.targets)
    if format.source is None:
        for language in filter(None, (source, target)):
            check_language(language)
    return {"source": source, "target": target}


def describe_import(out: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Lines on the examples of each split, and on the records and tags that were left out."""
    sizes = ", ".join(f"{name} {file['records']:,}" for name, file in manifest["files"].items())
    yield f"{printable(out)}: {sizes}"
    if manifest.get("swapped"):
        yield "  tgt and tgt_eng were swapped: tgt is the summary in the documents' language"
    for split, counts in manifest["counts"].items():
        if "corrected" in counts:
            yield f"  {split}: references that people corrected: {counts['corrected']:,}"
        if "alone" in counts:
            yield _joined_line(split, counts, manifest["files"][f"{split}.jsonl"]["records"])
        for reason, seen in counts["skipped"].items():
            yield f"  {split}: {seen['records']:,} skipped: {reason} (first {seen['first']})"
    for tag, seen in manifest["unknown_tags"].items():
        yield f"  not read: {tag}, {seen['times']:,} times (first {seen['first']})"
    missing = [split for split in SPLITS if f"{split}.jsonl" not in manifest["files"]]
    if missing:
        yield f"  no files for: {', '.join(missing)}"
    yield f"look at it with: {command('mclas data check', [printable(out)])}"


def _joined_line(split: str, counts: dict[str, Any], kept: int) -> str:
    found = max(0, kept - counts["alone"])
    few = "; few: is it of another language or version?" if 0 < found < kept / 2 else ""
    advice = ""
    if not found:
        advice = "; name the files that have them (--xlsum, --scitldr, --mono)"
    elif found < kept:
        advice = "; ncls alone can learn from the others, --triples leaves them out"
    return f"  {split}: mono summaries of {found:,} of {kept:,} ({found / kept:.0%}){few}{advice}"
