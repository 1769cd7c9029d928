"""The task of each system: what its decoders write, in which alone the paper's systems differ.

``mono`` is S^A, the summary in the document's language; ``cross`` is S^B. A system is one encoder
and one or more named decoders; its task names the sides each decoder writes, in order:

    ms       {decoder: [mono]}                 section 4.2, monolingual pretraining
    ncls     {decoder: [cross]}                equation 1
    ncls_ms  {mono: [mono], cross: [cross]}    equation 2
    mclas    {decoder: [mono, cross]}          equations 3 and 4

A pipeline has no network of its own: it is two trained systems, one after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

from mclas_lightning.errors import InputError, check_range, unknown_choice
from mclas_lightning.example import SIDES, Example, Side

Source = Literal["document", "mono"]

PipelineStep = Literal["summarize", "translate"]

PIPELINES: dict[tuple[PipelineStep, ...], tuple[Side, ...]] = {
    ("summarize", "translate"): ("mono", "cross"),
    ("translate", "summarize"): ("cross",),
}


class Special(NamedTuple):
    """Ids of the vocabulary's control tokens."""

    pad: int
    unk: int
    cls: int
    sep: int
    bos: int
    eos: int
    lsep: int


@dataclass(frozen=True, kw_only=True)
class Task:
    """The text the encoder reads and, for each decoder, the sides it writes (equation 3)."""

    name: str
    targets: Mapping[str, tuple[Side, ...]]
    source: Source = "document"
    bos_after_lsep: bool = False  # released code: a second [BOS] opens S^B

    def __post_init__(self) -> None:
        sides = [side for written in self.targets.values() for side in written]
        whole = sides and all(self.targets.values())
        if not whole or len(set(sides)) < len(sides) or not set(sides) <= set(SIDES):
            raise InputError(
                f"model '{self.name}': each of its decoders must write one or more of "
                f"{', '.join(SIDES)}, each side once; found {dict(self.targets)}"
            )
        if self.source not in get_args(Source) or self.source in sides:
            raise InputError(
                f"model '{self.name}': source must be 'document', or 'mono' where no decoder "
                f"writes it; found '{self.source}'"
            )

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are written, in the order of ``SIDES``."""
        written = {side for sides in self.targets.values() for side in sides}
        return tuple(side for side in SIDES if side in written)

    @property
    def required(self) -> tuple[Side, ...]:
        """The summaries a training example must hold."""
        return ("mono", *self.sides) if self.source == "mono" else self.sides

    def source_text(self, example: Example) -> str:
        """The text the encoder reads."""
        return example.document if self.source == "document" else example.mono or ""

    def target_ids(
        self, decoder: str, ids: Mapping[Side, Sequence[int]], special: Special
    ) -> list[int]:
        """``[BOS] side ([LSEP] side)* [EOS]``, equation 3."""
        # Paper: one [BOS]. Released code: a second [BOS] after [LSEP]. We: the paper's, or asked.
        opening = [special.lsep, *([special.bos] if self.bos_after_lsep else ())]
        first, *rest = (ids[side] for side in self.targets[decoder])
        tail = [i for side in rest for i in (*opening, *side)]
        return [special.bos, *first, *tail, special.eos]

    def num_control_tokens(self, side: Side) -> int:
        """The number of control tokens predicted with a side: its end, and [BOS] after [LSEP]."""
        second = any(side in sides[1:] for sides in self.targets.values())
        return 1 + (self.bos_after_lsep and second)

    def split(self, decoder: str, target: Sequence[int], special: Special) -> dict[Side, list[int]]:
        """The sides of a target: the inverse of ``target_ids``; a side never begun is empty."""
        parts: list[list[int]] = [[]]
        for token in target:
            if token == special.eos:
                break
            if token == special.lsep:
                parts.append([])
            elif token not in (special.bos, special.pad):
                parts[-1].append(token)
        sides = self.targets[decoder]
        parts += [[] for _ in range(len(sides) - len(parts))]
        return dict(zip(sides, parts, strict=False))


PIPELINE_PARTS = ("summarizer", "translator")  # fields with the folders of a pipeline's systems


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A summarizer of one language and a translator.

    TLTran summarizes, then translates the summary (section 5.3); TETran translates the document,
    then summarizes it (Zhu et al. 2019).
    """

    name: str
    steps: tuple[PipelineStep, ...]
    summarizer: str | None  # the folder of an ms run in the language ``reads``
    translator: str | None  # None stands for WMT19's

    def __post_init__(self) -> None:
        if self.steps not in PIPELINES:
            raise InputError(
                f"model '{self.name}': steps must be [summarize, translate] or [translate, "
                f"summarize]; found {list(self.steps)}"
            )

    @property
    def sides(self) -> tuple[Side, ...]:
        """The summaries that come out."""
        return PIPELINES[self.steps]

    @property
    def required(self) -> tuple[Side, ...]:
        """The references a test example must hold."""
        return self.sides

    @property
    def reads(self) -> Side:
        """Whose language the summarizer reads and writes."""
        return "mono" if self.steps[0] == "summarize" else "cross"

    def source_text(self, example: Example) -> str:
        """The text that the first step reads."""
        return example.document


def task_from(model: Mapping[str, Any]) -> Task:
    """The task of a file of ``conf/model/``; InputError for a pipeline's."""
    if "targets" not in model:
        raise InputError(f"model '{model['name']}' is a pipeline and has no network of its own")
    targets = {name: tuple(sides) for name, sides in model["targets"].items()}
    return Task(
        name=model["name"],
        source=model["source"],
        targets=targets,
        bos_after_lsep=model["bos_after_lsep"],
    )


# Baselines with their names in tables. They are shown there and not ranked: two of them see the
# references.
BASELINES = {
    "lead_1": "Lead-1",
    "lead_3": "Lead-3",
    "copy_mono": "Gold S^A, copied",
    "oracle": "Extractive oracle",
}

# The paper's systems, and their variants, with their names in tables.
MODELS = {
    "ms": "MS",
    "mt": "MT, of reference summaries",
    "ncls": "NCLS",
    "ncls_ms": "NCLS+MS",
    "mclas": "MCLAS",
    "ncls_scratch": "NCLS, from scratch",
    "ncls_ms_scratch": "NCLS+MS, from scratch",
    "mclas_scratch": "MCLAS, from scratch",
    "ncls_ms_half": "NCLS+MS, half initialized",
    "tltran": "TLTran",
    "tetran": "TETran",
}


def system_name(model: str) -> str:
    """A model's name in a table; an outside system that is called as one of ours is told apart."""
    ours = MODELS | BASELINES
    return ours.get(model) or (f"{model} (outside)" if model in ours.values() else model)


Copied = Literal["lead", "mono", "oracle"]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A system that writes nothing of its own: it copies sentences, or the gold S^A."""

    name: str
    copies: str  # lead: first sentences | oracle: those with the best ROUGE | mono: the gold S^A
    sentences: int
    sides: tuple[Side, ...]

    def __post_init__(self) -> None:
        if self.copies not in get_args(Copied):
            raise unknown_choice("model.copies", self.copies, get_args(Copied))
        for side in self.sides:
            if side not in SIDES:
                raise unknown_choice("model.sides: side", side, SIDES)
        check_range("model.sentences", self.sentences, 1)

    @property
    def required(self) -> tuple[Side, ...]:
        """The references a test example must hold."""
        return ("mono", *self.sides) if self.copies == "mono" else self.sides


class Translator(Protocol):
    """The interface of a translator of texts."""

    @property
    def identity(self) -> str:
        """The translator's name and hash; equal identities give equal translations."""
        ...

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translations of ``texts``, a line for each, in their order."""
        ...
