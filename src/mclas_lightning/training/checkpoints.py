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
from mclas_lightning.errors import InputError
from mclas_lightning.model.checkpoint import load_checkpoint, save_checkpoint
from mclas_lightning.runs.preemption import INTERRUPTED, TERMINATED, Preempted, Preemption
from mclas_lightning.runs.run import Run
from mclas_lightning.tracking.metrics_file import MetricsFile
from mclas_lightning.training.divergence import Divergence

# What a rank wishes at the end of an update, the most urgent last.
GO_ON, SAVE, END, INTERRUPT, DIVERGED = range(5)


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent, and of last.ckpt the one before it, too."""

    # Lightning's own are built in memory, then written to the temporary folder and moved, which
    # copies them where that is another file system.
    def __init__(self, run: Run) -> None:
        self.run = run
        self.error: InputError | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write it beside its place, then rename it.

        An error is kept for ``Last``: the other processes wait for this one in Lightning's barrier.
        """
        path = Path(path)
        try:
            save_checkpoint(checkpoint, path, self.run.previous if path == self.run.last else None)
        except InputError as error:
            self.error = error


class Best(ModelCheckpoint):
    """best.ckpt: the lowest validation loss, also of a run whose folder was moved."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning would forget the best loss where ``dirpath`` is not what it was."""
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

    Always between two updates: what was accumulated of one is not in a checkpoint.
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
            self._attend(trainer)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: object
    ) -> None:
        """A validation changes nothing: it can be left, and done again."""
        self._attend(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The best checkpoint and the patience have seen it."""
        self.validated = trainer.global_step
        self._save(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """What Lightning saves inside its loops becomes what it saves between them."""
        if self.validated < trainer.global_step:
            assert isinstance(trainer.val_check_batch, int)
            complete(checkpoint["loops"]["fit_loop"], trainer.val_check_batch)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Nobody saves any more."""
        self.preemption.saving = False

    def _attend(self, trainer: pl.Trainer) -> None:
        wish = self._agreed()
        if wish == DIVERGED:
            self.divergence.stop(trainer)
        # Lightning does not resume a training that lacks its last validation alone.
        if wish == GO_ON or trainer.global_step == trainer.max_steps:
            return
        self._save(trainer)
        if wish != SAVE:
            raise Preempted(INTERRUPTED if wish == INTERRUPT else TERMINATED)

    def _agreed(self) -> int:
        """What the most urgent rank wishes: they stop and save together."""
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
        # A row too many is dropped when the run is resumed; one too few would be missing.
        with self._together():
            for logger in trainer.loggers:
                logger.save()
        with self._together():
            trainer.save_checkpoint(self.path)
        self.divergence.saved, self.saved = trainer.global_step, time.monotonic()

    @contextmanager
    def _together(self) -> Iterator[None]:
        """The first process writes alone: a full disk ends the others, too."""
        error = None
        try:
            yield
        except InputError as raised:
            error = raised
        raise_together(self.writer.error or error, self.group)


def complete(loops: dict[str, Any], batches_a_validation: int) -> None:
    """Complete the micro-batch whose end Lightning's counters are at.

    As they are, it would leave out a validation that is due, and count an epoch's end twice.
    """
    batches = loops["epoch_loop.batch_progress"]
    for count in (batches["total"], batches["current"]):
        count["completed"] = count["processed"]
    if batches["total"]["ready"] % batches_a_validation == 0:
        validation = loops["epoch_loop.val_loop.batch_progress"]
        for count in (validation["total"], validation["current"]):
            count.update(ready=1, started=1, processed=0, completed=0)  # begun, to be done again
        return
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    if batches["is_last_batch"]:
        batches["is_last_batch"] = False
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
