"""Training documents that the test set has, too, or almost: a score on these measures memory."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.overrides import command
from mclas_lightning.corpora.near import (
    NEAR,
    SHINGLE_WORDS,
    WORDS_VERSION,
    HeldOut,
    near_duplicates,
)
from mclas_lightning.data.store import TokenStore, check_unchanged
from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder, read_json, sha256, write_json
from mclas_lightning.runs.lock import one_at_a_time


def count_leaks(dataset: DatasetConfig, train: TokenStore, rows: np.ndarray, root: Path) -> int:
    """How many training examples in ``rows`` are near a test document, which has to be allowed.

    InputError unless ``dataset.leaks`` is ``allow``. What was found in a corpus is kept in the
    folder ``root``, by the hashes of its files.
    """
    near = _near(train, dataset.file("test"), root)
    chosen = set(train.ids(rows.tolist())) if near else set()
    found = [one for one in near if one["id"] in chosen]
    if found and dataset.leaks != "allow":
        first = found[0]
        check = command("mclas data check", [dataset.path])
        raise InputError(
            f"{train.path}: {len(found):,} of the {len(rows):,} training documents are in "
            f"{dataset.file('test')}, or nearly (first '{first['id']}', there '{first['there']}', "
            f"similarity {first['similarity']:.2f}): a score would measure memory; {check} shows "
            f"them, mclas data import --apart leaves them out, dataset.leaks=allow trains on them"
        )
    return len(found)


def _near(train: TokenStore, test: Path, root: Path) -> list[dict[str, Any]]:
    """All near-duplicates of test documents in the training file, looked for once."""
    read = {train.path: train.about["corpus_sha256"], test: sha256(test)}
    identity = f"{':'.join(read.values())}:{NEAR}:{SHINGLE_WORDS}:{WORDS_VERSION}"
    path = root / f"leaks-{hashlib.sha256(identity.encode()).hexdigest()[:32]}.json"
    if not path.exists():
        make_folder(root)
        # Of several processes that need it, one makes it.
        with one_at_a_time(path.with_suffix(".lock")):
            if not path.exists():
                held_out = HeldOut()
                held_out.add_file("test", test)
                found = [one._asdict() for one in near_duplicates(train.path, held_out)]
                for file, hash in read.items():
                    check_unchanged(file, hash)
                write_json(path, found)
    return read_json(path, list)
