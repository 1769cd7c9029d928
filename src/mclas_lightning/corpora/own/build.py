"""Files of one's own to a corpus in ``data/NAME`` and a file ``conf/dataset/NAME.yaml``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mclas_lightning.config.dataset import SPLITS, check_two_languages
from mclas_lightning.config.overrides import command, override, uninterpolated
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.check import Report, check_corpus
from mclas_lightning.corpora.check.corpus import FIELD_NAMES
from mclas_lightning.corpora.check.judge import judge
from mclas_lightning.corpora.own.files import OwnFiles, own_files
from mclas_lightning.corpora.own.proposal import (
    Machine,
    Proposal,
    decoding_for,
    lengths,
    network_and_recipe,
    num_pieces,
    scenario_sizes,
)
from mclas_lightning.corpora.own.records import Fields
from mclas_lightning.corpora.own.splits import deal_lines, read_files, splits_of
from mclas_lightning.corpora.readers.log import Sources
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.files import CONF, num_records, sha256, whole_file, whole_folder, write_json
from mclas_lightning.metrics.language import check_language
from mclas_lightning.progress import progress_bar

DATA, CONF_DATASET = Path("data"), Path("conf", "dataset")

# The share of a field's texts in another language from which its language is named wrongly.
OTHER_LANGUAGE = 0.5

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class NewDataset:
    """What is asked for."""

    name: str
    source: str
    target: str
    paths: Sequence[Path]
    fields: Fields
    tokenizer: str | None  # a folder or a name on a hub; None: one is trained
    clean: bool  # whether leaks and repeated documents are left out
    seed: int


@dataclass(frozen=True)
class Made:
    """A new dataset: its check, its file of ``conf/dataset/``, and lines on what was done."""

    report: Report
    proposal: Proposal
    file: Path
    said: list[str]
    has_mono: bool


def new_dataset(asked: NewDataset) -> Made:
    """Write ``data/NAME`` and ``conf/dataset/NAME.yaml``, both or none.

    InputError for a name that is taken, for files that cannot be read, for texts in other languages
    and, without ``clean``, for a split that is in the training split.
    """
    _check_names(asked)
    tokenizer = Tokenizer.load(asked.tokenizer) if asked.tokenizer else None
    files = own_files(asked.paths)
    folder, file = DATA / asked.name, CONF_DATASET / f"{asked.name}.yaml"
    with whole_folder(folder) as part:
        said = _write_corpus(asked, files, part)
        report = check_corpus(part, None, asked.source, asked.target)
        _refuse(report, asked.clean)
        proposal = _propose(asked, tokenizer, part)
        has_mono = len(report.corpus.splits["train"].texts["mono"]) > 0
        with whole_file(file) as out:
            out.write(proposal.yaml())
    # Judged anew, by the lengths that were chosen since.
    corpus = replace(report.corpus, folder=folder, entry=catalog.named(asked.name))
    return Made(Report(corpus, judge(corpus)), proposal, file, said, has_mono)


def _check_names(asked: NewDataset) -> None:
    name = asked.name
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}': names a file and folders; expected letters, digits, - and _ alone"
        )
    check_two_languages(asked.source, asked.target)
    for option, language in (("--source", asked.source), ("--target", asked.target)):
        check_language(language, option)
    taken = [CONF_DATASET / f"{name}.yaml", DATA / name]
    for place in taken:
        if place.exists():
            raise InputError(f"{place}: is here already; choose another name, or delete it first")
    if (CONF / "dataset" / f"{name}.yaml").exists():
        raise InputError(f"'{name}': is a dataset of this program; choose another name")
    if other := catalog.of_run(name):
        raise InputError(
            f"'{name}': names the runs of {' '.join(other.words)}; choose another name"
        )


def _write_corpus(asked: NewDataset, files: OwnFiles, part: Path) -> list[str]:
    """Write the splits and the manifest; lines on the split and on what was left out."""
    total = sum(path.stat().st_size for paths in files.splits.values() for path in paths)
    with progress_bar(total, "importing", "B") as bar:
        sources = Sources(bar.update)
        read = read_files(files, asked.fields, sources, part / "read.jsonl")
    splits, said = splits_of(read, part / "read.jsonl", clean=asked.clean, seed=asked.seed)
    deal_lines(part / "read.jsonl", part, splits)
    (part / "read.jsonl").unlink()
    written = [part / f"{split}.jsonl" for split in SPLITS]
    write_json(
        part / "manifest.json",
        {
            "corpus": "imported",
            "format": f"own {files.kind}",
            "dataset": asked.name,
            "languages": {"source": asked.source, "target": asked.target},
            "counts": {
                name: {"kept": log.kept, "skipped": log.skipped} for name, log in read.logs.items()
            },
            "files": {
                path.name: {"records": num_records(path), "sha256": sha256(path)}
                for path in written
            },
            "split": said,
            "sources": sources.files,
        },
    )
    return said


def _refuse(report: Report, cleaned: bool) -> None:
    """InputError where the languages are others, or where a split is in the training split."""
    for split, measured in report.corpus.splits.items():
        if not len(measured):
            raise InputError(
                f"{split}: no example is left; give more examples, or a file for each split"
            )
        for field, texts in measured.texts.items():
            if (texts.wrong or 0) > OTHER_LANGUAGE:
                raise InputError(
                    f"{split}: {texts.wrong:.0%} of the {FIELD_NAMES[field]} are not in "
                    f"'{texts.language}'; check --source, --target and --fields"
                )
    for finding in report.findings:
        if finding.topic in ("overlap", "near") and not finding.ok and not cleaned:
            raise InputError(
                f"{finding.said}; a test would measure memory: give --clean to leave such examples "
                f"out of training, or other files"
            )


def _propose(asked: NewDataset, tokenizer: Tokenizer | None, part: Path) -> Proposal:
    """Train a tokenizer where none is given, and measure what fits the corpus."""
    num_train = num_records(part / "train.jsonl")
    if tokenizer is None:
        build_tokenizer(part, num_pieces(num_train), lowercase=False)
        tokenizer = Tokenizer.load(str(part / "tokenizer"))
    max_source, max_summary = lengths(part / "train.jsonl", tokenizer)
    network, optim = network_and_recipe(num_train, Machine.here())
    return Proposal(
        name=asked.name,
        source=asked.source,
        target=asked.target,
        tokenizer=uninterpolated(asked.tokenizer or "") or f"${{data}}/{asked.name}/tokenizer",
        sizes=scenario_sizes(num_train),
        max_source=max_source,
        max_summary=max_summary,
        network=network,
        optim=optim,
        decoding=decoding_for(max_summary),
        made_by=command("mclas new-dataset", [*_words(asked)]),
    )


def _words(asked: NewDataset) -> Iterator[str]:
    """The words of the command that asks for this dataset."""
    yield from (asked.name, "--source", asked.source, "--target", asked.target)
    if asked.fields:
        yield from ("--fields", ",".join(f"{field}={name}" for field, name in asked.fields.items()))
    if asked.tokenizer:
        yield from ("--tokenizer", asked.tokenizer)
    if asked.clean:
        yield "--clean"
    if asked.seed:
        yield from ("--seed", str(asked.seed))
    yield from map(str, asked.paths)


def next_commands(made: Made) -> Iterator[str]:
    """What to do with a new dataset."""
    name = made.proposal.name
    dataset = f"dataset={name}"
    yield command("mclas data check", [str(DATA / name)])
    if made.has_mono:
        init_from = override("init_from", f"runs/{name}/full/ms")
        yield command("mclas-train", [dataset, "model=ms"])
        for model in ("ncls", "mclas"):
            words = [dataset, "scenario=minimum", f"model={model}", init_from]
            yield command("mclas-train", words)
    else:
        yield command("mclas-train", [dataset, "model=ncls_scratch"])
    yield command("mclas table", ["--dataset", name])
    yield command("mclas show", ["--dataset", name])
