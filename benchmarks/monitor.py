"""Which update a validation loss of S^B alone, and one of both summaries, would choose.

    python -m benchmarks.monitor runs/toy_en2de/maximum/mclas/seed=*

Read is each run's metrics.csv, which ends where the run's own monitor ended the training.
"""

import csv
import sys
from pathlib import Path

from mclas_lightning.example import SIDES
from mclas_lightning.runs.run import Run
from mclas_lightning.training.module import monitored


def chosen(run: Run) -> dict[str, int]:
    """The update with the lowest value of each loss."""
    with (run.folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["val/loss"]]
    sides = [side for side in SIDES if f"val/loss_{side}" in rows[0]]
    losses = {monitor: monitored(monitor, sides) for monitor in ("cross", "joint")}
    return {
        name: int(min(rows, key=lambda row: float(row[loss]))["step"])
        for name, loss in losses.items()
    }


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        updates = ", ".join(
            f"{name} {update:,}" for name, update in chosen(Run(Path(folder))).items()
        )
        print(f"{folder}: {updates}")
