"""Decoding as in the paper and as released, tasks, and a summarizer of a small network."""

import dataclasses

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.task import Task
from tests.conftest import small_network

DECODING = DecodingConfig(
    beam=3, length_penalty=0.8, min_length=2, max_length=9, lengths="summary", mask="both",
    renormalize=True,
    block_trigrams="summary", weights="float32", max_tokens=200,
)  # fmt: skip
RELEASED = dataclasses.replace(
    DECODING,
    min_length=5,
    max_length=12,
    lengths="target",
    mask="cross",
    block_trigrams="released",
    renormalize=False,
)
TASKS = [
    Task(name="ncls", targets={"decoder": ("cross",)}),
    Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)}),
    Task(name="mclas", targets={"decoder": ("mono", "cross")}),
    Task(name="released", targets={"decoder": ("mono", "cross")}, bos_after_lsep=True),
]


def make_summarizer(task, tokenizer, seed=0):
    network = small_network(*task.targets, vocab_size=len(tokenizer), seed=seed)
    half = len(tokenizer) // 2
    first = len(tokenizer.special)
    return NetworkSummarizer(
        network=network,
        task=task,
        tokenizer=tokenizer,
        vocabulary={"mono": range(first, half), "cross": range(half, len(tokenizer))},
        languages={"mono": "en", "cross": "de"},
        max_source=41,
    )
