"""The state of a run, by the files in its folder. Loads no torch. The first line that fits counts:

config.yaml     differs from the plan, or was never there beside a results.json: other
results.json    is there, and tables can use it: done
lock.json       is held by a living process: running
job.json        names a job that Slurm knows: queued
diverged.json   says why the training diverged: diverged
failure.json    says how the last try ended: failed
job.json        names a job that Slurm no longer knows: failed

A run is failed, too, where one of these files is damaged.

log.txt holds what all tries have printed.
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
from mclas_lightning.files import make_folder, read_json, write_json
from mclas_lightning.runs.identity import (
    Difference,
    differences,
    differences_in_words,
    read_config,
    scoring_differences,
)
from mclas_lightning.runs.lock import lock_owner
from mclas_lightning.runs.recipe import differences_of_updates
from mclas_lightning.runs.results import read_in_place
from mclas_lightning.runs.run import Run
from mclas_lightning.runs.secrets import redacted
from mclas_lightning.sweep.plan import PlannedRun

StateName = Literal[
    "done", "other", "running", "queued", "waiting", "diverged", "failed", "missing"
]

STATE_NAMES: tuple[StateName, ...] = get_args(StateName)

JOB_FILE, FAILURE_FILE, LOG_FILE = "job.json", "failure.json", "log.txt"

PLAN_HAS = "this plan has"  # stands before the planned value of a key that differs

TAIL_BYTES = 4096  # the last bytes of metrics.csv: they hold its last line


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a run; ``detail`` says how far it is, what it waits for or why it failed."""

    name: StateName
    detail: str = ""
    log: Path | None = None
    failed_need: bool = False  # whether a needed run has failed or has another configuration


def states(runs: Sequence[PlannedRun]) -> dict[Path, State]:
    """The state of each run by its folder; in ``runs``, needed runs stand before their users."""
    # Of a finished run no queue is asked, so that results are seen where there is no Slurm.
    unfinished = (run.folder for run in runs if not Run(run.folder).finished)
    queue = slurm_queue() if any((folder / JOB_FILE).exists() for folder in unfinished) else {}
    found: dict[Path, State] = {}
    for run in runs:
        try:
            state = _state_of(run, queue)
        except InputError as damaged:
            state = State(name="failed", detail=str(damaged), log=run.folder / LOG_FILE)
        if state.name == "missing":
            state = _waiting_state(run, found) or state
        found[run.folder] = state
    return found


def _state_of(run: PlannedRun, queue: Mapping[str, str]) -> State:
    folder = run.folder
    if found := differences_from_plan(run):
        return State(name="other", detail=differences_in_words(found, PLAN_HAS))
    if (results := folder / "results.json").exists():
        _check_results(results, results.stat().st_mtime_ns)
        return State(name="done", detail=scoring_note(run))
    if who := lock_owner(folder):
        return State(name="running", detail=f"{progress(run)} ({who})", log=folder / LOG_FILE)
    job = read_job(folder)
    if (slurm := queue.get(str(job.get("id")))) is not None:
        return State(name="queued", detail=f"Slurm job {job['id']}: {slurm}")
    if (diverged := Run(folder).diverged_path).exists():
        noted = _read_texts(diverged, "reason")
        detail = f"training diverged at update {noted.get('update')}: {noted['reason']}"
        return State(name="diverged", detail=detail, log=folder / LOG_FILE)
    if (folder / FAILURE_FILE).exists():
        failure = _read_texts(folder / FAILURE_FILE, "error", "log")
        return State(name="failed", detail=failure["error"], log=Path(failure["log"]))
    if job:
        return State(
            name="failed",
            detail=f"Slurm job {job['id']} ended without results (sacct -j {job['id']})",
            log=Path(job["log"]),
        )
    return State(name="missing", detail=progress(run))


def differences_from_plan(run: PlannedRun) -> list[Difference]:
    """The keys in which the run's config.yaml differs from the plan.

    An outside system's results have no config.yaml, and are of no run of the plan.
    """
    config = run.folder / "config.yaml"
    if not config.exists():
        kept, asked = '"an outside system"', f'"{run.model}"'
        return [Difference("model.name", kept, asked)] if Run(run.folder).foreign else []
    written = _kept_config(run.folder, config.stat().st_mtime_ns)
    found = differences(written, run.config)
    return found if Run(run.folder).trained else found + differences_of_updates(written, run.config)


@lru_cache(maxsize=4096)
def _kept_config(folder: Path, written: int) -> dict[str, Any]:
    """The config.yaml written at the time ``written``; a sweep asks for it every few seconds."""
    return read_config(folder)


@lru_cache(maxsize=4096)
def _check_results(path: Path, written: int) -> None:
    """InputError unless tables can use the results.json written at the time ``written``."""
    read_in_place(path)


def scoring_note(run: PlannedRun) -> str:
    """The keys in which a finished run was scored otherwise than planned, in words; else ''."""
    if not (run.folder / "results.json").exists():
        return ""
    try:
        return differences_in_words(scoring_differences(run.folder, run.config), PLAN_HAS)
    except InputError as error:
        return str(error)


def _waiting_state(run: PlannedRun, found: Mapping[Path, State]) -> State | None:
    """The state waiting, where a needed run is not trained or has another configuration."""
    for folder in run.needs:
        if found[folder].name == "other":
            return State(name="waiting", detail=f"on another run, {folder}", failed_need=True)
    needs = [folder for folder in run.needs if not Run(folder).trained]
    for folder in needs:
        if found[folder].name in ("failed", "diverged") or found[folder].failed_need:
            return State(name="waiting", detail=f"on a failed run, {folder}", failed_need=True)
    return State(name="waiting", detail=f"on {needs[0]}") if needs else None


def progress(run: PlannedRun) -> str:
    """How far a run is, such as "45 %" or "scoring"; "" before the first update."""
    if Run(run.folder).trained:
        return "scoring"
    done = last_update(run.folder / "metrics.csv")
    return f"{100 * done // run.updates} %" if done and run.updates else ""


def last_update(metrics: Path) -> int:
    """The update of the last row of metrics.csv; 0 where there is no row."""
    try:
        with metrics.open("rb") as file:
            header = file.readline().decode()
            end = file.seek(0, 2)
            file.seek(max(len(header), end - TAIL_BYTES))
            last = file.read().decode().splitlines()[-1]
        (row,) = csv.DictReader([header, last])
        return int(row["step"])
    except (OSError, ValueError, IndexError, KeyError, TypeError):
        return 0


def slurm_queue() -> dict[str, str]:
    """The user's jobs in Slurm by id, such as ``{"12": "PENDING (Dependency)"}``.

    InputError where squeue cannot be run.
    """
    command = ["squeue", "--noheader", "--me", "--states=all", "--format=%i|%T|%r"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(
            "squeue: cannot be asked how jobs stand; ask where the sweep was started"
        ) from error
    jobs = (line.split("|", 2) for line in done.stdout.splitlines())
    return {job: _queue_words(state, reason) for job, state, reason in jobs if state in LIVING}


# States of squeue before, during and between the starts of a job.
LIVING = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED", "RESIZING")


def _queue_words(state: str, reason: str) -> str:
    return state if reason in ("None", "") else f"{state} ({reason})"


def write_failure(folder: Path, error: str, exit_code: int, log: Path) -> None:
    """Write failure.json: how a try ended. The next try removes this file."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    record = {"error": redacted(error), "exit_code": exit_code, "log": str(log), "when": now}
    write_json(folder / FAILURE_FILE, record)


def last_line(log: Path) -> str:
    """The last line of a log that is not blank; "" for a log that cannot be read."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def read_job(folder: Path) -> dict[str, str]:
    """The content of job.json; an empty mapping without this file."""
    return _read_texts(folder / JOB_FILE, "id", "log") if (folder / JOB_FILE).exists() else {}


def _read_texts(path: Path, *keys: str) -> dict[str, Any]:
    """The content of a JSON file; InputError where it has no text for each of ``keys``."""
    found = read_json(path, dict)
    for key in keys:
        if not isinstance(found.get(key), str):
            raise InputError(f"{path}: damaged: expected a text '{key}', found {found.get(key)!r}")
    return found


def write_job(folder: Path, job: str, log: Path) -> None:
    """Write job.json: the Slurm job of a run. The failure.json of an earlier try is removed."""
    make_folder(folder)
    (folder / FAILURE_FILE).unlink(missing_ok=True)
    write_json(folder / JOB_FILE, {"id": job, "log": str(log)})
