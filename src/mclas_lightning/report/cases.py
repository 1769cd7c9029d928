"""A few documents with every system's summaries (figures 4, 7 and 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mclas_lightning.data.example import SIDES, Side
from mclas_lightning.errors import InputError, closest
from mclas_lightning.report import predictions
from mclas_lightning.report.matches import Piece, lacking, matched
from mclas_lightning.report.predictions import Prediction
from mclas_lightning.report.results import Results

LEGEND = (
    "Marked: n-grams of the reference, single words lightly. Lacks: the reference's other words."
)


@dataclass(frozen=True)
class Summary:
    """What one system wrote on one side, in pieces, and what it lacks of the reference."""

    system: str
    language: str
    pieces: list[Piece]
    lacks: list[str]


@dataclass(frozen=True)
class Case:
    """One document, its references by language, and what each system wrote."""

    id: str
    dataset: str
    language: str
    document: str
    references: list[tuple[str, str]]
    summaries: list[Summary]


class Examples(NamedTuple):
    """Cases, and why some runs are not in them."""

    cases: list[Case]
    aside: list[str]


def cases(
    runs: Sequence[Results], num: int = 3, seed: int = 0, ids: Sequence[str] = ()
) -> Examples:
    """The documents ``ids``, or ``num`` that all ``runs`` share, the same ones at every call.

    A run whose predictions cannot be shown beside the others' is set aside. InputError where none
    is left, where runs are of several datasets, or where not all of them have a document.
    """
    if len({run.dataset for run in runs}) != 1:
        found = ", ".join(sorted({run.dataset for run in runs})) or "no runs"
        raise InputError(f"cases are drawn from the runs of one dataset; found: {found}")
    found = predictions.of_one_test_set(dict(zip(_names(runs), runs, strict=True)))
    written = found.systems
    if not written:
        raise InputError("; ".join(found.aside))
    shared = predictions.shared(written, seed)
    for id in set(ids) - set(shared):
        near = closest(id, shared)
        where = f"document '{id}' is not in the predictions of {', '.join(written)}"
        raise InputError(f"{where}; {near}".rstrip("; "))
    shown = [
        _case({name: of_system[id] for name, of_system in written.items()}, runs[0])
        for id in ids or shared[:num]
    ]
    return Examples(shown, found.aside)


def _names(runs: Sequence[Results]) -> list[str]:
    """The systems' names, with scenario and seed where these tell runs apart."""
    scenarios, seeds = {run.scenario for run in runs}, {run.seed for run in runs}
    return [
        run.name
        + (f", {run.scenario}" if len(scenarios) > 1 else "")
        + (f", seed {run.seed}" if len(seeds) > 1 else "")
        for run in runs
    ]


def _case(written: dict[str, Prediction], run: Results) -> Case:
    first = next(iter(written.values()))
    references: dict[Side, str] = {}
    for prediction in written.values():
        references |= prediction.references
    return Case(
        id=first.id,
        dataset=run.dataset,
        language=run.language("mono"),
        document=first.document,
        references=[(run.language(side), references[side]) for side in _sides(references)],
        summaries=[
            _summary(name, run.language(side), prediction, side)
            for name, prediction in written.items()
            for side in _sides(prediction.hypotheses)
        ],
    )


def _sides(texts: dict[Side, str]) -> list[Side]:
    return sorted(texts, key=SIDES.index)


def _summary(name: str, language: str, prediction: Prediction, side: Side) -> Summary:
    text, reference = prediction.hypotheses[side].strip(), prediction.references.get(side, "")
    return Summary(name, language, matched(text, reference), lacking(text, reference))
