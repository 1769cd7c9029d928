"""Where a GPU is another machine than a CPU: the host runs ahead of it, and its memory is its own.

A host that reads a value of a GPU's tensor waits for all that was queued before. So do operations
whose result has a size that depends on values: ``nonzero``, ``unique``, indexing by booleans.
"""

from torch import Tensor


def reading_waits(tensor: Tensor) -> bool:
    """Whether the host waits for a device when it reads a value of ``tensor``."""
    return not tensor.is_cpu
