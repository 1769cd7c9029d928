"""How a run stands, by what lies in its folder. Loads no torch.

config.yaml     of another configuration than the plan's: other
results.json    done
lock.json       held by a living process: running
diverged.json   why its training has diverged: diverged
job.json        the Slurm job that it was given to, which may still wait or run
failure.json    how the last try ended, if not well
log.txt         what the tries have printed
"""

import csv
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json, write_json
from mclas_lightning.runs.identity import (
    Difference,
    differences,
    differences_in_words,
    read_config,
    scoring_differences,
)
from mclas_lightning.runs.lock import lock_owner
from mclas_lightning.runs.run import Run
from mclas_lightning.sweep.plan import PlannedRun

Name = Literal["done", "other", "running", "queued", "waiting", "diverged", "failed", "missing"]

NAMES: tuple[Name, ...] = get_args(Name)

JOB, FAILURE, LOG = "job.json", "failure.json", "log.txt"

DIVERGED = "diverged.json"

PLANNED = "this plan has"

TAIL = 4096  # bytes of metrics.csv that hold its last line


@dataclass(frozen=True, kw_only=True)
class State:
    """Of one run; ``detail`` says how far, on what, or why."""

    name: Name
    detail: str = ""
    log: Path | None = None
    failed_need: bool = False  # it waits for a run that has failed, or is another one


def states(runs: Sequence[PlannedRun]) -> dict[Path, State]:
    """The state of each run of a plan, which has needed ones first."""
    queue = slurm_queue() if any((run.folder / JOB).exists() for run in runs) else {}
    found: dict[Path, State] = {}
    for run in runs:
        state = _own(run, queue)
        if state.name == "missing":
            state = _waiting(run, found) or state
        found[run.folder] = state
    return found


def _own(run: PlannedRun, queue: Mapping[str, str]) -> State:
    folder = run.folder
    if found := other(run):
        return State(name="other", detail=differences_in_words(found, PLANNED))
    if (folder / "results.json").exists():
        return State(name="done", detail=scored(run))
    if who := lock_owner(folder):
        return State(name="running", detail=f"{progress(run)} ({who})", log=folder / LOG)
    job = read_job(folder)
    if (slurm := queue.get(str(job.get("id")))) is not None:
        return State(name="queued", detail=f"Slurm job {job['id']}: {slurm}")
    if (folder / DIVERGED).exists():
        noted = read_json(folder / DIVERGED, dict)
        detail = f"training diverged at update {noted.get('update')}: {noted.get('reason')}"
        return State(name="diverged", detail=detail, log=folder / LOG)
    if (folder / FAILURE).exists():
        failure = read_json(folder / FAILURE, dict)
        return State(name="failed", detail=failure["error"], log=Path(failure["log"]))
    if job:
        return State(
            name="failed",
            detail=f"Slurm job {job['id']} ended without results (sacct -j {job['id']})",
            log=Path(job["log"]),
        )
    return State(name="missing", detail=progress(run))


def other(run: PlannedRun) -> list[Difference]:
    """What the folder's run was started with and the plan has otherwise; nothing where none is."""
    config = run.folder / "config.yaml"
    if not config.exists():
        return []
    return differences(_config(run.folder, config.stat().st_mtime_ns), run.config)


@lru_cache(maxsize=4096)
def _config(folder: Path, written: int) -> dict[str, Any]:
    """Parsed once: a sweep looks at all its runs every few seconds."""
    return read_config(folder)


def scored(run: PlannedRun) -> str:
    """In what a finished run was scored otherwise than planned, if it is finished and was."""
    if not (run.folder / "results.json").exists():
        return ""
    try:
        return differences_in_words(scoring_differences(run.folder, run.config), PLANNED)
    except InputError as error:
        return str(error)


def _waiting(run: PlannedRun, found: Mapping[Path, State]) -> State | None:
    """Where something that it needs is not trained yet, or is another run."""
    for folder in run.needs:
        if found[folder].name == "other":
            return State(name="waiting", detail=f"on another run, {folder}", failed_need=True)
    needs = [folder for folder in run.needs if not Run(folder).trained]
    for folder in needs:
        if found[folder].name in ("failed", "diverged") or found[folder].failed_need:
            return State(name="waiting", detail=f"on a failed run, {folder}", failed_need=True)
    return State(name="waiting", detail=f"on {needs[0]}") if needs else None


def progress(run: PlannedRun) -> str:
    """Such as "45 %"; nothing before the first update."""
    if Run(run.folder).trained:
        return "scoring"
    done = last_update(run.folder / "metrics.csv")
    return f"{100 * done // run.updates} %" if done and run.updates else ""


def last_update(metrics: Path) -> int:
    """The step of the last row; 0 where there is none."""
    try:
        with metrics.open("rb") as file:
            header = file.readline().decode()
            end = file.seek(0, 2)
            file.seek(max(len(header), end - TAIL))
            last = file.read().decode().splitlines()[-1]
        (row,) = csv.DictReader([header, last])
        return int(row["step"])
    except (OSError, ValueError, IndexError, KeyError, TypeError):
        return 0


def slurm_queue() -> dict[str, str]:
    """Slurm's jobs by id, such as ``{"12": "PENDING (Dependency)"}``."""
    command = ["squeue", "--noheader", "--me", "--states=all", "--format=%i|%T|%r"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(
            "squeue: cannot be asked how jobs stand; ask where the sweep was started"
        ) from error
    jobs = (line.split("|", 2) for line in done.stdout.splitlines())
    return {job: _told(state, reason) for job, state, reason in jobs if state in LIVING}


# Of squeue: before, in and between a job's starts.
LIVING = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED", "RESIZING")


def _told(state: str, reason: str) -> str:
    return state if reason in ("None", "") else f"{state} ({reason})"


def write_failure(folder: Path, error: str, exit_code: int, log: Path) -> None:
    """Note how a try ended; the next one removes this."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    record = {"error": error, "exit_code": exit_code, "log": str(log), "when": now}
    write_json(folder / FAILURE, record)


def last_line(log: Path) -> str:
    """What a log says last."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def read_job(folder: Path) -> dict[str, str]:
    """What ``write_job`` noted, if anything."""
    return read_json(folder / JOB, dict) if (folder / JOB).exists() else {}


def write_job(folder: Path, job: str, log: Path) -> None:
    """Note which Slurm job a run was given to."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FAILURE).unlink(missing_ok=True)
    write_json(folder / JOB, {"id": job, "log": str(log)})
