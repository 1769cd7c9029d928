"""``logger=wandb``: Weights & Biases as a mirror of a run's folder, which stays the truth.

``wandb`` is imported when it is first needed: no other logger waits for it.
"""

import hashlib
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from mclas_lightning.errors import InputError
from mclas_lightning.preemption import TERMINATED
from mclas_lightning.report.results import Results
from mclas_lightning.run import Run
from mclas_lightning.tracking import account
from mclas_lightning.tracking.wandb_content import WandbSettings, sample_table
from mclas_lightning.typed import flat, typed

if TYPE_CHECKING:
    import wandb


class WandbMirror(WandbLogger):
    """One W&B run for each run folder.

    Its id is the folder's, so that a resumed run continues its curve, and a run that was deleted
    and trained again begins another.
    """

    def __init__(self, **words: Any) -> None:
        config = typed("logger", WandbSettings, words)
        super().__init__(project=config.project, save_dir=config.run_dir)
        self.config, self.run = config, Run(Path(config.run_dir))
        self.mode = account.mode()
        self.offline = config.offline or self.mode == "offline"
        self.lost = False
        self.trial: str | None = None  # what is scored of the run, where it is not its results

    def check(self) -> None:
        """InputError where nothing could be logged: no key, or a server that does not answer."""
        if not self.offline:
            account.check_account(self.config.timeout)

    @property
    @rank_zero_experiment
    def experiment(self) -> "wandb.Run":
        """The W&B run, begun or continued at the first call; the run's folder must be there."""
        if self._experiment is None:
            self._experiment = self._begin()
        return self._experiment

    def _begin(self) -> "wandb.Run":
        import wandb
        from wandb.errors import Error

        config, trial = self.config, self.trial
        try:
            experiment = wandb.init(
                entity=config.entity,
                project=config.project,
                group=config.group,
                job_type="decoding" if trial else config.job_type,
                name=f"{config.name}/{trial}" if trial else config.name,
                tags=config.tags,
                # An agent of a W&B sweep has chosen the id.
                id=None if "WANDB_SWEEP_ID" in os.environ else self._run_id(),
                resume=None if self.offline else "allow",
                mode="offline" if self.offline else None,
                reinit="finish_previous",  # Two jobs of a process never share a run.
                dir=self.save_dir,
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    init_timeout=config.timeout,
                    finish_timeout=config.finish_timeout,
                ),
            )
        except Error as error:
            raise InputError(
                f"W&B: {' '.join(str(error).split())}; logger.offline=true goes on without a server"
            ) from error
        experiment.define_metric("trainer/global_step")
        experiment.define_metric("*", step_metric="trainer/global_step")
        for metric, best in (
            ("val/loss", "min"),
            ("val/perplexity", "min"),
            ("val/accuracy", "max"),
        ):
            experiment.define_metric(metric, step_metric="trainer/global_step", summary=best)
        place = "offline; upload it with: mclas wandb sync" if self.offline else experiment.url
        print(f"  W&B: {place}", flush=True)
        return experiment

    def _run_id(self) -> str:
        if self.trial is None:
            return self.run.id
        return hashlib.sha256(f"{self.run.id} {self.trial}".encode()).hexdigest()[:16]

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any) -> None:
        """The configuration with flat keys, such as ``optim/encoder/lr``.

        W&B takes a key with dots for a path into nested values.
        """
        assert isinstance(params, dict)
        kept = {key: value for key, value in params.items() if key != "logger"}
        self.experiment.config.update(dict(flat(kept, "/")), allow_val_change=True)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Under the number of updates, as in metrics.csv; Lightning's first step is 0.

        It is W&B's own step, too: what a resumed run does again, the server has and leaves out.
        """
        assert step is not None
        with self._surviving():
            self.experiment.log({**metrics, "trainer/global_step": step + 1}, step=step + 1)

    @rank_zero_only
    def log_results(self, results: Results, updates: int) -> None:
        """The scores, in W&B's summary, and a table of summaries.

        Scores are no curves: a chart of each would hold one point.
        """
        with self._surviving():
            self.experiment.summary.update(results.metrics())
            if self.config.samples:
                samples = sample_table(results, self.config.samples)
                row = {f"{results.split}/samples": samples, "trainer/global_step": updates}
                self.experiment.log(row)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Go on without W&B where its process, which does the uploading, has died."""
        try:
            yield
        except OSError as error:
            if not self.lost:
                print(f"  warning: W&B is lost ({error}); the run's folder has all", flush=True)
            self.lost = True

    @rank_zero_only
    def finish(self, exit_code: int) -> None:
        """End the W&B run, if it was begun; Lightning leaves it open when a training fails."""
        if self._experiment is None:
            return
        experiment, self._experiment = self._experiment, None
        with self._surviving():
            if exit_code == TERMINATED:
                experiment.mark_preempting()
            experiment.finish(exit_code=exit_code)
        if self.lost:
            import wandb

            with suppress(OSError):  # It ends what is lost; the next job starts another.
                wandb.teardown()
