"""One run in a process of its own, which a warm server forks: nothing is imported again.

A run that dies takes nobody with it, and what it holds of memory or of a GPU ends with it.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from mclas_lightning.progress import ctrl_c_for_this_process, worker_pool
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import FAILURE, LOG, write_failure

# What a run imports, some of it only while it runs. Imported, not used: torch has started no
# threads and touched no GPU when the server forks.
PRELOADED = [
    "mclas_lightning.train",
    "mclas_lightning.sweep.check",
    "transformers.models.bert.modeling_bert",
    "torch._dynamo",
]

BUSY = 75  # exit code, sysexits' TEMPFAIL: another process has the run in hand


def warm_up() -> None:
    """Begin to import; the first run waits for the rest of it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ctrl_c_for_this_process():
        context.Process(target=_nothing).start()


def start(run: PlannedRun, environment: Mapping[str, str]) -> ForkServerProcess:
    """Begin a run; its exit code is that of mclas-train, or the signal that killed it."""
    process = get_context("forkserver").Process(target=_work, args=(run, dict(environment)))
    process.start()
    return process


def problems(runs: Sequence[PlannedRun], slurm: bool) -> list[str]:
    """What would fail, a line each (``check.problems``); asked of a process of its own."""
    with worker_pool(1, "forkserver") as pool:
        return pool.submit(_problems, runs, slurm).result()


def _problems(runs: Sequence[PlannedRun], slurm: bool) -> list[str]:
    from mclas_lightning.sweep.check import problems

    return problems(runs, slurm)


def _nothing() -> None:
    pass


def _work(run: PlannedRun, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The sweep hears of it, and passes it on.
    _end_with_parent()
    run.folder.mkdir(parents=True, exist_ok=True)
    log = run.folder / LOG
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.exit(train_and_note(lambda: run.config, run.folder, log))


def _end_with_parent() -> None:
    """A sweep that is killed leaves no run behind: each saves and ends."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def train_and_note(
    config: Callable[[], Mapping[str, Any]], folder: Path, log: Path, writes: bool = True
) -> int:
    """Train and score the run of a configuration; the exit code of mclas-train.

    A failure, of ``config`` too, is noted in the run's folder by the rank that writes.
    """
    from mclas_lightning.errors import InputError, escape_unwritable
    from mclas_lightning.runs.lock import FolderBusy
    from mclas_lightning.train import train

    escape_unwritable()
    if threads := os.environ.get("OMP_NUM_THREADS"):
        import torch

        torch.set_num_threads(int(threads))
    code, error = 0, ""
    try:
        train(config())
        if writes:
            (folder / FAILURE).unlink(missing_ok=True)
    except FolderBusy:
        return BUSY
    except InputError as mistake:
        code, error = 2, str(mistake)
        print(f"error: {mistake}", file=sys.stderr)
    except Exception as failure:
        code, error = 1, f"{type(failure).__name__}: {failure}".splitlines()[0]
        traceback.print_exc()
    if code and writes:
        write_failure(folder, error, code, log)
    return code
