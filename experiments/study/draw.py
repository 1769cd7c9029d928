"""Redraw the study from its committed results: the findings, and the learning curves.

    python -m experiments.study.draw experiments/study/results docs

Written are study-findings.md and images/study.svg below the folder given last.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.study.effects import Study, curve
from experiments.study.findings import findings
from mclas_lightning.report.drawing import INK, save_figure
from mclas_lightning.task import MODELS

# Marker and dashes of a system; from scratch it is drawn in gray.
STYLES = {"ncls": ("o", "-"), "ncls_ms": ("s", "--"), "mclas": ("^", ":")}


def drawing(study: Study) -> Callable[[], Figure]:
    """Draws the learning curves, a panel for each dataset."""

    def draw() -> Figure:
        datasets = study.datasets
        figure = Figure(figsize=(4.6 * len(datasets), 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(datasets), squeeze=False)[0]
        for axes, dataset in zip(panels, datasets, strict=True):
            _panel(axes, study, dataset)
        panels[0].set_ylabel("ROUGE-1 of S^B", fontsize=9)
        drawn = {
            label: handle
            for axes in panels
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        place = "outside lower center"
        figure.legend(drawn.values(), drawn.keys(), loc=place, ncols=3, frameon=False, fontsize=8)
        return figure

    return draw


def _panel(axes: Axes, study: Study, dataset: str) -> None:
    axes.set_title(dataset, fontsize=10)
    axes.set_xscale("log")
    axes.set_xlabel("parallel summaries", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    sizes: set[int] = set()
    for place, (model, (marker, dashes)) in enumerate(STYLES.items()):
        for name, color in ((model, INK), (f"{model}_scratch", "#8a8a8a")):
            drawn = curve(study, dataset, name)
            if not drawn.sizes:
                continue
            sizes |= set(drawn.sizes)
            errors = [
                [m - low, high - m]
                for m, (low, high) in zip(drawn.means, drawn.intervals, strict=True)
            ]
            # A little apart, so that intervals of the same size do not cover each other.
            axes.errorbar(
                [size * 1.04 ** (place - 1) for size in drawn.sizes], drawn.means,
                yerr=list(zip(*errors, strict=True)), color=color, marker=marker, linestyle=dashes,
                markersize=5, markerfacecolor="#ffffff", linewidth=1.2, capsize=2,
                label=MODELS[name],
            )  # fmt: skip
    axes.set_xticks(sorted(sizes), [f"{size:,}" for size in sorted(sizes)], fontsize=8)
    axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
    axes.minorticks_off()
    axes.tick_params(axis="y", labelsize=8)


def main() -> None:
    """Draw everything."""
    results, out = map(Path, sys.argv[1:3])
    study = Study(results)
    (out / "study-findings.md").write_text(findings(study), encoding="utf-8")
    save_figure(out / "images" / "study.svg", drawing(study))


if __name__ == "__main__":
    main()
