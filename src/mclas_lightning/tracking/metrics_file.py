"""``metrics.csv``: what a training logs, as a file."""

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from mclas_lightning.files import whole_file


class MetricsFile(Logger):
    """metrics.csv: one row an update that logged something.

    Unlike Lightning's CSVLogger it keeps the rows of the run it resumes, and drops those of
    updates that are done again. It is on disk whenever a checkpoint is.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: dict[int, dict[str, float]] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    numbers = {k: float(v) for k, v in row.items() if v and k != "step"}
                    self.rows[int(row["step"])] = numbers

    @property
    def name(self) -> str:
        """Names the file, not a folder of versions."""
        return self.path.name

    @property
    def version(self) -> str:
        """There is one."""
        return ""

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **_: Any) -> None:
        """They are in config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add to the row of an update; Lightning's first step is 0, ours is update 1."""
        assert step is not None
        self.rows.setdefault(step + 1, {}).update({k: float(v) for k, v in metrics.items()})

    def resume(self, update: int) -> None:
        """Keep what was logged up to this update."""
        self.rows = {kept: row for kept, row in self.rows.items() if kept <= update}

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Keep the rest."""
        self.save()

    @rank_zero_only
    def save(self) -> None:
        """All rows, whole or not at all; before every last.ckpt, which they led to."""
        columns = sorted({column for row in self.rows.values() for column in row})
        with whole_file(self.path) as file:
            writer = csv.DictWriter(file, ["step", *columns], lineterminator="\n")
            writer.writeheader()
            writer.writerows({"step": step, **row} for step, row in sorted(self.rows.items()))
