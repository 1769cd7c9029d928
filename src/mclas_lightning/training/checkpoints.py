"""When a training saves: best.ckpt after a validation, last.ckpt whenever it could be needed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from mclas_lightning.distributed import raise_together
from mclas_lightning.errors import INTERRUPTED, InputError
from mclas_lightning.model.checkpoint import load_checkpoint, save_checkpoint
from mclas_lightning.runs.lock import check_still_there
from mclas_lightning.runs.preemption import TERMINATED, Preempted, Preemption
from mclas_lightning.runs.run import Run
from mclas_lightning.tracking.metrics_file import MetricsFile
from mclas_lightning.training.divergence import Divergence

# Wishes of a rank at the end of an update, the most urgent last.
GO_ON, SAVE, END, INTERRUPT, DIVERGED = range(5)


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent; the last.ckpt before the newest is previous.ckpt."""

    # Lightning builds a checkpoint in memory, writes it to the temporary folder and moves it; the
    # move is a copy, which can be cut short, where that folder is on another file system.
    def __init__(self, run: Run) -> None:
        self.run = run
        self.error: InputError | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write ``path``, whole or not at all, and keep the last.ckpt before it.

        An InputError is kept in ``error``, and ``Last`` raises it on all ranks: the other ranks
        wait for this one in Lightning's barrier.
        """
        path = Path(path)
        try:
            check_still_there(self.run.folder)
            save_checkpoint(checkpoint, path, self.run.previous if path == self.run.last else None)
        except InputError as error:
            self.error = error


class Best(ModelCheckpoint):
    """best.ckpt: the lowest validation loss, also of a run whose folder was moved."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best loss in the run's present folder.

        Lightning forgets the best loss where ``dirpath`` is not the one of the checkpoint.
        """
        assert self.dirpath is not None
        moved = {"dirpath": self.dirpath}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            moved[key] = self._here(state_dict[key])
        models = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **moved, "best_k_models": models})

    def _here(self, path: str) -> str:
        return str(Path(self.dirpath or "", Path(path).name)) if path else path


class Last(Checkpoint):
    """last.ckpt: after a validation, after ``minutes``, and when a signal asks the run to end.

    ``last.ckpt`` holds the state after a whole update: accumulated gradients are never saved.
    """

    def __init__(
        self,
        run: Run,
        preemption: Preemption,
        minutes: float | None,
        writer: WholeCheckpoints,
        divergence: Divergence,
    ) -> None:
        self.path, self.preemption, self.minutes = run.last, preemption, minutes
        self.writer, self.divergence = writer, divergence
        self._began, self._earlier = time.monotonic(), 0.0

    @property
    def seconds(self) -> float:
        """Seconds of the training up to now, summed over its starts as its updates are."""
        return self._earlier + time.monotonic() - self._began

    def state_dict(self) -> dict[str, Any]:
        """A checkpoint holds the seconds that its updates took."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """A training goes on counting where the checkpoint that it resumes from has stopped."""
        self._earlier = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on signals wait for the end of an update."""
        self.update, self.validated, self.saved = trainer.global_step, 0, time.monotonic()
        for logger in trainer.loggers:
            if isinstance(logger, MetricsFile):
                logger.resume(trainer.global_step)
        self.group = self.divergence.group  # Signals come to each process by itself.
        # Lightning's handler would ask the other ranks from inside the signal.
        self.preemption.listen()
        self.preemption.saving = True

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: object
    ) -> None:
        """At the end of an update, save where it is time."""
        if trainer.global_step > self.update:
            self.update = trainer.global_step
            self._save_or_end(trainer)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: object
    ) -> None:
        """Save inside a validation, too: it changes no weights, and a resumed run repeats it."""
        self._save_or_end(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after a validation, once the best checkpoint and the patience have its loss."""
        self.validated = trainer.global_step
        self._save(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the loop counters as they are between two updates, not inside one."""
        if self.validated < trainer.global_step:
            assert isinstance(trainer.val_check_batch, int)
            settle_loop_counters(checkpoint["loops"]["fit_loop"], trainer.val_check_batch)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """From here on a signal ends the run at once: no checkpoint follows."""
        self.preemption.saving = False

    def _save_or_end(self, trainer: pl.Trainer) -> None:
        wish = self._most_urgent_wish()
        if wish == DIVERGED:
            self.divergence.stop(trainer)
        # Lightning does not resume a training that lacks its last validation alone.
        if wish == GO_ON or trainer.global_step == trainer.max_steps:
            return
        self._save(trainer)
        if wish != SAVE:
            raise Preempted(INTERRUPTED if wish == INTERRUPT else TERMINATED)

    def _most_urgent_wish(self) -> int:
        """The most urgent wish of all ranks, by an all-reduce with MAX."""
        due = self.minutes is not None and time.monotonic() - self.saved > 60 * self.minutes
        asked = {TERMINATED: END, INTERRUPTED: INTERRUPT}.get(self.preemption.code or 0)
        wish = asked or (SAVE if due else GO_ON)
        wish = DIVERGED if self.divergence.fault else wish
        if self.group is None:
            return wish
        wishes = torch.tensor(wish)
        dist.all_reduce(wishes, dist.ReduceOp.MAX, group=self.group)
        return int(wishes)

    def _save(self, trainer: pl.Trainer) -> None:
        self.divergence.check(trainer)
        # metrics.csv is written before last.ckpt: resuming drops rows after the checkpoint's
        # update, and cannot restore rows that were never written.
        with self._together():
            for logger in trainer.loggers:
                logger.save()
        with self._together():
            trainer.save_checkpoint(self.path)
        self.divergence.saved, self.saved = trainer.global_step, time.monotonic()

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Raise on all ranks where rank zero, which alone writes, meets a full disk."""
        error = None
        try:
            yield
        except InputError as raised:
            error = raised
        raise_together(self.writer.error or error, self.group)


def settle_loop_counters(loops: dict[str, Any], batches_a_validation: int) -> None:
    """Set Lightning's loop counters to their values between two updates.

    Lightning calls ``on_train_batch_end`` while it still counts the micro-batch as unfinished.
    After 30 micro-batches its ``batch_progress`` holds ready=30, processed=30, completed=29. A
    training that resumes from these values leaves out a validation that is due after the 30th, and
    counts the end of an epoch twice. So completed becomes 30. Where a validation is due, its
    counters say that it has begun and done no batch, and Lightning repeats it from its beginning.
    Where the epoch ends, the epoch is counted as done, and the next one starts at micro-batch 0.
    The counters are private: tested with Lightning 2.6.6 on torch 2.13; pyproject.toml excludes
    other minor versions of Lightning.
    """
    batches = loops["epoch_loop.batch_progress"]
    for count in (batches["total"], batches["current"]):
        count["completed"] = count["processed"]
    if batches["total"]["ready"] % batches_a_validation == 0:
        validation = loops["epoch_loop.val_loop.batch_progress"]
        for count in (validation["total"], validation["current"]):
            count.update(ready=1, started=1, processed=0, completed=0)
        return
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    if batches["is_last_batch"]:
        batches["current"] = dict.fromkeys(batches["current"], 0)
        for count in (loops["epoch_progress"]["total"], loops["epoch_progress"]["current"]):
            count.update(processed=count["ready"], completed=count["ready"])


def resumable(run: Run) -> Path | None:
    """The newest whole checkpoint to resume from, if there is any.

    InputError where there are some, all cut short.
    """
    found = [path for path in (run.last, run.previous) if path.exists()]
    for path in found:
        try:
            load_checkpoint(path)
            return path
        except InputError:
            if path == found[-1]:
                raise
    return None
