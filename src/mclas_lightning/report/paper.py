"""The paper's numbers, from ``experiments/paper.yaml``."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from mclas_lightning.places import EXPERIMENTS
from mclas_lightning.typed import typed


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus of section 5.1; ``name`` as the paper spells it."""

    name: str
    source: str
    target: str
    train: int
    valid: int
    test: int


@dataclass(frozen=True, kw_only=True)
class Size:
    """A cell of Table 1: training examples and, in percent, their share of all."""

    size: int
    percent: float | None


def corpora() -> dict[str, Corpus]:
    """Section 5.1, by the name of the dataset here."""
    return {
        name: typed(f"corpora.{name}", Corpus, row) for name, row in numbers()["corpora"].items()
    }


def table1() -> dict[str, dict[str, Size]]:
    """Table 1: dataset -> scenario -> size."""
    return {
        name: {
            scenario: typed(f"table1.{name}.{scenario}", Size, cell)
            for scenario, cell in row.items()
        }
        for name, row in numbers()["table1"].items()
    }


@cache
def numbers() -> dict[str, Any]:
    """All of ``experiments/paper.yaml``."""
    return yaml.safe_load((EXPERIMENTS / "paper.yaml").read_text(encoding="utf-8"))
