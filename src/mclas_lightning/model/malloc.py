"""Settings of glibc's malloc, for trainings and searches on a CPU."""

import ctypes
import sys
from collections.abc import Callable

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc, malloc.h


def keep_freed_memory() -> None:
    """Let malloc keep freed memory for later, instead of returning it to the system.

    The system clears each page before it gives it out again. The gradient of an embedding is
    hundreds of megabytes in every step (docs/performance.md).
    """
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def give_freed_memory_back() -> None:
    """Return freed memory to the system once: what comes next would not fit the freed blocks."""
    malloc_trim = _glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _glibc(name: str) -> Callable[..., int] | None:
    """A function of glibc's malloc; musl and other systems have none."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
