"""What watches a training: one progress bar over all updates, and metrics.csv."""

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping

from mclas_lightning.progress import progress_bar


class UpdatesBar(Callback):
    """One bar over the updates of the whole training; epochs of a small scenario are too short."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw it, at the update the run resumes from."""
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
        """Follow the updates; micro-batches that make none do not move it."""
        self.bar.update(trainer.global_step - self.bar.n)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the last validation."""
        self.bar.set_postfix({"val/loss": f"{trainer.callback_metrics['val/loss']:.3f}"})

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take it away, however training ended."""
        self.on_exception()

    def on_exception(self, *args: object) -> None:
        """Lightning tears nothing down then."""
        if bar := getattr(self, "bar", None):
            bar.close()


class Patience(EarlyStopping):
    """Early stopping that a resumed run remembers.

    ``last.ckpt`` holds the number of validations without improvement, not that they were enough.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop again where the run had stopped."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience
