"""Memory that a CPU's trainings and searches use again and again."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc, malloc.h


def keep_freed_memory() -> None:
    """Keep what is freed instead of giving it back to the system, which clears every page anew.

    The gradient of an embedding is hundreds of megabytes, in every step (docs/performance.md).
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; musl has none.
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
