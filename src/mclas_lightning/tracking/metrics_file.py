"""``metrics.csv``: the metrics of a training, by update."""

import csv
from argparse import Namespace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from mclas_lightning.errors import InputError
from mclas_lightning.files import whole_file
from mclas_lightning.runs.lock import check_still_there


class MetricsFile(Logger):
    """A logger that writes metrics.csv: a row for each update with metrics.

    A resumed training keeps the rows up to its checkpoint and drops those of updates that it does
    again; Lightning's CSVLogger cannot. The file is written before each ``last.ckpt``.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: dict[int, dict[str, float]] = {}
        if path.exists():
            try:
                with path.open(encoding="utf-8-sig", newline="") as file:
                    for row in csv.DictReader(file):
                        numbers = {k: float(v) for k, v in row.items() if v and k != "step"}
                        self.rows[int(row["step"])] = numbers
            except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
                raise InputError(
                    f"{path}: not readable as a training has written it; put it back as it was, or "
                    f"delete it: the training goes on, and lacks the curves until here"
                ) from error

    @property
    def name(self) -> str:
        """The name of the file; Lightning asks each logger for a name."""
        return self.path.name

    @property
    def version(self) -> str:
        """Empty: a run has one metrics.csv, without versions."""
        return ""

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **_: Any) -> None:
        """Do nothing: hyperparameters are in config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add to the row of an update; Lightning counts steps from 0, updates count from 1."""
        assert step is not None
        self.rows.setdefault(step + 1, {}).update({k: float(v) for k, v in metrics.items()})

    def resume(self, update: int) -> None:
        """Drop the rows after ``update``, from which the training goes on."""
        self.rows = {kept: row for kept, row in self.rows.items() if kept <= update}

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write the file at the end of the training."""
        self.save()

    @rank_zero_only
    def save(self) -> None:
        """Write all rows, whole or not at all; InputError where the run's folder was made anew."""
        check_still_there(self.path.parent)
        columns = sorted({column for row in self.rows.values() for column in row})
        with whole_file(self.path) as file:
            writer = csv.DictWriter(file, ["step", *columns], lineterminator="\n")
            writer.writeheader()
            writer.writerows({"step": step, **row} for step, row in sorted(self.rows.items()))
