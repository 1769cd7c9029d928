"""Memory that a CPU's trainings and searches use again and again."""

import ctypes
import sys
from collections.abc import Callable

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc, malloc.h


def keep_freed_memory() -> None:
    """Keep what is freed instead of giving it back to the system, which clears every page anew.

    The gradient of an embedding is hundreds of megabytes, in every step (docs/performance.md).
    """
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def give_freed_memory_back() -> None:
    """Give back, once, what is kept: before something that its gaps have no room for."""
    malloc_trim = _glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _glibc(name: str) -> Callable[..., int] | None:
    """A function of glibc's malloc; musl and other systems have none."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
