"""Target vocabulary of a language: what its training summaries are written with (section 5.2).

Kept as a plain JSON list of ids, the form of the released dictionaries.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.files import read_json, write_json
from mclas_lightning.task import Special

Vocabulary = Mapping[Side, Sequence[int]]


def target_vocabulary(written: Iterable[int], special: Special) -> list[int]:
    """The ids of ``written`` in order, control tokens aside."""
    # Released code: [UNK] may be written. We: never, it stands for no text.
    return sorted(set(written) - set(special))


def save_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """One JSON file a side."""
    for side, ids in vocabulary.items():
        write_json(folder / f"{side}.json", list(ids))


def load_vocabulary(folder: Path, sides: Iterable[Side], size: int) -> dict[Side, list[int]]:
    """The files ``save_vocabulary`` wrote, checked against a vocabulary of ``size`` ids."""
    return {side: read_ids(folder / f"{side}.json", size) for side in sides}


def read_ids(path: Path, size: int) -> list[int]:
    """A JSON list of ids, as ours and the released dictionaries are; each is below ``size``."""
    ids = read_json(path, list)
    if not ids or not all(type(i) is int and 0 <= i < size for i in ids):
        raise InputError(f"{path}: expected a list of ids below {size:,}, the tokenizer's size")
    return ids
