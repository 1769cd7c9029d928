"""Batches for a training: documents a second, beside a DataLoader that tokenizes as it goes.

Both read the same synthetic corpus in the NCLS format, with the same word pieces and size of
micro-batches, in one process. Our batches come from the store, planned into updates: of one part,
and of as many parts as the stores of the full corpora have.

A resume in the middle of an epoch is measured with as many examples as the largest corpus has,
which are those of the store, many times: until the first batch is there, and before it until the
store is opened, for which all its bytes and those of the corpus are hashed.
"""

import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader

from benchmarks.corpora import write_zh2en
from benchmarks.measure import arguments, peak_memory, show, timed
from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.data.batch import EncodedExamples, Limits, pad
from mclas_lightning.data.sampler import ResumableLoader, UpdateSampler
from mclas_lightning.data.store import TokenStore, open_store
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.example import Example, read_jsonl
from mclas_lightning.task import Task

MCLAS = Task(name="mclas", targets={"decoder": ("mono", "cross")})
LIMIT, PIECES = 512, 30_000


def main() -> None:
    """Print the report."""
    asked = arguments(
        __doc__ or "", documents=20_000, max_tokens=8_192, parts=100, resumed=1_700_000
    )
    with tempfile.TemporaryDirectory(prefix="mclas-bench-") as temporary:
        folder = Path(temporary)
        write_zh2en(folder / "raw", asked.documents)
        import_corpus("ncls-zh2en", [folder / "raw"], folder / "corpus")
        file = folder / "corpus" / "train.jsonl"
        examples = list(read_jsonl(file, unique=False))
        tokenizer = _tokenizer(examples)
        made: dict[str, Any] = timed(
            lambda: open_store(file, tokenizer, LIMIT, Path(tempfile.mkdtemp(dir=folder))), 1
        )
        store = open_store(file, tokenizer, LIMIT, folder / "store")
        opened = timed(lambda: open_store(file, tokenizer, LIMIT, folder / "store"), asked.repeats)
        report: dict[str, Any] = {"store, made once": made}
        ours = _ours(_of_parts(store, 1), tokenizer, asked.max_tokens)
        cut = _ours(_of_parts(store, asked.parts), tokenizer, asked.max_tokens)
        report["ours"], report["of parts"] = _side_by_side(ours, cut, asked.repeats)
        plain = _plain(examples, tokenizer, len(examples) // len(ours))
        report["tokenizing as it goes"] = timed(lambda: sum(1 for _ in plain), asked.repeats)
        for found in report.values():
            found["documents_per_s"] = len(examples) / found["median_s"]
        report["ours"]["peak_gb"] = peak_memory()
        seconds = {name: found["median_s"] for name, found in report.items()}
        report["parts"] = len([*cut.dataset.store.folder.glob("part-*")])  # pyright: ignore
        report["rate of parts / of one"] = seconds["ours"] / seconds["of parts"]
        ratio = seconds["ours"] / seconds["tokenizing as it goes"]
        report["ours / tokenizing as it goes, seconds"] = ratio
        report["resumed"] = _resumed(cut, asked.resumed, report["of parts"]["documents_per_s"])
        report["resumed"]["opened_s"] = opened["median_s"] * asked.resumed / len(examples)
        show(report, asked.json)


def _tokenizer(examples: Sequence[Example]) -> Tokenizer:
    some = examples[:2000]
    texts = [text for e in some for text in (e.document, e.mono, e.cross) if text]
    return train_tokenizer(texts, size=PIECES, lowercase=True)


def _of_parts(store: TokenStore, number: int) -> TokenStore:
    """A copy of ``store`` in ``number`` parts."""
    folder = store.folder.with_name(f"{store.folder.name}-{number}")
    shutil.copytree(store.folder, folder, ignore=shutil.ignore_patterns("part-*"))
    parts = [pa.ipc.open_stream(path).read_all() for path in sorted(store.folder.glob("part-*"))]
    whole = pa.concat_tables(parts).combine_chunks()
    rows = math.ceil(len(whole) / number)
    for at, start in enumerate(range(0, len(whole), rows)):
        part = folder / f"part-{at:05}.arrow"
        with pa.OSFile(str(part), "wb") as file, pa.ipc.new_stream(file, whole.schema) as stream:
            stream.write_table(whole.slice(start, rows))
    return TokenStore(store.path, folder)


def _side_by_side(
    first: ResumableLoader, second: ResumableLoader, repeats: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Seconds of an epoch of each, in turn: what else the machine does falls on both."""
    seconds: list[list[float]] = [[], []]
    for loader in (first, second):
        sum(1 for _ in loader)
    for _ in range(repeats):
        for taken, loader in zip(seconds, (first, second), strict=True):
            began = time.perf_counter()
            sum(1 for _ in loader)
            taken.append(time.perf_counter() - began)
    one, many = ({"median_s": statistics.median(taken)} for taken in seconds)
    return one, many


def _resumed(loader: ResumableLoader, examples: int, rate: float) -> dict[str, float]:
    """Seconds until the first batch of a resume in the middle of an epoch, and those saved.

    ``rate`` is of documents a second: batches that were built to be skipped would take as long.
    """
    assert isinstance(loader.sampler, UpdateSampler)
    data, shape = loader.dataset, loader.sampler.shape
    assert isinstance(data, EncodedExamples)
    rows = np.resize(data.rows, examples)
    many = EncodedExamples(data.store, rows, data.task, data.special, data.limits)
    sampler = UpdateSampler(many.lengths(shape.unit), shape)
    resumed = ResumableLoader(many, batch_size=None, sampler=sampler)
    resumed.load_state_dict({"consumed": len(sampler) // 2, "length": len(sampler)})
    began = time.perf_counter()
    next(iter(resumed))
    return {
        "examples": examples,
        "first_batch_s": time.perf_counter() - began,
        "skipped_batches_s": examples / 2 / rate,
    }


def _ours(store: TokenStore, tokenizer: Tokenizer, max_tokens: int) -> ResumableLoader:
    limits = Limits(max_source=LIMIT, max_summary=LIMIT)
    data = EncodedExamples(store, np.arange(len(store)), MCLAS, tokenizer.special, limits)
    shape = UpdateShape(max_tokens=max_tokens)
    sampler = UpdateSampler(data.lengths(shape.unit), shape)
    return ResumableLoader(data, batch_size=None, sampler=sampler)


def _plain(examples: Sequence[Example], tokenizer: Tokenizer, size: int) -> DataLoader:
    def batch(some: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
        sources = tokenizer.encode_sources([e.document for e in some], LIMIT)
        sides = {
            side: tokenizer.encode([getattr(e, side) or "" for e in some], LIMIT)
            for side in ("mono", "cross")
        }
        targets = [
            MCLAS.target_ids("decoder", {"mono": mono, "cross": cross}, tokenizer.special)
            for mono, cross in zip(sides["mono"], sides["cross"], strict=True)
        ]
        return pad(sources, tokenizer.special.pad), pad(targets, tokenizer.special.pad)

    return DataLoader(examples, size, shuffle=True, collate_fn=batch)  # pyright: ignore


if __name__ == "__main__":
    main()
