"""What stands where in tables 2, 5, 6 and 7: systems, scores, and the paper's numbers for them.

A layout is systems by scores; ``transposed`` puts the scores into rows.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from mclas_lightning import paper
from mclas_lightning.example import Side
from mclas_lightning.runs.results import MODELS

LOW_RESOURCE = ("minimum", "medium", "maximum")

SYSTEMS = ("ncls", "ncls_ms", "mclas")

# Not in these tables: pretraining, translators, and what Figure 3 compares.
ELSEWHERE = ("ms", "mt", "ncls_scratch", "ncls_ms_scratch", "mclas_scratch")


class Score(NamedTuple):
    """A score of ``results.json``; ``scale`` makes the paper's unit of it.

    ``aim`` is what is best: 1 the highest, 0 the nearest to 0, None where nothing is. ``reference``
    names the same of the references. What is ``optional`` is shown where a run has it.
    """

    name: str
    label: str
    family: str = "rouge"
    scale: float = 100
    digits: int = 2
    signed: bool = False
    aim: int | None = 1
    reference: str = ""
    optional: bool = False


class System(NamedTuple):
    """A row of Table 2; systems of the same ``section`` compete."""

    scenario: str
    model: str
    section: str
    label: str = ""

    @property
    def name(self) -> str:
        """As the table calls it."""
        return self.label or MODELS.get(self.model, self.model)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One of the paper's tables of scores, or one of our own, without a number."""

    number: int | None = None
    title: str
    side: Side
    datasets: tuple[str, ...]
    systems: tuple[System, ...]
    scores: tuple[Score, ...]
    gold: str = ""  # what references are called, where they have a row
    transposed: bool = False

    def printed(self, dataset: str, system: System, score: str) -> float | None:
        """The paper's number; None where it has none."""
        if self.number is None:
            return None
        table: Any = getattr(paper.numbers(), f"table{self.number}").get(dataset, {})
        cells = getattr(table, "systems", table)
        if system.section:
            cells = cells.get(system.scenario, {})
        return getattr(cells.get(system.model), score, None)

    def printed_gold(self, dataset: str, score: str) -> float | None:
        """The paper's number of the references, which have lengths alone."""
        table = getattr(paper.numbers(), f"table{self.number}", {})
        return table[dataset].gold if dataset in table and score == "length" else None


def f1(*more: Score) -> tuple[Score, ...]:
    """ROUGE's F1 and ``more``."""
    return (Score("rouge1_f", "R-1"), Score("rouge2_f", "R-2"), Score("rougeL_f", "R-L"), *more)


def _fine_tuned(*models: str) -> tuple[System, ...]:
    return tuple(System(scenario, model, scenario) for scenario in LOW_RESOURCE for model in models)


BERTSCORE = Score("bertscore_f", "BERTScore", "bertscore", 1, 4)

SIMILARITY = Score("similarity", "Similarity", "similarity", 1, 4, optional=True)

MONOLINGUAL = (
    System("full", "ms", "", "MS-Pretrain"),
    System("maximum", "ncls_ms", ""),
    System("maximum", "mclas", ""),
)

LENGTHS = (
    Score("length", "Length", scale=1, aim=None, reference="reference_length"),
    Score("difference", "To gold", scale=1, signed=True, aim=0),
)

LAYOUTS = {
    layout.number: layout
    for layout in (
        Layout(
            number=2,
            title="F1 of ROUGE and BERTScore of the cross summaries",
            side="cross",
            datasets=("zh2ensum", "en2desum", "en2zhsum"),
            systems=(
                *_fine_tuned(*SYSTEMS),
                *(System("full", model, "full") for model in ("tltran", *SYSTEMS)),
            ),
            scores=f1(BERTSCORE, SIMILARITY),
        ),
        Layout(
            number=5,
            title="Lengths of the cross summaries and their difference to gold",
            side="cross",
            datasets=("en2desum", "zh2ensum"),
            systems=_fine_tuned(*SYSTEMS),
            scores=LENGTHS,
            gold="Gold",
        ),
        Layout(
            number=6,
            title="F1 of ROUGE of the mono summaries",
            side="mono",
            datasets=("en2desum", "zh2ensum"),
            systems=MONOLINGUAL,
            scores=f1(),
        ),
        Layout(
            number=7,
            title="Recall, precision and length of the mono summaries",
            side="mono",
            datasets=("en2desum",),
            systems=MONOLINGUAL,
            scores=(
                *(
                    Score(f"rouge{kind}_{way[0].lower()}", f"R-{kind} {way}")
                    for kind in "12L"
                    for way in ("Recall", "Precision")
                ),
                *LENGTHS,
            ),
            gold="Gold",
            transposed=True,
        ),
    )
}
