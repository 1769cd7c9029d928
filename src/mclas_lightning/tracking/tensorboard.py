"""``logger=tensorboard``: curves and test scores as event files in the run's folder."""

from collections.abc import Mapping

from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from mclas_lightning.errors import InputError


class TensorBoardMirror(TensorBoardLogger):
    """Writes ``<run>/tensorboard/``; ``tensorboard --logdir runs`` compares all runs.

    InputError where the package tensorboard is missing.
    """

    def __init__(self, *, run_dir: str) -> None:
        try:
            super().__init__(run_dir, name="tensorboard", version="", default_hp_metric=False)
        except ModuleNotFoundError as error:
            raise InputError(
                "logger=tensorboard: the package tensorboard is missing; install it with: "
                "pip install 'mclas-lightning[tensorboard]'"
            ) from error

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log under the number of updates, as metrics.csv does; Lightning counts steps from 0."""
        super().log_metrics(dict(metrics), None if step is None else step + 1)
