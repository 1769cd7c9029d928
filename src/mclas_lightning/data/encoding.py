"""Token ids of a jsonl file, range by range: the work of one process that makes a store.

Nothing here imports torch, so that a new process starts at once.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]
from tokenizers import Tokenizer as Backend

from mclas_lightning.example import SIDES, Example, Side, parse_example
from mclas_lightning.files import BOM
from mclas_lightning.metrics.normalization import normalize

TEXTS = ("document", *SIDES)

SCHEMA = pa.schema([("id", pa.string()), *((text, pa.list_(pa.int32())) for text in TEXTS)])

ENCODED_TOGETHER = 1000  # examples that the tokenizer encodes in one call

BLOCK = 4096  # bytes that are read back at a time

UNWRITTEN = "\ue000"  # a private-use character, which ``normalize`` leaves in no text


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """How a document's sentences are told apart: ids between two of them, here [SEP] [CLS]."""

    language: str
    between: tuple[int, ...]


class EncodingSpec(NamedTuple):
    """The settings that decide which ids a text gets."""

    rules: str  # of the tokenizer, as JSON
    limit: int  # ids of a text that are kept
    sentences: Sentences | None  # of documents


@dataclass(frozen=True, kw_only=True)
class Range:
    """Whole lines of a file."""

    path: Path
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class EncodedRange:
    """The statistics of an encoded range; its ids are in a file."""

    records: int
    keys: np.ndarray  # uint64, of each id
    lengths: np.ndarray  # int32 [texts, records]
    whole: np.ndarray  # the same of the texts before they were cut
    written: dict[Side, np.ndarray]  # every id that occurs in the summaries
    missing: dict[Side, int]  # first record without this summary, where there is one


def ranges(path: Path, size: int) -> list[Range]:
    """The records of ``path`` cut at ends of lines into ranges of about ``size`` bytes."""
    with path.open("rb") as file:
        starts, total = [len(BOM) if file.read(len(BOM)) == BOM else 0], _end(file)
        while starts[-1] + size < total:
            file.seek(starts[-1] + size)
            file.readline()
            starts.append(file.tell())
    stops = [*starts[1:], total]
    return [Range(path=path, start=a, stop=b) for a, b in zip(starts, stops, strict=True) if a < b]


def _end(file: BinaryIO) -> int:
    """Where the last record ends: the blank lines after it, if any, are none."""
    at = file.seek(0, os.SEEK_END)
    while at:
        start = max(0, at - BLOCK)
        file.seek(start)
        if rest := file.read(at - start).rstrip():
            file.seek(start + len(rest))
            return file.tell() + len(file.readline())
        at = start
    return 0


def backend_from(rules: str) -> Backend:
    """The tokenizer that ``rules``, its JSON, describes; control tokens in a text are text."""
    backend = Backend.from_str(_with_unwritten_control_tokens(rules))
    backend.encode_special_tokens = True
    backend.no_truncation()
    backend.no_padding()
    return backend


def _with_unwritten_control_tokens(rules: str) -> str:
    """``rules`` in which a Unigram model's control tokens are spelled as no text can spell them.

    They are pieces of the model, as XLM-R's with the best score of all. Ids and scores stay.
    """
    described = json.loads(rules)
    if described["model"]["type"] != "Unigram":
        return rules
    special = [token for token in described["added_tokens"] if token["special"]]
    names = {token["content"] for token in special}
    for token in special:
        token["content"] = UNWRITTEN + token["content"]
    for piece in described["model"]["vocab"]:
        if piece[0] in names:
            piece[0] = UNWRITTEN + piece[0]
    return json.dumps(described)


def encode_texts(backend: Backend, texts: Sequence[str], limit: int | None) -> list[list[int]]:
    """Ids of each text, at most ``limit``, without control tokens.

    Texts are normalized as ROUGE's are, whatever the tokenizer does after that; a newline is a
    space, because a byte-level BPE has ids for it.
    """
    one_line = [normalize(text).replace("\n", " ") for text in texts]
    encodings = backend.encode_batch_fast(one_line, add_special_tokens=False)
    return [encoding.ids[:limit] for encoding in encodings]


def encode_documents(
    backend: Backend, texts: Sequence[str], limit: int | None, sentences: Sentences | None
) -> list[list[int]]:
    """As ``encode_texts``, with ``sentences.between`` between the sentences of each text."""
    if sentences is None:
        return encode_texts(backend, texts, limit)
    split = [list(segment(sentences.language, text)) for text in texts]
    encoded = iter(encode_texts(backend, [one for text in split for one in text], limit))
    documents: list[list[int]] = []
    for text in split:
        written = [ids for ids in (next(encoded) for _ in text) if ids]
        joined = [i for ids in written for i in (*sentences.between, *ids)]
        documents.append(joined[len(sentences.between) :][:limit])
    return documents


def encode_range(lines: Range, out: Path, spec: EncodingSpec) -> EncodedRange:
    """Write the ids of a range's examples to ``out``, an Arrow stream of ``SCHEMA``."""
    backend = backend_from(spec.rules)
    batches: list[pa.RecordBatch] = []
    missing: dict[Side, int] = {}
    records, rest = 0, _examples(lines)
    whole: list[np.ndarray] = []
    while examples := list(islice(rest, ENCODED_TOGETHER)):
        batch, lengths = _record_batch(examples, backend, spec)
        batches.append(batch)
        whole.append(lengths)
        for side in SIDES:
            absent = (i for i, e in enumerate(examples) if not (e.summary(side) or "").strip())
            if side not in missing and (first := next(absent, None)) is not None:
                missing[side] = records + first
        records += len(examples)
    # One batch a range: opening the store reads the heads of all of them.
    table = pa.Table.from_batches(batches, SCHEMA).combine_chunks()
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
        stream.write_table(table)
    return EncodedRange(
        records=records,
        keys=np.array([key_of(i) for i in table["id"].to_pylist()], np.uint64),
        lengths=np.stack([pc.list_value_length(table[t]).to_numpy() for t in TEXTS]),  # pyright: ignore
        whole=np.concatenate(whole, axis=1) if whole else np.zeros((len(TEXTS), 0), np.int32),
        written={side: np.unique(pc.list_flatten(table[side]).to_numpy()) for side in SIDES},  # pyright: ignore
        missing=missing,
    )


def key_of(example_id: str) -> int:
    """64 bits that stand for an id wherever ids are ranked or compared."""
    return int.from_bytes(hashlib.sha256(example_id.encode()).digest()[:8])


def _examples(lines: Range) -> Iterator[Example]:
    with lines.path.open("rb") as file:
        file.seek(lines.start)
        while file.tell() < lines.stop:
            yield parse_example(file.readline(), str(lines.path))


def _record_batch(
    examples: Sequence[Example], backend: Backend, spec: EncodingSpec
) -> tuple[pa.RecordBatch, np.ndarray]:
    """The examples' ids, and how many the texts have before they are cut."""
    whole: list[list[int]] = []
    columns = [pa.array([example.id for example in examples], pa.string())]
    for name in TEXTS:
        # A summary that is missing is an empty one: ``missing`` tells a task that needs it.
        texts = [getattr(example, name) or "" for example in examples]
        apart = spec.sentences if name == "document" else None
        ids = encode_documents(backend, texts, None, apart)
        whole.append([*map(len, ids)])
        columns.append(pa.array([of_text[: spec.limit] for of_text in ids], pa.list_(pa.int32())))
    return pa.record_batch(columns, schema=SCHEMA), np.array(whole, np.int32)
