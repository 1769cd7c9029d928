"""Finished runs beside each other: ROUGE, lengths, the share in the wrong language."""

from collections.abc import Sequence
from dataclasses import replace

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.report.finished_runs import Aside
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import BERTSCORE, SIMILARITY, Layout, Score, System, f1
from mclas_lightning.report.marks import marks
from mclas_lightning.report.ranking import WRONG
from mclas_lightning.report.score_tables import sheet
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.results import Results

REFERENCES = "reference_wrong_language"

SCORES = f1(
    BERTSCORE._replace(optional=True),
    SIMILARITY,
    Score("length", "Length", scale=1, digits=1, aim=None, reference="reference_length"),
    Score("difference", "To ref.", scale=1, digits=1, signed=True, aim=0),
    Score(WRONG, "Wrong %", family="", digits=1, aim=0, reference=REFERENCES),
)


def comparison(
    results: Sequence[Results],
    side: Side = "cross",
    profile: str = "standard",
    aside: Sequence[Aside] = (),
) -> list[Sheet]:
    """One sheet for each dataset and scenario, of the systems that write ``side``.

    The first one names what was set ``aside``.
    """
    groups: dict[tuple[str, str], list[Results]] = {}
    for run in results:
        if side in run.scores:
            groups.setdefault((run.dataset, run.scenario), []).append(run)
    if not groups:
        raise InputError(f"none of these {len(results)} results scores {side} summaries")
    grids = {place: _grid(runs, side, profile) for place, runs in groups.items()}
    first = next(iter(grids))
    grids[first] = replace(grids[first], aside=aside)
    found = marks(list(grids.values()))
    return [replace(sheet(grid, found), name="-".join(place)) for place, grid in grids.items()]


def _grid(runs: Sequence[Results], side: Side, profile: str) -> Grid:
    first = runs[0]
    layout = Layout(
        title=f"{first.dataset}, {first.scenario}: {side} summaries ({first.language(side)})",
        side=side,
        datasets=(first.dataset,),
        systems=tuple(System(first.scenario, model, "") for model in {r.model: 0 for r in runs}),
        scores=SCORES,
        gold="Reference",
    )
    return Grid(layout=layout, dataset=first.dataset, profile=profile, runs=runs)
