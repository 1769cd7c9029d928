"""Tables of finished runs: ROUGE, BERTScore, similarity, lengths, share of wrong languages."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.report.comparable import grouped
from mclas_lightning.report.finished_runs import Aside
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import (
    BERTSCORE,
    SIMILARITY,
    Layout,
    TableScore,
    TableSystem,
    rouge_f1,
)
from mclas_lightning.report.marks import significance_marks
from mclas_lightning.report.ranking import WRONG_LANGUAGE
from mclas_lightning.report.score_tables import grid_sheet
from mclas_lightning.report.sheet import MISSING, Sheet
from mclas_lightning.runs.results import Results

REFERENCE_WRONG_LANGUAGE = "reference_wrong_language"

COMPARED_SCORES = rouge_f1(
    BERTSCORE._replace(optional=True),
    SIMILARITY,
    TableScore("length", "Length", scale=1, digits=1, aim=None, reference="reference_length"),
    TableScore("difference", "To ref.", scale=1, digits=1, signed=True, aim=0),
    TableScore(
        WRONG_LANGUAGE, "Wrong %", family="", digits=1, aim=0, reference=REFERENCE_WRONG_LANGUAGE
    ),
)


def comparison_sheets(
    results: Sequence[Results],
    side: Side = "cross",
    profile: str = "standard",
    aside: Sequence[Aside] = (),
) -> list[Sheet]:
    """One sheet for each dataset and scenario, with the systems that write ``side``.

    A note of the first sheet names the files that were set ``aside``. InputError where no run has
    scores of ``side``.
    """
    scored = [run for run in results if side in run.scores]
    groups = grouped(scored, lambda run: (run.dataset, run.scenario))
    if not groups:
        raise InputError(f"none of these {len(results)} results scores {side} summaries")
    grids = {place: _grid(runs, side, profile) for place, runs in groups.items()}
    first = next(iter(grids))
    grids[first] = replace(grids[first], aside=aside)
    found = significance_marks(list(grids.values()))
    sheets = {place: grid_sheet(grid, found) for place, grid in grids.items()}
    return [
        replace(sheet, name="-".join(place), missing=[*chain(*sheet.rows())].count(MISSING))
        for place, sheet in sheets.items()
    ]


def _grid(runs: Sequence[Results], side: Side, profile: str) -> Grid:
    first = runs[0]
    layout = Layout(
        title=f"{first.dataset}, {first.scenario}: {side} summaries ({first.language(side)})",
        side=side,
        datasets=(first.dataset,),
        systems=tuple(
            TableSystem(first.scenario, model, "") for model in {r.model: 0 for r in runs}
        ),
        scores=COMPARED_SCORES,
        gold="Reference",
    )
    folder = first.folder.parents[2] if first.folder else None
    return Grid(layout=layout, dataset=first.dataset, profile=profile, runs=runs, folder=folder)
