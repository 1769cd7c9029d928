"""The formats that can be imported, and how the files of each are found."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.errors import InputError

_SPLIT = re.compile(r"(?<![a-z])(train|valid|validation|test|dev|val)(?![a-z])", re.IGNORECASE)

_LCSTS = re.compile(r"PART_I\.txt", re.IGNORECASE)

# The files by split; a file of no split, such as LCSTS, stands under None.
Files = Mapping[Split | None, list[Path]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: the names of its files, and the languages and the dataset that it implies."""

    help: str
    names: str  # of its files, in words for a user
    pattern: str  # of the names of its files, a regular expression
    source: str | None = None
    target: str | None = None
    dataset: str | None = None
    num_files: int | None = 1  # files of a split; None: any number
    needs_lcsts: bool = False
    monolingual: bool = False  # whether a corpus may have one language
    corrected: bool = False  # whether people corrected references of the test set


FORMATS = {
    "ncls-en2zh": Format(
        help="EN2ZHSUM of NCLS",
        names="EN2ZHSUM_{train,valid,test}.txt",
        pattern=r"(?i:EN2ZHSUM_.*\.txt)",
        source="en",
        target="zh",
        dataset="en2zhsum",
        corrected=True,
    ),
    "ncls-zh2en": Format(
        help="ZH2ENSUM of NCLS, and PART_I.txt of LCSTS, which has its documents",
        names="ZH2ENSUM_{train,valid,test}.txt and PART_I.txt",
        pattern=r"(?i:ZH2ENSUM_.*\.txt|PART_I\.txt)",
        source="zh",
        target="en",
        dataset="zh2ensum",
        needs_lcsts=True,
        corrected=True,
    ),
    "released-shards": Format(
        help="the preprocessed shards of the paper's authors",
        names="*.{train,valid,test}.K.bert.pt",
        pattern=r".*\.pt",
        num_files=None,
    ),
    "en2desum": Format(
        help="En2DeSum's public download: text and German summary",
        names="{train,valid,test}.jsonl",
        pattern=r".*\.jsonl",
        source="en",
        target="de",
        dataset="en2desum",
    ),
    "jsonl": Format(
        help="your own, one object a line: id, document, mono, cross",
        names="{train,valid,test}.jsonl",
        pattern=r".*\.jsonl",
        monolingual=True,
    ),
    "lines": Format(
        help="parallel line files, as the NCLS code reads them",
        names="{train,valid,test}{.source,.target.ms,.target.cls}",
        pattern=r".*(\.source|\.target\.ms|\.target\.cls)",
        num_files=3,
    ),
}


def find_files(format: Format, paths: Sequence[Path]) -> Files:
    """The files of each split among ``paths`` and below, sorted by name.

    InputError for a path or split that is missing, for a file of another name or of no split, and
    for files of more than one corpus.
    """
    found: dict[Split | None, list[Path]] = {}
    for path in dict.fromkeys(paths):
        if not os.path.exists(path):  # Path.exists raises where a name is too long.
            raise InputError(f"{path}: no such file or folder")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and re.fullmatch(rf"(?!\.){format.pattern}", file.name):
                found.setdefault(split_of(file), []).append(file)
            elif file == path:
                raise InputError(f"{file}: expected a name like {format.names}")
    for files in found.values():
        files.sort(key=lambda path: path.name)  # the order of the released code's sorted glob
    _check_found(format, ", ".join(map(str, paths)), found)
    return found


def _check_found(format: Format, where: str, found: Files) -> None:
    lcsts = [path for path in found.get(None, []) if _LCSTS.fullmatch(path.name)]
    if others := [path for path in found.get(None, []) if path not in lcsts]:
        raise InputError(f"{others[0]}: its name does not tell train, valid or test")
    if not found.keys() & set(SPLITS):
        raise InputError(f"{where}: no file of a split here; expected names like {format.names}")
    if format.needs_lcsts and len(lcsts) != 1:
        raise InputError(
            f"{where}: expected one PART_I.txt of LCSTS, which has the documents, found "
            f"{len(lcsts)}; name it too"
        )
    if format.num_files is None:
        _check_one_corpus(where, [path.name for files in found.values() for path in files])
    for split in SPLITS:
        files = found.get(split, [])
        if format.num_files and len(files) > format.num_files:
            names = " and ".join(map(str, files[-2:]))
            raise InputError(f"more than one file for '{split}': {names}; name the ones to import")


def _check_one_corpus(where: str, names: Sequence[str]) -> None:
    corpora = {_SPLIT.split(name)[0]: name for name in names}
    twice = [name for name in set(names) if names.count(name) > 1]
    if len(corpora) > 1 or twice:
        found = f"{twice[0]} twice" if twice else " and ".join(sorted(corpora.values()))
        raise InputError(
            f"{where}: expected the shards of one corpus, found {found}; name the folder of one"
        )


def split_of(path: Path) -> Split | None:
    """The split that the last word of a file's name tells, such as ``dev``; None without one."""
    found = _SPLIT.findall(path.name)
    if not found:
        return None
    names: dict[str, Split] = {"train": "train", "test": "test"}
    return names.get(found[-1].lower(), "valid")
