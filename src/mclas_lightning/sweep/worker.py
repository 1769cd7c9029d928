"""A run in a process of its own, forked from a server that has imported all modules before.

A run that is killed ends no other run, and the memory of its process and GPU is free again.
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

from mclas_lightning.errors import InputError, escape_unwritable, exits_cleanly
from mclas_lightning.files import make_folder
from mclas_lightning.progress import ctrl_c_for_this_process, threads, worker_pool
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import FAILURE_FILE, LOG_FILE, write_failure

# Modules that a run imports sooner or later. The server only imports them: when it forks, torch
# has started no threads and touched no GPU.
PRELOADED = [
    "mclas_lightning.train",
    "mclas_lightning.sweep.check",
    "transformers.models.bert.modeling_bert",
    "torch._dynamo",
]

BUSY_EXIT = 75  # exit code of a run that another process holds: TEMPFAIL of sysexits.h


def warm_up() -> None:
    """Start the server and its imports; the first run waits until they are done."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ctrl_c_for_this_process():
        context.Process(target=_nothing).start()


def fork_run(run: PlannedRun, environment: Mapping[str, str]) -> ForkServerProcess:
    """Start a run; its process ends with mclas-train's exit code, or minus the killing signal."""
    process = get_context("forkserver").Process(target=_run_process, args=(run, dict(environment)))
    process.start()
    return process


def run_problems_in_worker(runs: Sequence[PlannedRun], slurm: bool) -> list[str]:
    """The lines of ``check.run_problems``, from a process of its own, since they load torch."""
    with worker_pool(1, "forkserver") as pool:
        return pool.submit(_run_problems, runs, slurm).result()


def _run_problems(runs: Sequence[PlannedRun], slurm: bool) -> list[str]:
    from mclas_lightning.sweep.check import run_problems

    return run_problems(runs, slurm)


def _nothing() -> None:
    pass


@exits_cleanly
def _run_process(run: PlannedRun, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The sweep receives it and ends its runs.
    _end_with_parent()
    make_folder(run.folder)
    log = run.folder / LOG_FILE
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.exit(train_and_note(lambda: run.config, run.folder, log))


def _end_with_parent() -> None:
    """Send this process SIGTERM when the sweep has died, so that the run saves and ends."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def train_and_note(
    config: Callable[[], Mapping[str, Any]], folder: Path, log: Path, writes: bool = True
) -> int:
    """Train and score the run of a configuration; the exit code of mclas-train, or BUSY_EXIT.

    A failure, also of composing ``config``, is noted in failure.json where ``writes``.
    """
    from mclas_lightning.runs.lock import FolderBusy
    from mclas_lightning.train import train

    escape_unwritable()
    if "OMP_NUM_THREADS" in os.environ:
        import torch

        torch.set_num_threads(threads())
    code, error = 0, ""
    if writes:  # failure.json is of an earlier try.
        (folder / FAILURE_FILE).unlink(missing_ok=True)
    try:
        train(config())
    except FolderBusy:
        return BUSY_EXIT
    except InputError as mistake:
        code, error = 2, str(mistake)
        print(f"error: {mistake}", file=sys.stderr)
    except Exception as failure:
        code, error = 1, f"{type(failure).__name__}: {failure}".splitlines()[0]
        traceback.print_exc()
    if code and writes:
        write_failure(folder, error, code, log)
    return code
