"""The files of a corpus of one's own: their kind, and the split that each belongs to."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.corpora.readers.formats import split_of
from mclas_lightning.errors import InputError
from mclas_lightning.files import found_below

# The kind of a file by the end of its name. Any other file holds one text a line.
KINDS = {
    **{".jsonl": "jsonl", ".json": "jsonl", ".csv": "table", ".tsv": "table"},
    **{".arrow": "arrow", ".parquet": "parquet"},
}

LINES = "lines"

# What makes a file to read of one that is none, by the end of its name.
_TO_READ = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), "save it as CSV"),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz"), "unpack it"),
}

# Files of a Hugging Face dataset folder that hold no examples.
_DESCRIPTIONS = {"dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json"}

POOL = "all"  # stands for the split of files that are in none


@dataclass(frozen=True)
class OwnFiles:
    """The files of a corpus, all of one kind, by split; under ``POOL`` where no name tells one."""

    kind: str
    splits: Mapping[Split | str, list[Path]]


def own_files(paths: Iterable[Path]) -> OwnFiles:
    """The files among ``paths`` and below; InputError for none, or for files of several kinds.

    InputError, too, where the names of some files alone tell a split, or where none is of training.
    """
    found = list(dict.fromkeys(file for path in paths for file in _files_at(path)))
    kinds: dict[str, Path] = {}
    for file in found:
        if advice := _TO_READ.get(file.suffix.lower()):
            raise InputError(f"{file}: is not read as it is; {advice} first")
        kinds.setdefault(KINDS.get(file.suffix.lower(), LINES), file)
    if len(kinds) > 1:
        one, other, *_ = kinds.values()
        raise InputError(f"{one} and {other}: expected files of one kind; name those of one kind")
    splits: dict[Split | str, list[Path]] = {}
    for file in found:
        splits.setdefault(split_of(file) or _split_of_folder(file.parent) or POOL, []).append(file)
    _check_splits(splits)
    return OwnFiles(next(iter(kinds)), splits)


def _split_of_folder(folder: Path) -> Split | None:
    """The split that names a folder of numbered files, as in a saved Hugging Face dataset."""
    return split_of(folder) if re.fullmatch("[a-z]+", folder.name) else None


def _files_at(path: Path) -> Iterator[Path]:
    if not os.path.exists(path):  # Path.exists raises where a name is too long.
        raise InputError(f"{path}: no such file or folder")
    if path.is_file():
        yield path
        return
    below = [file for file in found_below(path, "*") if _may_hold_examples(file)]
    if not below:
        raise InputError(
            f"{path}: no file here ends in {', '.join(KINDS)}; name files of lines one by one"
        )
    yield from below


def _may_hold_examples(file: Path) -> bool:
    other = file.name.startswith("cache-") or file.name in _DESCRIPTIONS
    return file.suffix.lower() in KINDS and not other


def _check_splits(splits: Mapping[Split | str, Sequence[Path]]) -> None:
    if POOL in splits and len(splits) > 1:
        raise InputError(
            f"{splits[POOL][0]}: its name does not tell train, valid or test, as those of other "
            f"files do; rename it, or give it alone"
        )
    if POOL not in splits and "train" not in splits:
        first = next(iter(splits.values()))[0]
        raise InputError(
            f"{first}: expected a training file as well, found {', '.join(splits)} alone; name it, "
            f"or rename this one so that its name tells no split"
        )


def ordered(splits: Mapping[Split | str, list[Path]]) -> Iterator[tuple[Split | str, list[Path]]]:
    """The splits that are there, training first."""
    yield from ((split, splits[split]) for split in (POOL, *SPLITS) if split in splits)
