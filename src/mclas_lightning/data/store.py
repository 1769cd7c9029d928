"""Token ids of a corpus file, made once as Arrow streams and mapped into memory.

A store belongs to the content of one file, one tokenizer, one length limit and whether sentences
are set apart: its folder is named by the hash of all, so whatever changes makes another one. A
store whose files are damaged is made again.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mclas_lightning.data.encoding import (
    TEXTS,
    EncodedRange,
    EncodingSpec,
    Range,
    encode_range,
    ranges,
)
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Side, read_jsonl
from mclas_lightning.files import make_folder, read_json, sha256, whole_folder, write_json
from mclas_lightning.progress import cores, progress_bar, worker_pool
from mclas_lightning.runs.lock import one_at_a_time

FORMAT = 4

HASHES = "hashes.json"  # of all other files of a store

RANGE = 16 * 2**20  # bytes of jsonl that a process encodes at a time


@dataclass(frozen=True)
class TokenStore:
    """The ids of all texts of a corpus file, in its order; only what is asked for is read."""

    path: Path  # the corpus file
    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """``records``, ``corpus_sha256``, first ``missing`` record and ``written`` ids by side."""
        return read_json(self.folder / "store.json", dict)

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        """Record batches of ``SCHEMA`` in the order of the corpus; their bytes stay on disk."""
        parts = sorted(self.folder.glob("part-*.arrow"))
        return [b for part in parts for b in pa.ipc.open_stream(pa.memory_map(str(part)))]

    @cached_property
    def _stops(self) -> np.ndarray:
        """The row after the last one of each record batch."""
        return np.cumsum([batch.num_rows for batch in self._batches])

    @cached_property
    def _texts(self) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
        """For each text and record batch: the ids of all its rows, and the borders of the rows."""
        columns = {text: [batch.column(text) for batch in self._batches] for text in TEXTS}
        return {
            text: [(c.values.to_numpy(), c.offsets.to_numpy()) for c in of_text]  # pyright: ignore
            for text, of_text in columns.items()
        }

    def _places(self, rows: Sequence[int] | np.ndarray) -> list[tuple[int, int]]:
        """The record batch of each row, and the row's number inside of it."""
        at = np.asarray(rows, np.int64)
        batches = np.searchsorted(self._stops, at, side="right")
        inside = at - np.concatenate([[0], self._stops])[batches]
        return list(zip(batches.tolist(), inside.tolist(), strict=True))

    def __reduce__(self) -> tuple[type["TokenStore"], tuple[Path, Path]]:
        """A pickle holds the paths alone; whoever loads it maps the files anew."""
        return TokenStore, (self.path, self.folder)

    def __len__(self) -> int:
        return self.about["records"]

    @property
    def keys(self) -> np.ndarray:
        """64 bits for each id (uint64)."""
        return np.load(self.folder / "keys.npy")

    def lengths(self, text: str) -> np.ndarray:
        """Ids of each ``document``, ``mono`` or ``cross`` (int32)."""
        return np.load(self.folder / "lengths.npy", mmap_mode="r")[TEXTS.index(text)]

    def whole_lengths(self, text: str) -> np.ndarray:
        """The same before texts were cut."""
        return np.load(self.folder / "whole.npy", mmap_mode="r")[TEXTS.index(text)]

    def texts(self, rows: np.ndarray, names: Iterable[str]) -> dict[str, list[list[int]]]:
        """The ids of the texts ``names`` (document, mono, cross) of the examples in ``rows``."""
        places, found = self._places(rows), {}
        for name in names:
            parts = self._texts[name]
            found[name] = [
                ids[borders[row] : borders[row + 1]].tolist()
                for (ids, borders), row in ((parts[batch], row) for batch, row in places)
            ]
        return found

    def ids(self, rows: Sequence[int]) -> list[str]:
        """The ids of the examples in ``rows``."""
        columns = [batch.column("id") for batch in self._batches]
        return [columns[batch][row].as_py() for batch, row in self._places(rows)]

    def written(self, side: Side) -> list[int]:
        """The ids that occur in the summaries of ``side``."""
        return self.about["written"][side]

    def require(self, sides: Iterable[Side]) -> None:
        """InputError, with file and line, where a summary of ``sides`` is missing."""
        for side in sides:
            if side in self.about["missing"]:
                line = self.about["missing"][side] + 1
                raise InputError(f"{self.path}:{line}: field '{side}' is empty or missing")


def open_store(
    path: Path, tokenizer: Tokenizer, limit: int, root: Path, *, sentences: str | None = None
) -> TokenStore:
    """The store of ``path`` in ``root``, made first where there is none.

    Texts are kept up to ``limit`` ids. Sentences of documents in the language ``sentences`` are set
    apart. InputError, with file and line, for a line that holds no example or the id of another
    one.
    """
    corpus = sha256(path)
    splitter = f"{sentences} by sentencex {version('sentencex')}" if sentences else sentences
    identity = f"{FORMAT}:{corpus}:{tokenizer.content_hash}:{limit}:{splitter}"
    folder = root / hashlib.sha256(identity.encode()).hexdigest()[:32]
    if not _is_whole(folder):
        make_folder(root)
        # Of several processes that need it, one makes it.
        with one_at_a_time(root / f"{folder.name}.lock"):
            if not _is_whole(folder):
                spec = EncodingSpec(tokenizer.rules, limit, tokenizer.sentences(sentences))
                _make(path, folder, spec, corpus)
    return TokenStore(path, folder)


def check_unchanged(path: Path, hash: str) -> None:
    """InputError where ``path`` no longer has the content of this hash, and was read meanwhile."""
    if sha256(path) != hash:
        raise InputError(f"{path}: was replaced while it was read; start again")


def _is_whole(folder: Path) -> bool:
    """Whether the store is there, and each file has its hash; earlier versions kept no hashes."""
    if not (folder / HASHES).exists():
        return (folder / "store.json").exists()
    try:
        kept = read_json(folder / HASHES, dict)
        return all(sha256(folder / name) == hash for name, hash in kept.items())
    except (InputError, OSError):
        return False


def _make(path: Path, folder: Path, spec: EncodingSpec, corpus: str) -> None:
    for left in folder.parent.glob(f".{folder.name}.*.part"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with whole_folder(folder) as part:
        try:
            parts = _encode(ranges(path, RANGE), part, spec)
        except InputError:
            check_unchanged(path, corpus)
            _raise_with_line(path)
            raise
        check_unchanged(path, corpus)
        if not parts:
            raise InputError(f"{path}: holds no examples")
        keys = np.concatenate([p.keys for p in parts])
        if len(np.unique(keys)) < len(keys):
            _raise_with_line(path)
        np.save(part / "keys.npy", keys)
        np.save(part / "lengths.npy", np.concatenate([p.lengths for p in parts], axis=1))
        np.save(part / "whole.npy", np.concatenate([p.whole for p in parts], axis=1))
        records = np.cumsum([0, *(p.records for p in parts)]).tolist()
        about = {
            "corpus": path.name,
            "corpus_sha256": corpus,
            "records": records[-1],
            "missing": _first_missing(parts, records),
            "written": {
                side: np.unique(np.concatenate([p.written[side] for p in parts])).tolist()
                for side in SIDES
            },
        }
        write_json(part / "store.json", about)
        write_json(part / HASHES, {path.name: sha256(path) for path in sorted(part.iterdir())})


def _encode(todo: Sequence[Range], folder: Path, spec: EncodingSpec) -> list[EncodedRange]:
    """All ranges in order, by as many processes as may run; a small file needs no second one."""
    jobs = [(lines, folder / f"part-{i:05}.arrow", spec) for i, lines in enumerate(todo)]
    total = sum(lines.stop - lines.start for lines in todo)
    with progress_bar(total, "tokenizing", "B") as bar:
        if len(jobs) < 2:
            return [encode_range(*job) for job in jobs]
        with worker_pool(min(len(jobs), cores()), first=_one_thread_each) as pool:
            futures = {pool.submit(encode_range, *job): job[0] for job in jobs}
            for future in as_completed(futures):
                future.result()
                bar.update(futures[future].stop - futures[future].start)
            return [future.result() for future in futures]


def _one_thread_each() -> None:
    """Switch off the tokenizer's threads in a worker process: the processes share the cores."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _first_missing(parts: Sequence[EncodedRange], records: Sequence[int]) -> dict[Side, int]:
    found: dict[Side, int] = {}
    for part, before in zip(parts, records, strict=False):
        for side, at in part.missing.items():
            found.setdefault(side, before + at)
    return found


def _raise_with_line(path: Path) -> None:
    """Read again in order: a range does not know which lines it holds."""
    for _ in read_jsonl(path):
        pass
