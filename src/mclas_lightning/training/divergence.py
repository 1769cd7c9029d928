"""A training that diverges ends there: what it has learned before is kept, and it is never scored.

Looking at a number makes the host wait for the device. So the losses of an update, and the norm of
the weights after it, are copied to the host beside the computation, and are looked at one update
later, or before anything is saved.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.distributed.tensor import DTensor

from mclas_lightning.data.batch import Batch
from mclas_lightning.data.datamodule import SummarizationData
from mclas_lightning.distributed import gathered, host_group
from mclas_lightning.errors import ErrorElsewhere, InputError, first_few
from mclas_lightning.files import write_json
from mclas_lightning.runs.lock import check_still_there
from mclas_lightning.runs.run import DIVERGED_ADVICE, Run

Places = tuple[int, ...]  # of the examples of a micro-batch, among those that are trained on


class Diverged(InputError):
    """A loss, or a weight, is no finite number."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What one process has found."""

    update: int
    order: int  # 0: a loss, 1: the weights; a loss that is nan makes the weights so
    reason: str
    train: Places  # examples of the update
    valid: Places = ()  # validation examples whose loss is no number, where others have one


class OnItsWay:
    """Numbers that are copied to the host; reading them waits for nothing that came after them."""

    def __init__(self, numbers: Tensor) -> None:
        self._host = numbers.to("cpu", non_blocking=numbers.is_cuda)
        self._there = torch.cuda.Event() if numbers.is_cuda else None
        if self._there is not None:
            self._there.record()

    def read(self) -> list[float]:
        """The numbers."""
        if self._there is not None:
            self._there.synchronize()
        return self._host.tolist()


@dataclass(frozen=True)
class Update:
    """What an update has computed on this process."""

    number: int
    batches: Sequence[Places]
    numbers: OnItsWay  # the loss of each micro-batch, then the norm of the weights

    def fault(self) -> Fault | None:
        """The fault of the first loss or norm that is not finite; None where all are."""
        *losses, norm = self.numbers.read()
        bad = [at for at, loss in enumerate(losses) if not math.isfinite(loss)]
        if not bad and math.isfinite(norm):
            return None
        batches = [self.batches[at] for at in bad] or self.batches
        reason = f"its training loss is {losses[bad[0]]}" if bad else _OF_WEIGHTS
        places = tuple(chain.from_iterable(batches))
        return Fault(update=self.number, order=0 if bad else 1, reason=reason, train=places)


_OF_WEIGHTS = "its gradient leaves weights that are no finite numbers"


class Divergence(Callback):
    """Ends a training, on all processes, at the first loss or weight that is no finite number."""

    def __init__(self, run: Run) -> None:
        self.run, self.saved = run, 0
        self.fault: Fault | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A resumed training goes on from a checkpoint that was good."""
        self.group = host_group()
        self.update = self.saved = trainer.global_step
        self._losses: list[Tensor] = []
        self._batches: list[Places] = []
        self._last: Sequence[Places] = ()
        self._waiting: deque[Update] = deque()

    def on_train_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Batch, _: int
    ) -> None:
        """Note the loss, and at the end of an update the weights."""
        self._losses.append(outputs["loss"])
        self._batches.append(batch.places)
        if trainer.global_step > self.update:
            self.update = trainer.global_step
            numbers = OnItsWay(torch.stack([*self._losses, norm_of_weights(module)]))
            self._waiting.append(Update(self.update, self._batches, numbers))
            self._last, self._losses, self._batches = self._batches, [], []
            self.look(newest=1)

    def look(self, newest: int) -> None:
        """Look at all updates but the ``newest`` ones."""
        while len(self._waiting) > newest:
            fault = self._waiting.popleft().fault()
            self.fault = self.fault or fault

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate weights that are numbers."""
        self.check(trainer)

    def on_validation_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Tensor, batch: Batch, _: int
    ) -> None:
        """Note the loss."""
        self._losses.append(outputs)
        self._batches.append(batch.places)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Before the best checkpoint: its loss is the mean over all processes."""
        losses, batches = torch.stack(self._losses).tolist(), self._batches
        self._losses, self._batches = [], []
        loss = float(trainer.callback_metrics["val/loss"])
        if not math.isfinite(loss):
            bad = [b for b, loss in zip(batches, losses, strict=True) if not math.isfinite(loss)]
            self.fault = Fault(
                update=self.update,
                order=0,
                reason=f"the validation loss after it is {loss}",
                train=tuple(chain.from_iterable(self._last)),
                valid=tuple(chain.from_iterable(bad)) if len(bad) < len(batches) else (),
            )
            self.stop(trainer)

    def check(self, trainer: pl.Trainer) -> None:
        """Wait for the device, and end the training where any process has found a fault."""
        self.look(newest=0)
        if any(gathered(self.fault is not None, self.group)):
            self.stop(trainer)

    def stop(self, trainer: pl.Trainer) -> None:
        """End all processes; the first one says why, and notes it in the run's folder."""
        self.look(newest=0)
        faults = [fault for fault in gathered(self.fault, self.group) if fault is not None]
        first = min(faults, key=lambda fault: (fault.update, fault.order))
        alike = [f for f in faults if (f.update, f.order) == (first.update, first.order)]
        if not trainer.is_global_zero:
            raise ErrorElsewhere(first.reason)
        data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        ids, of = _examples(alike, data)
        here = self.run.last if self.run.last.exists() else None
        kept = f"{here}, of update {self.saved}" if here else "none was saved before"
        error = (
            f"{self.run}: training diverged at update {first.update}: {first.reason} (examples "
            f"{first_few(ids)} of the {of} set); last good checkpoint: {kept}; {DIVERGED_ADVICE}"
        )
        noted = {"update": first.update, "reason": first.reason, "examples": ids, "of": of}
        checkpoint = {"checkpoint": here and here.name, "checkpoint_update": here and self.saved}
        check_still_there(self.run.folder)
        write_json(self.run.diverged_path, {**noted, **checkpoint, "error": error})
        raise Diverged(error)


def _examples(faults: Sequence[Fault], data: SummarizationData) -> tuple[list[str], str]:
    """The ids of the examples that a fault came with, and of which set they are."""
    if valid := list(chain.from_iterable(fault.valid for fault in faults)):
        return data.valid.names(valid), "validation"
    return data.train.names(list(chain.from_iterable(f.train for f in faults))), "training"


@torch.no_grad()
def norm_of_weights(module: pl.LightningModule) -> Tensor:
    """The norm of all weights of this process; nan or infinite where a weight is."""
    own = (p.to_local() if isinstance(p, DTensor) else p for p in module.parameters())
    return torch.nn.utils.get_total_norm([weights for weights in own if weights.numel()])
