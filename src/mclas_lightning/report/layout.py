"""Layouts of tables 2, 5, 6 and 7: their systems, their scores, and the paper's numbers.

Systems are rows and scores are columns; a ``transposed`` layout has scores in rows.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from mclas_lightning import paper
from mclas_lightning.example import Side
from mclas_lightning.task import system_name

LOW_RESOURCE = ("minimum", "medium", "maximum")

COMPARED_MODELS = ("ncls", "ncls_ms", "mclas")

# Models that tables 2 and 5 to 7 leave out: pretraining, translators, and those of Figure 3.
MODELS_ELSEWHERE = ("ms", "mt", "ncls_scratch", "ncls_ms_scratch", "mclas_scratch")


class TableScore(NamedTuple):
    """A score of ``results.json``; its value times ``scale`` is in the paper's unit.

    ``aim`` says which value is best: 1 the highest, 0 the nearest to 0, None no value.
    ``reference`` names the score of the references, such as their length. An ``optional`` score
    is shown only where a run has it.
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


class TableSystem(NamedTuple):
    """A row of Table 2; systems of the same ``section`` compete."""

    scenario: str
    model: str
    section: str
    label: str = ""

    @property
    def name(self) -> str:
        """The system's name in the table."""
        return self.label or system_name(self.model)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A table of scores: one of the paper's, or one of our own, which has no ``number``."""

    number: int | None = None
    title: str
    side: Side
    datasets: tuple[str, ...]
    systems: tuple[TableSystem, ...]
    scores: tuple[TableScore, ...]
    gold: str = ""  # the label of the references, if they have a row
    transposed: bool = False

    def printed(self, dataset: str, system: TableSystem, score: str) -> float | None:
        """The paper's number for a cell; None where the paper has none."""
        if self.number is None:
            return None
        table: Any = getattr(paper.numbers(), f"table{self.number}").get(dataset, {})
        cells = getattr(table, "systems", table)
        if system.section:
            cells = cells.get(system.scenario, {})
        return getattr(cells.get(system.model), score, None)

    def printed_gold(self, dataset: str, score: str) -> float | None:
        """The paper's number for the references; None but for their length."""
        table = getattr(paper.numbers(), f"table{self.number}", {})
        return table[dataset].gold if dataset in table and score == "length" else None


def rouge_f1(*more: TableScore) -> tuple[TableScore, ...]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L, then ``more`` scores."""
    return (
        TableScore("rouge1_f", "R-1"),
        TableScore("rouge2_f", "R-2"),
        TableScore("rougeL_f", "R-L"),
        *more,
    )


def _fine_tuned(*models: str) -> tuple[TableSystem, ...]:
    return tuple(
        TableSystem(scenario, model, scenario) for scenario in LOW_RESOURCE for model in models
    )


BERTSCORE = TableScore("bertscore_f", "BERTScore", "bertscore", 1, 4)

SIMILARITY = TableScore("similarity", "Similarity", "similarity", 1, 4, optional=True)

MONO_SYSTEMS = (
    TableSystem("full", "ms", "", "MS-Pretrain"),
    TableSystem("maximum", "ncls_ms", ""),
    TableSystem("maximum", "mclas", ""),
)

LENGTH_SCORES = (
    TableScore("length", "Length", scale=1, aim=None, reference="reference_length"),
    TableScore("difference", "To gold", scale=1, signed=True, aim=0),
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
                *_fine_tuned(*COMPARED_MODELS),
                *(TableSystem("full", model, "full") for model in ("tltran", *COMPARED_MODELS)),
            ),
            scores=rouge_f1(BERTSCORE, SIMILARITY),
        ),
        Layout(
            number=5,
            title="Lengths of the cross summaries and their difference to gold",
            side="cross",
            datasets=("en2desum", "zh2ensum"),
            systems=_fine_tuned(*COMPARED_MODELS),
            scores=LENGTH_SCORES,
            gold="Gold",
        ),
        Layout(
            number=6,
            title="F1 of ROUGE of the mono summaries",
            side="mono",
            datasets=("en2desum", "zh2ensum"),
            systems=MONO_SYSTEMS,
            scores=rouge_f1(),
        ),
        Layout(
            number=7,
            title="Recall, precision and length of the mono summaries",
            side="mono",
            datasets=("en2desum",),
            systems=MONO_SYSTEMS,
            scores=(
                *(
                    TableScore(f"rouge{kind}_{way[0].lower()}", f"R-{kind} {way}")
                    for kind in "12L"
                    for way in ("Recall", "Precision")
                ),
                *LENGTH_SCORES,
            ),
            gold="Gold",
            transposed=True,
        ),
    )
}
