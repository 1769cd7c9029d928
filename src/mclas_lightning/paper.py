"""The paper's numbers, from ``experiments/paper.yaml``: ``numbers().table2["zh2ensum"]["full"]``.

Datasets, scenarios and systems have their names of ``conf/``. The system ``gold`` is the reference
summary, ``ms`` is MS-Pretrain. Units are the paper's: ROUGE and shares in percent, BERTScore from 0
to 1.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mclas_lightning.example import Side
from mclas_lightning.files import EXPERIMENTS, read_yaml
from mclas_lightning.schema import typed


@dataclass(frozen=True, kw_only=True)
class PaperCorpus:
    """A corpus of section 5.1, with its examples in each split; the paper spells it ``name``."""

    name: str
    source: str
    target: str
    train: int
    valid: int
    test: int


@dataclass(frozen=True, kw_only=True)
class Table1Cell:
    """A cell of Table 1: training examples, and their share of the whole split in percent."""

    size: int
    percent: float | None


@dataclass(frozen=True, kw_only=True)
class Table6Cell:
    """A cell of Table 6: F1 in percent."""

    rouge1_f: float
    rouge2_f: float
    rougeL_f: float


@dataclass(frozen=True, kw_only=True)
class Table2Cell(Table6Cell):
    """A cell of Table 2: ROUGE in percent, BERTScore from 0 to 1."""

    bertscore_f: float | None


@dataclass(frozen=True, kw_only=True)
class Table3Cell:
    """A cell of Table 3: best minus worst choices as a share of all choices, from -1 to 1."""

    informativeness: float
    conciseness: float
    fluency: float


@dataclass(frozen=True, kw_only=True)
class Table4Cell:
    """A cell of Table 4: Fleiss' kappa, and overall agreement in percent."""

    kappa: float
    agreement: float


@dataclass(frozen=True, kw_only=True)
class Table5Cell:
    """A cell of Table 5: the mean length, and its difference to the mean of gold summaries."""

    length: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class Table7Column(Table5Cell):
    """A column of Table 7: ROUGE's recall and precision in percent, and the length."""

    rouge1_r: float
    rouge1_p: float
    rouge2_r: float
    rouge2_p: float
    rougeL_r: float
    rougeL_p: float


@dataclass(frozen=True, kw_only=True)
class Table5Corpus:
    """A corpus in Table 5: mean length of gold summaries, and scenario -> system -> cell."""

    gold: float
    systems: dict[str, dict[str, Table5Cell]]


@dataclass(frozen=True, kw_only=True)
class Table7Corpus:
    """A corpus in Table 7: mean length of gold summaries, and system -> column."""

    gold: float
    systems: dict[str, Table7Column]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """All numbers of ``experiments/paper.yaml``.

    The keys of a table are those of dataset, scenario and system that it has, in this order. The
    numbers of a section are a plain mapping with the keys of the file.
    """

    corpora: dict[str, PaperCorpus]
    thresholds: dict  # section 5.1
    training: dict  # section 5.2
    decoding: dict  # section 5.2
    lexicon: dict  # section 5.3
    lengths: dict[str, dict[Side, float]]  # section 5.4
    human_evaluation: dict  # section 5.5
    heads: dict  # section 6
    table1: dict[str, dict[str, Table1Cell]]
    table2: dict[str, dict[str, dict[str, Table2Cell]]]
    table3: dict[str, dict[str, dict[str, Table3Cell]]]
    table4: dict[str, dict[str, Table4Cell]]
    table5: dict[str, Table5Corpus]
    table6: dict[str, dict[str, Table6Cell]]
    table7: dict[str, Table7Corpus]


@cache
def numbers() -> Paper:
    """The numbers of ``experiments/paper.yaml``, read at the first call."""
    return read_paper(EXPERIMENTS / "paper.yaml")


def read_paper(path: Path) -> Paper:
    """The numbers in ``path``; InputError where they have another form."""
    return typed(path.name, Paper, read_yaml(path))
