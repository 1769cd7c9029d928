"""The progress bar over all updates, and early stopping."""

import sys

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping

from mclas_lightning.progress import progress_bar


class UpdatesBar(Callback):
    """One progress bar for all updates: an epoch of a small scenario is too short for one."""

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the bar at the update from which training resumes."""
        self.bar = progress_bar(
            trainer.max_steps,
            "training",
            "updates",
            done=trainer.global_step,
            disable=not trainer.is_global_zero,
        )

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: object
    ) -> None:
        """Move the bar to the number of updates; most micro-batches only accumulate."""
        self.bar.update(trainer.global_step - self.bar.n)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the last validation loss, in a line of its own where there is no bar."""
        loss = f"{trainer.callback_metrics[self.monitor]:.3f}"
        self.bar.set_postfix({self.monitor: loss})
        if self.bar.disable and trainer.is_global_zero:
            done = f"update {trainer.global_step:,} of {trainer.max_steps:,}"
            print(f"  {done}: {self.monitor} {loss}", file=sys.stderr, flush=True)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the bar at the end of training."""
        self.on_exception()

    def on_exception(self, *args: object) -> None:
        """Close the bar after an error, where Lightning does not call ``teardown``."""
        if bar := getattr(self, "bar", None):
            bar.close()


class Patience(EarlyStopping):
    """Early stopping that a resumed run remembers.

    ``last.ckpt`` holds the number of validations without improvement, not that they were enough.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once where the resumed training had run out of patience."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience
