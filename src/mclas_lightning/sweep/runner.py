"""Start the runs of a plan on this machine, one after the other or several at a time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import takewhile
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType

from mclas_lightning.errors import INTERRUPTED
from mclas_lightning.progress import Share, progress_bar, share, threads
from mclas_lightning.runs.preemption import TERMINATED
from mclas_lightning.runs.run import Run
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import LOG_FILE, State, last_line, states, write_failure
from mclas_lightning.sweep.worker import BUSY_EXIT, fork_run

POLL_SECONDS = 2.0  # between looks at runs that other processes have started


class Terminated(Exception):
    """SIGTERM asked the sweep to end."""


def gpu_numbers() -> list[str]:
    """The numbers of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES writes them."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        numbers = [number.strip() for number in visible.split(",")]
        return [*takewhile(lambda number: number and not number.startswith("-"), numbers)]
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    gpus = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]  # MIG: indented
    return [str(number) for number, _ in enumerate(gpus)]


def slot_environments(jobs: int) -> list[dict[str, str]]:
    """Environment variables of each run at a time: a GPU, and its share of the CPU's threads."""
    if jobs == 1:
        return [{}]
    share = {"OMP_NUM_THREADS": str(max(threads() // jobs, 1))}
    gpus = gpu_numbers()
    if not gpus:
        return [share] * jobs
    return [share | {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} for slot in range(jobs)]


def share_of(runs: Sequence[PlannedRun]) -> Share | None:
    """How runs share this machine's cores; None where they use a GPU or start processes."""
    trainers = [run.config["trainer"] for run in runs]
    alone = all(t.get("devices") in (1, "auto") and t.get("num_nodes", 1) == 1 for t in trainers)
    if not alone or (gpu_numbers() and any(t.get("accelerator") != "cpu" for t in trainers)):
        return None
    return share([run.config["network"]["encoder"]["width"] for run in runs])


class LocalSweep:
    """A plan whose runs are started on this machine; ``only`` names the states to start from."""

    def __init__(self, runs: Sequence[PlannedRun], jobs: int, only: Collection[str]) -> None:
        self.runs, self.only = runs, only
        self._free = slot_environments(jobs)
        self._busy: dict[int, tuple[PlannedRun, ForkServerProcess, dict[str, str], float]] = {}
        self._tried: set[Path] = set()

    def work(self) -> Mapping[Path, State]:
        """Start each run after the runs it needs until none is left; the states at the end.

        SIGTERM raises Terminated and Ctrl-C KeyboardInterrupt, after all started runs have ended.
        """
        before = {number: signal.signal(number, _raise_for_signal) for number in _SIGNALS}
        bar = progress_bar(len(self.runs), "sweep", "runs")
        try:
            while True:
                found = states(self.runs)
                bar.update(sum(state.name == "done" for state in found.values()) - bar.n)
                self._start(found, bar.write)
                others = self._others(found)
                if not self._busy and not others:
                    return found
                busy = [process.sentinel for _, process, _, _ in self._busy.values()]
                if busy:
                    wait(busy, timeout=POLL_SECONDS if others else None)
                else:
                    time.sleep(POLL_SECONDS)
                self._collect(bar.write)
        except (Terminated, KeyboardInterrupt):
            self._end()
            raise
        finally:
            bar.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def undone(self, found: Mapping[Path, State]) -> bool:
        """Whether a run that was started here has not been done."""
        return any(found[folder].name != "done" for folder in self._tried)

    def _start(self, found: Mapping[Path, State], say: Callable[[str], None]) -> None:
        for run in self.runs:
            startable = found[run.folder].name in self.only and run.folder not in self._tried
            if not self._free or not startable:
                continue
            if not all(Run(need).trained for need in run.needs):
                continue
            self._tried.add(run.folder)
            slot = self._free.pop(0)
            process = fork_run(run, slot)
            assert process.pid is not None
            self._busy[process.pid] = (run, process, slot, time.monotonic())
            say(f"[{len(self._tried)}] {run}: started")

    def _others(self, found: Mapping[Path, State]) -> bool:
        """Whether a run of the plan runs in a process that this sweep has not started."""
        own = {run.folder for run, _, _, _ in self._busy.values()}
        return any(state.name == "running" and folder not in own for folder, state in found.items())

    def _collect(self, say: Callable[[str], None]) -> None:
        for pid, (run, process, slot, began) in list(self._busy.items()):
            if process.exitcode is None:
                continue
            del self._busy[pid]
            self._free.insert(0, slot)
            if process.exitcode == BUSY_EXIT:
                self._tried.discard(run.folder)
                continue
            say(f"  {run}: {_outcome(run, process.exitcode)} in {time.monotonic() - began:,.1f} s")

    def _end(self) -> None:
        """Let each started run save and end; a Ctrl-C meanwhile kills them all."""
        running = [process for _, process, _, _ in self._busy.values()]
        try:
            for process in running:
                process.terminate()
            for process in running:
                process.join()
        except KeyboardInterrupt:
            for process in running:
                process.kill()
            raise


_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _raise_for_signal(number: int, frame: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _outcome(run: PlannedRun, code: int) -> str:
    """How a run ended, in words; of a run that a signal killed, failure.json is written here."""
    if code == 0:
        return "done"
    if code in (TERMINATED, INTERRUPTED, -signal.SIGTERM):
        return "was asked to end; it will be resumed"
    if code < 0:
        name = signal.Signals(-code).name
        advice = " (too little memory?)" if name == "SIGKILL" else ""
        log = run.folder / LOG_FILE
        said = last_line(log)
        error = f"killed by {name}{advice}{'; it said last: ' + said if said else ''}"
        write_failure(run.folder, error, code, log)
    return "failed"
