"""What fits a new corpus: scenario sizes, lengths, network, recipe and decoding, as a YAML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from mclas_lightning import paper
from mclas_lightning.config.overrides import uninterpolated
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.example import Example, read_jsonl
from mclas_lightning.files import CONF, num_records
from mclas_lightning.runs.results import SCENARIOS

# The least examples of a scenario, and the most as a share of the training split: of a small corpus
# the paper's shares would be a handful of examples.
LEAST_EXAMPLES = {"minimum": 200, "medium": 1000, "maximum": 2000}

MOST_SHARE = {"minimum": 0.1, "medium": 0.3, "maximum": 0.6}

SMALL_FROM = 5000  # training examples from which network=small learns more than network=tiny

PAPER_MEMORY = 10 * 2**30  # bytes of a GPU that trains network=paper

SAMPLE = 2000  # the least examples whose lengths are measured, spread evenly over the file

# Word pieces: the least and the most of max_source and max_summary, as in the files of
# ``conf/dataset/``. Longer limits than the corpus needs cost nothing.
SOURCE_RANGE, SUMMARY_RANGE = (128, 512), (40, 250)

# Word pieces of a tokenizer by the fewest training examples.
PIECES = {200_000: 32000, 20_000: 16000, 2_000: 8000, 0: 4000}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What decides on a network: the memory of a GPU, 0 without one, and whether mBERT is here."""

    gpu_memory: int
    mbert: bool

    @classmethod
    def here(cls) -> "Machine":
        """This machine."""
        import torch
        from huggingface_hub import try_to_load_from_cache

        encoder = OmegaConf.load(CONF / "network" / "paper.yaml").encoder.pretrained
        memory = [
            torch.cuda.get_device_properties(i).total_memory
            for i in range(torch.cuda.device_count())
        ]
        here = try_to_load_from_cache(encoder, "config.json")
        return cls(gpu_memory=max(memory, default=0), mbert=isinstance(here, str))


def scenario_sizes(num_train: int) -> dict[str, float]:
    """The paper's shares of Table 1, at least ``LEAST_EXAMPLES``, at most ``MOST_SHARE``."""
    table = paper.numbers().table1.values()
    sizes: dict[str, float] = {}
    for scenario, least in LEAST_EXAMPLES.items():
        share = np.mean([rows[scenario].percent or 0 for rows in table]) / 100
        most = max(1, int(MOST_SHARE[scenario] * num_train))
        sizes[scenario] = min(most, max(least, round(share * num_train)))
    return {**sizes, "full": 1.0}


def network_and_recipe(num_train: int, machine: Machine) -> tuple[str, str]:
    """The files of ``conf/network/`` and ``conf/optim/``, which have the same name."""
    if machine.gpu_memory >= PAPER_MEMORY and machine.mbert:
        return "paper", "paper"
    name = "small" if num_train >= SMALL_FROM else "tiny"
    return name, name


def num_pieces(num_train: int) -> int:
    """The size of a tokenizer for so many training examples."""
    return next(size for least, size in PIECES.items() if num_train >= least)


def lengths(train: Path, tokenizer: Tokenizer) -> tuple[int, int]:
    """``max_source`` and ``max_summary``: nearly all documents and summaries are no longer."""
    # A file may be sorted, so that its first examples are not like the others.
    every = max(1, num_records(train) // SAMPLE)
    sample = list(islice(read_jsonl(train, unique=False), 0, None, every))
    source = _percentile([e.document for e in sample], tokenizer, 95) + 2  # [CLS] and [SEP]
    texts = [text for e in sample for text in _summaries(e)]
    summary = _percentile(texts, tokenizer, 99)
    return _within(source, SOURCE_RANGE), _within(summary, SUMMARY_RANGE)


def decoding_for(max_summary: int) -> str:
    """The file of ``conf/decoding/`` with the least ``max_length`` that writes such summaries."""
    for name in ("short", "paper", "long"):
        sections: list[Any] = [
            OmegaConf.load(CONF / "decoding" / f"{each}.yaml") for each in ("paper", name)
        ]
        if max_summary <= OmegaConf.merge(*sections).max_length:
            return name
    return "long"


def _summaries(example: Example) -> list[str]:
    return [text for text in (example.mono, example.cross) if text]


def _percentile(texts: Sequence[str], tokenizer: Tokenizer, percent: int) -> int:
    ids = tokenizer.encode(texts, 10**6)
    return int(np.percentile([len(each) for each in ids], percent, method="higher"))


def _within(number: int, limits: tuple[int, int]) -> int:
    return min(max(number, limits[0]), limits[1])


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A file of ``conf/dataset/`` for a corpus of one's own."""

    name: str
    source: str
    target: str
    tokenizer: str
    sizes: dict[str, float]
    max_source: int
    max_summary: int
    network: str
    optim: str
    decoding: str
    made_by: str  # the command

    def yaml(self) -> str:
        """The file."""
        groups = ("network", "optim", "decoding")
        content = {
            "defaults": [
                *({f"override /{g}@_global_.{g}": getattr(self, g)} for g in groups),
                "_self_",
            ],
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "path": f"${{data}}/{self.name}",
            "tokenizer": self.tokenizer,
            "sizes": {scenario: self.sizes[scenario] for scenario in SCENARIOS},
            "max_source": self.max_source,
            "max_summary": self.max_summary,
            "vocabulary": None,
            "shards": None,
            "pretraining": [f"dataset={self.name}"],
            "leaks": "refuse",
            "licence": "your corpus's own",
            "how_to_get": uninterpolated(self.made_by),
        }
        head = (
            "# Made by mclas new-dataset, which measured the corpus; every value may be changed.\n"
            "# Sizes: the paper's shares of Table 1, with a floor for small corpora.\n"
        )
        return head + OmegaConf.to_yaml(OmegaConf.create(content))
