"""Figure 3: models initialized from MS as lines, the same models from scratch as columns.

Grays, hatches, markers and dashes tell the models apart, not colors, for black-and-white print.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mclas_lightning import paper
from mclas_lightning.report.drawing import INK, save_figure, svg_element
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.grid import Grid, layout_grids
from mclas_lightning.report.layout import (
    COMPARED_MODELS,
    LAYOUTS,
    LOW_RESOURCE,
    TableScore,
    TableSystem,
    rouge_f1,
)
from mclas_lightning.report.marks import Marks
from mclas_lightning.report.score_tables import paper_sheet
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.task import MODELS

FACES, HATCHES = ("#e8e8e8", "#bdbdbd", "#7a7a7a"), ("", "////", "")

MARKERS = ("o", "s", "^")

DASHES: tuple[Literal["-"], Literal["--"], Literal[":"]] = ("-", "--", ":")

COLUMN_WIDTH = 0.26  # as a share of the width of a scenario, which has three columns

SCRATCH_ENDING = "_scratch"

# The models initialized from MS are those of Table 2.
FIGURE3_LAYOUT = replace(
    LAYOUTS[2],
    title="Initialized from MS and from scratch",
    datasets=("en2desum", "zh2ensum"),
    scores=rouge_f1(),
    systems=tuple(
        TableSystem(scenario, f"{model}{start}", scenario)
        for scenario in LOW_RESOURCE
        for start in ("", SCRATCH_ENDING)
        for model in COMPARED_MODELS
    ),
)


def grids(datasets: Sequence[str], runs: Runs, profile: str) -> list[Grid]:
    """The figure's numbers for each dataset; without datasets, for the paper's two."""
    return layout_grids(FIGURE3_LAYOUT, datasets, runs, profile, closed=True)


def drawable(runs: Runs) -> list[str]:
    """The datasets to draw: the paper's two, and those that have runs from scratch."""
    scratch = {run.dataset: None for run in runs.all if run.model.endswith(SCRATCH_ENDING)}
    return list(dict.fromkeys([*FIGURE3_LAYOUT.datasets, *scratch]))


def sheets(found: Sequence[Grid], runs: Runs) -> list[Sheet]:
    """The figure's numbers as tables, with the commands that fill missing cells."""
    return [
        paper_sheet(grid, Marks(), runs, name=f"figure3-{grid.dataset}", label="Figure 3")
        for grid in found
    ]


def save(path: Path, found: Sequence[Grid]) -> None:
    """Draw into a file whose ending is the format, else InputError."""
    save_figure(path, lambda: _draw(found))


def svg(found: Sequence[Grid]) -> str:
    """The picture as an ``<svg>`` element that takes the color of the text around it."""
    return svg_element(lambda: _draw(found))


def _draw(found: Sequence[Grid]) -> Figure:
    figure = Figure(figsize=(9.5, 0.9 + 2.5 * len(found)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(found), len(FIGURE3_LAYOUT.scores), squeeze=False)
    for row, grid in zip(panels, found, strict=True):
        for axes, score in zip(row, FIGURE3_LAYOUT.scores, strict=True):
            _panel(axes, grid, score)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    return figure


def _panel(axes: Axes, grid: Grid, score: TableScore) -> None:
    corpus = paper.numbers().corpora.get(grid.dataset)
    axes.set_title(f"{corpus.name if corpus else grid.dataset}, {score.label}", fontsize=9)
    axes.set_xticks(range(len(LOW_RESOURCE)), LOW_RESOURCE, fontsize=8)
    axes.tick_params(axis="y", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(-0.5, len(LOW_RESOURCE) - 0.5)
    if not grid.comparable(score):
        axes.text(0.5, 0.5, "not comparable", transform=axes.transAxes, ha="center", color=INK)
        return
    for i, model in enumerate(COMPARED_MODELS):
        places, means, spreads = _scenario_points(grid, score, f"{model}{SCRATCH_ENDING}")
        axes.bar(
            [place + (i - 1) * COLUMN_WIDTH for place in places], means, COLUMN_WIDTH, yerr=spreads,
            color=FACES[i], hatch=HATCHES[i], edgecolor=INK, linewidth=0.6, capsize=2,
            error_kw={"linewidth": 0.7, "ecolor": INK}, zorder=1,
        )  # fmt: skip
        axes.errorbar(
            *_scenario_points(grid, score, model), color=INK, linestyle=DASHES[i],
            marker=MARKERS[i], markersize=5, markerfacecolor="#ffffff", linewidth=1.2, capsize=2,
            zorder=2,
        )  # fmt: skip
    axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
    if not grid.used:
        axes.text(0.5, 0.5, "no runs yet", transform=axes.transAxes, ha="center", color=INK)


def _scenario_points(
    grid: Grid, score: TableScore, model: str
) -> tuple[list[int], list[float], list[float]]:
    """Places of the scenarios that have runs, means, and deviations (0 where one seed is)."""
    cells = [grid.cell(TableSystem(scenario, model, scenario), score) for scenario in LOW_RESOURCE]
    known = [(i, cell) for i, cell in enumerate(cells) if cell]
    return (
        [i for i, _ in known],
        [cell.mean for _, cell in known],
        [cell.deviation or 0.0 for _, cell in known],
    )


def _legend() -> list[Artist]:
    """Legend entries, lines before columns; drawn apart, since a panel without runs has none."""
    lines = [
        Line2D(
            [], [], color=INK, linestyle=DASHES[i], marker=MARKERS[i], markerfacecolor="#ffffff",
            label=MODELS[model],
        )
        for i, model in enumerate(COMPARED_MODELS)
    ]  # fmt: skip
    columns = [
        Patch(
            facecolor=FACES[i], hatch=HATCHES[i], edgecolor=INK, linewidth=0.6,
            label=MODELS[f"{model}{SCRATCH_ENDING}"],
        )
        for i, model in enumerate(COMPARED_MODELS)
    ]  # fmt: skip
    return [*lines, *columns]
