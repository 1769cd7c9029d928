"""Batches for a training: documents a second, beside a DataLoader that tokenizes as it goes.

Both read the same synthetic corpus in the NCLS format, with the same word pieces and size of
micro-batches, in one process. Our batches come from the store, planned into updates.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.corpora import write_zh2en
from benchmarks.measure import arguments, peak_memory, show, timed
from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.data.batch import EncodedExamples, Limits, pad
from mclas_lightning.data.sampler import ResumableLoader, UpdateSampler
from mclas_lightning.data.store import open_store
from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.example import Example, read_jsonl
from mclas_lightning.task import Task

MCLAS = Task(name="mclas", targets={"decoder": ("mono", "cross")})
LIMIT, PIECES = 512, 30_000


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "", documents=20_000, max_tokens=8_192)
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
        report = {"store, made once": made}
        ours = _ours(store, tokenizer, asked.max_tokens)
        report["ours"] = timed(lambda: sum(1 for _ in ours), asked.repeats)
        plain = _plain(examples, tokenizer, len(examples) // len(ours))
        report["tokenizing as it goes"] = timed(lambda: sum(1 for _ in plain), asked.repeats)
        for found in report.values():
            found["documents_per_s"] = len(examples) / found["median_s"]
        report["ours"]["peak_gb"] = peak_memory()
        ratio = report["ours"]["median_s"] / report["tokenizing as it goes"]["median_s"]
        show({**report, "ours / tokenizing as it goes, seconds": ratio}, asked.json)


def _tokenizer(examples: Sequence[Example]) -> Tokenizer:
    some = examples[:2000]
    texts = [text for e in some for text in (e.document, e.mono, e.cross) if text]
    return train_tokenizer(texts, size=PIECES, lowercase=True)


def _ours(store: Any, tokenizer: Tokenizer, max_tokens: int) -> ResumableLoader:
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
