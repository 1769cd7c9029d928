"""Work that several processes share."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context


def cores() -> int:
    """Cores that this process may use: a cluster's job has fewer than the machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def worker_pool(
    processes: int, start: str = "spawn", first: Callable[[], object] | None = None
) -> Iterator[ProcessPoolExecutor]:
    """New processes, each of which calls ``first``; an error or Ctrl-C drops what is not begun."""
    pool = ProcessPoolExecutor(processes, get_context(start), initializer=first)
    try:
        with ctrl_c_for_this_process():
            for _ in range(processes):
                pool.submit(int)  # starts one of them
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def ctrl_c_for_this_process() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C, which a terminal sends to all.

    Otherwise each of them would print a traceback of its own.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
