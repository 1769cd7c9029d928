"""Progress bars, and pools of worker processes."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.resource_tracker import ensure_running

from tqdm import tqdm


def progress_bar(
    total: int | None, what: str, unit: str, done: int = 0, disable: bool = False
) -> tqdm:
    """A bar on stderr that is erased at the end; none where stderr is no terminal."""
    return tqdm(
        total=total,
        initial=done,
        desc=f"  {what}",
        unit=f" {unit}",
        unit_scale=unit == "B",
        disable=disable or not sys.stderr.isatty(),
        leave=False,
    )


def cores() -> int:
    """The number of cores that this process may use; a cluster's job may use fewer than all."""
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
    """Let processes that are started meanwhile block Ctrl-C, which a terminal sends to all.

    Otherwise each of them would print a traceback of its own. A Ctrl-C that comes meanwhile reaches
    this process when the block ends: an interrupted start would leave a process half begun.
    """
    heard: list[int] = []
    ensure_running()  # Starting multiprocessing's resource tracker unblocks SIGINT.
    # A thread that does not block SIGINT may receive it: the handler of the main thread then runs.
    handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)
