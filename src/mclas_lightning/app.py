"""Names that the pickle of a ``mclas-train -m launcher=slurm`` job of version 0.1.0 looks up."""

import sys
from types import SimpleNamespace

from mclas_lightning.config.compose import _failure, in_multirun
from mclas_lightning.distributed import leave_process_group

__all__ = ["_failure", "in_multirun"]

sys.modules["mclas_lightning.ranks"] = SimpleNamespace(leave=leave_process_group)  # pyright: ignore
