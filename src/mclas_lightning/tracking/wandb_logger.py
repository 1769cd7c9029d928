"""``logger=wandb``: Weights & Biases as a mirror of a run's folder; no command reads from W&B.

``wandb`` is imported when the first W&B run begins, so that no other logger waits for it.
"""

import hashlib
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError, check_range
from mclas_lightning.example import SIDES
from mclas_lightning.runs.predictions import read_predictions, shared_documents
from mclas_lightning.runs.preemption import TERMINATED
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.schema import flat, typed
from mclas_lightning.tracking import account

if TYPE_CHECKING:
    import wandb


LONGEST_TAG = 64  # characters; W&B refuses a longer tag, and an empty one


@dataclass(frozen=True, kw_only=True)
class WandbConfig:
    """``conf/logger/wandb.yaml``."""

    run_dir: str
    project: str
    entity: str | None
    group: str
    job_type: str
    name: str
    tags: list[str]
    offline: bool
    samples: int  # documents in the table of summaries
    timeout: int  # seconds in which the server has to answer
    finish_timeout: int  # seconds in which the upload has to end after the training

    def __post_init__(self) -> None:
        check_range("logger.samples", self.samples, 0)
        check_range("logger.timeout", self.timeout, 1)
        check_range("logger.finish_timeout", self.finish_timeout, 1)


def sample_table(results: Results, num: int) -> "wandb.Table":
    """A table of ``num`` documents with references and hypotheses, the same in every run."""
    import wandb

    sides = list(results.scores)
    texts = [f"{side} {kind}" for side in sides for kind in ("reference", "hypothesis")]
    columns: list[Any] = ["model", "seed", "id", "document", *texts]
    table = wandb.Table(columns)
    written = read_predictions(results)
    for id in shared_documents({results.name: written}, seed=0)[:num]:
        case = written[id]
        texts = [text[side] for side in sides for text in (case.references, case.hypotheses)]
        table.add_data(results.name, results.seed, case.id, case.document, *texts)
    return table


class WandbMirror(WandbLogger):
    """The W&B run of a run's folder.

    The id of the W&B run is the id in the folder: a resumed training continues its curve, and a
    folder that was deleted and trained again gets a new curve.
    """

    def __init__(self, **words: Any) -> None:
        config = typed("logger", WandbConfig, words)
        super().__init__(project=config.project, save_dir=config.run_dir)
        self.config, self.run = config, Run(Path(config.run_dir))
        self.mode = account.wandb_mode()
        self.offline = config.offline or self.mode == "offline"
        self.lost = False
        self.trial: str | None = None  # a decoding's trial, which gets a W&B run of its own

    def check(self) -> None:
        """InputError where W&B has no key or its server does not answer; nothing if offline."""
        if not self.offline:
            account.check_account(self.config.timeout, ", or train with logger.offline=true")

    @property
    @rank_zero_experiment
    def experiment(self) -> "wandb.Run":
        """The W&B run, begun or continued by the first call; the run's folder has to exist."""
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
                tags=[tag[:LONGEST_TAG] for tag in config.tags if tag],
                # In a W&B sweep, the agent chooses the id.
                id=None if "WANDB_SWEEP_ID" in os.environ else self._run_id(),
                resume=None if self.offline else "allow",
                mode="offline" if self.offline else None,
                reinit="finish_previous",  # Two jobs of one process never share a W&B run.
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
        for of in ("", *(f"_{side}" for side in SIDES)):
            for metric, best in (("loss", "min"), ("perplexity", "min"), ("accuracy", "max")):
                experiment.define_metric(
                    f"val/{metric}{of}", step_metric="trainer/global_step", summary=best
                )
        upload = command("mclas wandb sync", ["--runs", config.run_dir])
        print(
            f"  W&B: {f'offline; upload it with: {upload}' if self.offline else experiment.url}",
            flush=True,
        )
        return experiment

    def _run_id(self) -> str:
        if self.trial is None:
            return self.run.id
        return hashlib.sha256(f"{self.run.id} {self.trial}".encode()).hexdigest()[:16]

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any) -> None:
        """Log the configuration with flat keys, such as ``optim/encoder/lr``.

        Keys have slashes, since W&B reads a key with dots as a path into nested values.
        """
        assert isinstance(params, dict)
        kept = {key: value for key, value in params.items() if key != "logger"}
        self.experiment.config.update(dict(flat(kept, "/")), allow_val_change=True)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log under the number of updates, as metrics.csv does; Lightning counts steps from 0.

        W&B's own step is the same number: the server drops the updates that a resumed training does
        again, since it has them.
        """
        assert step is not None
        with self._surviving():
            self.experiment.log({**metrics, "trainer/global_step": step + 1}, step=step + 1)

    @rank_zero_only
    def log_results(self, results: Results, updates: int) -> None:
        """Put the scores into the summary of the W&B run, and log a table of documents.

        Logged as metrics, each score would be a chart with one point.
        """
        with self._surviving():
            self.experiment.summary.update(results.metrics())
            if self.config.samples:
                samples = sample_table(results, self.config.samples)
                row = {f"{results.split}/samples": samples, "trainer/global_step": updates}
                self.experiment.log(row)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Go on without W&B, after a warning, where the process that uploads has died."""
        try:
            yield
        except OSError as error:
            if not self.lost:
                print(f"  warning: W&B is lost ({error}); the run's folder has all", flush=True)
            self.lost = True

    @rank_zero_only
    def finish(self, exit_code: int) -> None:
        """End a W&B run that has begun; Lightning leaves it open when a training fails."""
        if self._experiment is None:
            return
        experiment, self._experiment = self._experiment, None
        with self._surviving():
            if exit_code == TERMINATED:
                experiment.mark_preempting()
            experiment.finish(exit_code=exit_code)
        if self.lost:
            import wandb

            with suppress(OSError):  # The next job starts a new process for uploads.
                wandb.teardown()
