"""``manifest.json``: origin, languages, files and counts of a corpus, from its import or build."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import Split
from mclas_lightning.errors import InputError
from mclas_lightning.files import (
    found_below,
    make_folder,
    num_records,
    read_json,
    whole_folder,
)

ENDINGS = (".jsonl", ".kept.jsonl", ".dropped.jsonl")  # of a split's files in a round trip


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a folder with train, valid and test.jsonl; empty without manifest.json."""

    dataset: str | None = None  # a name in conf/dataset/
    languages: dict[str, str | None] = field(default_factory=dict)  # source, target
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> records, sha256
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)  # split -> kept, skipped
    unknown_tags: dict[str, Any] = field(default_factory=dict)  # tag -> times, first place
    shards: dict[str, list[Any]] = field(default_factory=dict)  # split -> name, examples by shard


def read_manifest(folder: Path) -> Manifest:
    """The manifest in ``folder``, or the part on ``folder`` of the manifest in its parent."""
    if found := _content(folder):
        imported = found.get("corpus") == "imported"
        return Manifest(
            dataset=found.get("dataset"),
            languages=found.get("languages") or {},
            files=found.get("files") or {},
            counts=(found.get("counts") or {}) if imported else {},
            unknown_tags=found.get("unknown_tags") or {},
            shards=found.get("shards") or {},
        )
    files, start = _content(folder.parent).get("files", {}), f"{folder.name}/"
    return Manifest(
        files={name.removeprefix(start): f for name, f in files.items() if name.startswith(start)}
    )


def _content(folder: Path) -> dict[str, Any]:
    """The manifest in ``folder``; empty for none, and for one of another program."""
    path = folder / "manifest.json"
    found = read_json(path, dict) if path.exists() else {}
    return found if "corpus" in found else {}


def num_examples(folder: Path, split: Split) -> int | None:
    """Examples of a split, by the manifest or by counting lines; None where its file is missing."""
    path = folder / f"{split}.jsonl"
    if not path.exists():
        return None
    if written := read_manifest(folder).files.get(path.name):
        return written["records"]
    return num_records(path)


def training_files(folder: Path) -> list[Path]:
    """Each train.jsonl in ``folder`` and below, to read word pieces from; InputError for none.

    Those below hidden folders are no corpora: a killed import leaves such a folder.
    """
    if not (found := found_below(folder, "train.jsonl")):
        raise InputError(f"{folder}: no train.jsonl here or below to read word pieces from")
    return found


def check_replaceable(out: Path, corpus: str) -> None:
    """InputError where ``out`` has content other than an earlier corpus of the kind ``corpus``."""
    if Path.cwd().is_relative_to(out.resolve()):
        raise InputError(f"{out}: this folder would be replaced, and we are in it; name a new one")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if _content(out).get("corpus") != corpus:
        raise InputError(
            f"{out}: holds something other than a corpus of kind '{corpus}'; name a new folder"
        )


@contextmanager
def whole_corpus(out: Path) -> Iterator[Path]:
    """As ``whole_folder``, but only what an earlier corpus in ``out`` wrote is replaced.

    All else in ``out`` stays, such as ``tokenizer`` and ``vocabulary``, made from the earlier one.
    """
    with whole_folder(out) as part:
        yield part
        if out.is_dir():
            _copy_other_files(out, part, _written(out))


def _written(corpus: Path) -> set[Path]:
    """The files of a corpus that its import or build has written, by its manifest."""
    splits = [name.removesuffix(".jsonl") for name in _content(corpus).get("files", {})]
    files = {corpus / f"{split}{ending}" for split in splits for ending in ENDINGS}
    return {corpus / "manifest.json", corpus / "scores.png", *files}


def _copy_other_files(old: Path, new: Path, written: set[Path]) -> None:
    """Copy all but ``written``; no file is moved, so that ``old`` stays whole until replaced."""
    for path in old.iterdir():
        place = new / path.name
        if path in written:
            continue
        if any(path == file.parent for file in written):
            _copy_other_files(path, place, written)  # a corpus in a corpus, such as toy/en2de
        elif not place.exists():
            make_folder(new)
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, place, symlinks=True)
            else:
                shutil.copy2(path, place, follow_symlinks=False)
