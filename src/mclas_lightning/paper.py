"""The paper's numbers, from ``experiments/paper.yaml``: ``numbers().table2["zh2ensum"]["full"]``.

Datasets, scenarios and systems have their names here; ``gold`` is the reference, ``ms``
MS-Pretrain. Units are the paper's: ROUGE and shares in percent, BERTScore from 0 to 1.
"""

from dataclasses import dataclass
from functools import cache

import yaml

from mclas_lightning.example import Side
from mclas_lightning.files import EXPERIMENTS
from mclas_lightning.schema import typed


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
class Thresholds:
    """ROUGE-1 and ROUGE-2 F1 that a round trip must reach, from 0 to 1 (section 5.1)."""

    T1: float
    T2: float


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """Sizes of the decoder (section 5.2)."""

    layers: int
    heads: int
    width: int
    feed_forward: int


@dataclass(frozen=True, kw_only=True)
class Training:
    """Network and training (section 5.2); rates and warm-ups of "encoder" and "decoder"."""

    decoder: Decoder
    parameters: int
    lr: dict[str, float]
    warmup: dict[str, int]
    dropout: float
    gpus: int
    days: int
    accumulate: int


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """Beam search (section 5.2); the penalty is between two values."""

    beam: int
    blocked_ngram: int
    length_penalty: list[float]


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """What another system's bilingual lexicon was extracted from (section 5.3)."""

    sentence_pairs: int
    corpora: int


@dataclass(frozen=True, kw_only=True)
class HumanEvaluation:
    """Examples of all scenarios and of each, and who judged them (section 5.5)."""

    dataset: str
    examples: int
    of_a_scenario: int
    annotators: int


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Attention heads of one kind and, in percent, their share of all (section 6)."""

    num: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class Heads:
    """The decoder's heads of one kind of attention; one head may be of two kinds (section 6)."""

    total: int
    kinds: dict[str, Kind]


@dataclass(frozen=True, kw_only=True)
class Size:
    """A cell of Table 1: training examples and, in percent, their share of all."""

    size: int
    percent: float | None


@dataclass(frozen=True, kw_only=True)
class Rouge:
    """A cell of Table 6: F1 in percent."""

    rouge1_f: float
    rouge2_f: float
    rougeL_f: float


@dataclass(frozen=True, kw_only=True)
class Scores(Rouge):
    """A cell of Table 2: ROUGE in percent, BERTScore from 0 to 1."""

    bertscore_f: float | None


@dataclass(frozen=True, kw_only=True)
class Preference:
    """A cell of Table 3: best minus worst choices as a share of all, from -1 to 1."""

    informativeness: float
    conciseness: float
    fluency: float


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A cell of Table 4: Fleiss' kappa, and overall agreement in percent."""

    kappa: float
    agreement: float


@dataclass(frozen=True, kw_only=True)
class Length:
    """A cell of Table 5: average length, and its difference to the gold summaries'."""

    length: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class Detail(Length):
    """A column of Table 7: recall and precision in percent, and length."""

    rouge1_r: float
    rouge1_p: float
    rouge2_r: float
    rouge2_p: float
    rougeL_r: float
    rougeL_p: float


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """A corpus in Table 5: the gold summaries' length; scenario -> system -> cell."""

    gold: float
    systems: dict[str, dict[str, Length]]


@dataclass(frozen=True, kw_only=True)
class Details:
    """A corpus in Table 7: the gold summaries' length; system -> column."""

    gold: float
    systems: dict[str, Detail]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """All numbers; a table is keyed by dataset, scenario, system, as far as it has these."""

    corpora: dict[str, Corpus]
    thresholds: dict[str, Thresholds]
    training: Training
    decoding: Decoding
    lexicon: Lexicon
    lengths: dict[str, dict[Side, float]]
    human_evaluation: HumanEvaluation
    heads: dict[str, Heads]
    table1: dict[str, dict[str, Size]]
    table2: dict[str, dict[str, dict[str, Scores]]]
    table3: dict[str, dict[str, dict[str, Preference]]]
    table4: dict[str, dict[str, Agreement]]
    table5: dict[str, Lengths]
    table6: dict[str, dict[str, Rouge]]
    table7: dict[str, Details]


@cache
def numbers() -> Paper:
    """All of ``experiments/paper.yaml``, read at the first call."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is faster
    text = (EXPERIMENTS / "paper.yaml").read_text(encoding="utf-8")
    return typed("paper.yaml", Paper, yaml.load(text, loader))
