"""Training and validation data of a run, as Lightning asks for it."""

import signal
from dataclasses import dataclass, replace

import pytorch_lightning as pl

from mclas_lightning.config.optim import UpdateShape
from mclas_lightning.data.batch import EncodedExamples
from mclas_lightning.data.sampler import ResumableLoader, UpdateSampler
from mclas_lightning.runs.preemption import SIGNALS


@dataclass(frozen=True, kw_only=True)
class LoaderConfig:
    """How examples are handed out."""

    shape: UpdateShape
    workers: int


class SummarizationData(pl.LightningDataModule):
    """Micro-batches of a scenario's examples, and those of the validation set."""

    def __init__(
        self, train: EncodedExamples, valid: EncodedExamples, config: LoaderConfig, *, seed: int
    ) -> None:
        super().__init__()
        self.train, self.valid, self.config, self.seed = train, valid, config, seed

    def train_dataloader(self) -> ResumableLoader:
        """Shuffled updates."""
        return self._loader(self.train, self.config.shape, shuffle=True)

    def val_dataloader(self) -> ResumableLoader:
        """Every validation example once."""
        return self._loader(self.valid, replace(self.config.shape, accumulate=1), shuffle=False)

    def _loader(
        self, data: EncodedExamples, shape: UpdateShape, *, shuffle: bool
    ) -> ResumableLoader:
        sampler = UpdateSampler(
            data.lengths(shape.unit),
            shape,
            rank=self._trainer.global_rank,
            seed=self.seed,
            shuffle=shuffle,
        )
        return ResumableLoader(
            data,
            batch_size=None,
            sampler=sampler,
            num_workers=self.config.workers,
            worker_init_fn=_leave_signals_to_the_training,
            persistent_workers=self.config.workers > 0,
            pin_memory=self._trainer.strategy.root_device.type == "cuda",
        )

    @property
    def _trainer(self) -> pl.Trainer:
        assert self.trainer is not None
        return self.trainer


def _leave_signals_to_the_training(worker: int) -> None:
    """Terminals, Slurm and torchrun send a signal to all processes; the training saves and ends.

    A worker that ended before it would be taken for one that has crashed.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
