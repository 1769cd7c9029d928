"""Token ids of a jsonl file, range by range: what a process of a store's making does.

Nothing here imports torch, so that a new process starts at once.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer as Backend

from mclas_lightning.data.example import SIDES, Example, Side, parse

TEXTS = ("document", *SIDES)
SCHEMA = pa.schema(
    [("id", pa.string()), ("key", pa.uint64())] + [(t, pa.list_(pa.int32())) for t in TEXTS]
)
ROWS = 1000  # of a record batch


@dataclass(frozen=True, kw_only=True)
class Range:
    """Whole lines of a file."""

    path: Path
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is known of an encoded range."""

    records: int
    keys: np.ndarray  # uint64, of each id
    written: dict[Side, np.ndarray]  # every id that occurs in the summaries
    missing: dict[Side, int]  # first record without this summary, where there is one


def ranges(path: Path, size: int) -> list[Range]:
    """``path`` cut at ends of lines into ranges of about ``size`` bytes."""
    total, starts = path.stat().st_size, [0]
    with path.open("rb") as file:
        while starts[-1] + size < total:
            file.seek(starts[-1] + size)
            file.readline()
            starts.append(file.tell())
    stops = [*starts[1:], total]
    return [Range(path=path, start=a, stop=b) for a, b in zip(starts, stops, strict=True) if a < b]


def backend_from(rules: str) -> Backend:
    """The tokenizer that ``rules``, its JSON, describes; control tokens in a text are text."""
    backend = Backend.from_str(rules)
    backend.encode_special_tokens = True
    backend.no_truncation()
    backend.no_padding()
    return backend


def encode_texts(backend: Backend, texts: Sequence[str], limit: int) -> list[list[int]]:
    """Ids of each text, at most ``limit``, without control tokens."""
    encodings = backend.encode_batch_fast(list(texts), add_special_tokens=False)
    return [encoding.ids[:limit] for encoding in encodings]


def encode_range(lines: Range, out: Path, backend: Backend, limit: int) -> Part:
    """Write the ids of a range's examples to ``out``, an Arrow stream of ``SCHEMA``."""
    keys: list[np.ndarray] = []
    written: dict[Side, np.ndarray] = dict.fromkeys(SIDES, np.empty(0, np.int32))
    missing: dict[Side, int] = {}
    records = 0
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
        rest = _examples(lines)
        while examples := list(islice(rest, ROWS)):
            batch = _record_batch(examples, backend, limit)
            stream.write_batch(batch)
            keys.append(batch["key"].to_numpy())
            for side in SIDES:
                written[side] = np.union1d(written[side], batch[side].flatten().to_numpy())
                absent = (i for i, e in enumerate(examples) if not (e.summary(side) or "").strip())
                if side not in missing and (first := next(absent, None)) is not None:
                    missing[side] = records + first
            records += len(examples)
    return Part(records=records, keys=np.concatenate(keys), written=written, missing=missing)


def key_of(example_id: str) -> int:
    """64 bits that stand for an id wherever ids are ranked or compared."""
    return int.from_bytes(hashlib.sha256(example_id.encode()).digest()[:8])


def _examples(lines: Range) -> Iterator[Example]:
    with lines.path.open("rb") as file:
        file.seek(lines.start)
        while file.tell() < lines.stop:
            yield parse(file.readline(), str(lines.path))


def _record_batch(examples: Sequence[Example], backend: Backend, limit: int) -> pa.RecordBatch:
    columns = [
        pa.array([example.id for example in examples], pa.string()),
        pa.array([key_of(example.id) for example in examples], pa.uint64()),
    ]
    for name in TEXTS:
        # A summary that is missing is an empty one: ``missing`` tells a task that needs it.
        texts = [getattr(example, name) or "" for example in examples]
        ids = encode_texts(backend, texts, limit)
        columns.append(pa.array(ids, pa.list_(pa.int32())))
    return pa.record_batch(columns, schema=SCHEMA)
