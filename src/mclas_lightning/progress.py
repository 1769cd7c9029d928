"""Progress bars, pools of worker processes, and how cores, threads and memory are shared.

Nothing here imports torch: OpenMP and oneDNN, by which torch computes on a CPU, read their settings
when torch is loaded.
"""

import os
import platform
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from mclas_lightning.errors import InputError

# Rounds in which a waiting thread looks again before it sleeps; OpenMP's own number is 300,000.
# ``python -m benchmarks.busy`` measures others.
SPINS = 1_000

# Kernels that each of oneDNN's two caches keeps; their own number is 1,024. Matrices of other sizes
# have a kernel of their own, and batches of documents have many sizes (docs/quality.md).
KERNELS = 128

KERNEL_CACHES = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")

# Variables by which a user sets how long a thread spins.
SPINNING = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "KMP_BLOCKTIME")

CPUINFO = Path("/proc/cpuinfo")

SMALL_WIDTH = 256  # of an encoder, up to which a second thread gains less than a second run

RUN_MEMORY = 3 * 2**29  # bytes of a training of such a network, with room


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
    """New processes, each of which calls ``first``; an error or Ctrl-C drops what is not begun.

    InputError where one of them was killed.
    """
    pool = ProcessPoolExecutor(processes, get_context(start), initializer=first)
    try:
        with ctrl_c_for_this_process():
            for _ in range(processes):
                pool.submit(int)  # starts one of them
        yield pool
    except BrokenProcessPool as error:
        raise InputError(
            "a process of this command was killed, perhaps because the memory is full; close other "
            "programs, and start the command again"
        ) from error
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


def cpu_name(cpuinfo: Path = CPUINFO) -> str:
    """The CPU's model, in Linux's words; elsewhere its architecture."""
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:(.*)$", text, re.M)
    return found[1].strip() if found else platform.machine()


def cpu_flags(cpuinfo: Path = CPUINFO) -> set[str]:
    """What the CPU can do and who made it, in Linux's words; empty where they are not known."""
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    return set(" ".join(re.findall(r"^(?:vendor_id|flags)\s*:(.*)$", text, re.M)).split())


def bound_libraries() -> None:
    """Bound what libraries keep, wait and say, which they read when they are loaded.

    oneDNN keeps few kernels. A hub's client prints errors alone: of a hub that cannot be reached,
    one line is ours. Threads wait for each other at the end of every product. One that spins takes
    the core from a thread that works, where other programs compute, too, so that they wait without
    spinning long on a busy machine. What the user has said stays.
    """
    if not any(name in os.environ for name in SPINNING) and busy():
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
    for name in KERNEL_CACHES:
        os.environ.setdefault(name, str(KERNELS))
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")


def busy(loadavg: Path = Path("/proc/loadavg")) -> bool:
    """Whether other programs compute on this machine now; True where Linux does not say so.

    Linux counts what runs, this process included. On an idle machine something else runs for a
    moment at times, so that up to three counts are taken.
    """
    with suppress(OSError, IndexError):
        for _ in range(3):
            if loadavg.read_text().split()[3].startswith("1/"):
                return False
            time.sleep(0.003)
    return True


def devices_named(devices: Any) -> int | None:
    """How many devices ``trainer.devices`` names; None for all that a machine has (-1, auto)."""
    if isinstance(devices, str):
        numbers = [number for number in devices.split(",") if number.strip()]
        devices = int(devices) if devices.strip().lstrip("-").isdecimal() else numbers
        if numbers == ["auto"]:
            return None
    if isinstance(devices, int):
        return devices if devices > 0 else None
    return len(devices)


class Share(NamedTuple):
    """Runs at a time on this machine, and threads of each."""

    jobs: int
    threads: int

    def __str__(self) -> str:
        return f"{self.jobs} runs at a time, {self.threads} thread{'s' * (self.threads > 1)} each"


def share(widths: Sequence[int]) -> Share:
    """The share of runs of networks of these widths, on the cores that this process may use.

    Products of a small network are too short for several threads. A large network's use all cores,
    and its training all memory, so that its runs follow each other.
    """
    num = threads()
    if not widths or max(widths) > SMALL_WIDTH:
        return Share(1, num)
    jobs = max(1, min(num, len(widths), free_memory() // RUN_MEMORY))
    return Share(jobs, num // jobs)


def threads() -> int:
    """Threads by OMP_NUM_THREADS, whose first number counts, or as many as there are cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(int(asked), 1) if asked.isdecimal() else cores()


def free_memory() -> int:
    """Bytes of memory that are free, or could be at once."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("MemAvailable:"))
    except (OSError, StopIteration):  # no Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
