"""A picture of the round-trip scores: two histograms."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BINS = np.linspace(0, 1, 41)

KEPT_COLOR, DROPPED_COLOR = "#2a6f97", "#c9ced6"


def draw_scores(path: Path, scores: np.ndarray, thresholds: tuple[float, float]) -> None:
    """Write histograms of ROUGE-1 F and ROUGE-2 F; ``scores`` is ``[pairs, 2]``, from 0 to 1.

    A pair is kept if it reaches both thresholds. Each histogram therefore has dropped pairs above
    its threshold, too.
    """
    kept = np.all(scores >= np.array(thresholds), axis=1)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, column, name, least in zip(
        figure.subplots(1, 2, sharey=True), scores.T, ("ROUGE-1 F", "ROUGE-2 F"), thresholds,
        strict=True,
    ):  # fmt: skip
        labels = [f"kept ({kept.sum():,})", f"dropped ({(~kept).sum():,})"]
        axes.hist(
            [column[kept], column[~kept]], bins=BINS, stacked=True,
            color=[KEPT_COLOR, DROPPED_COLOR], label=labels,
        )  # fmt: skip
        axes.axvline(least, color="black", linewidth=1, linestyle="--")
        axes.annotate(
            f"{least:g}", (least, 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
            textcoords="offset points", va="top",
        )  # fmt: skip
        axes.set(xlabel=f"{name} of the back-translation", xlim=(0, 1))
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("pairs")
    figure.axes[0].legend(frameon=False, loc="upper left")
    share = kept.sum() / max(1, len(scores))
    figure.suptitle(f"Round trip: {share:.1%} of {len(scores):,} pairs kept")
    figure.savefig(path, dpi=150)
