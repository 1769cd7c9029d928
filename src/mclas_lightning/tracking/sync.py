"""``mclas wandb sync``: upload what was trained offline, each part once.

A part is what one process logged of a run, ``<run>/wandb/offline-run-<time>-<id>/run-<id>.wandb``;
a run that was resumed has several. W&B's own ``wandb sync`` uploads them and marks each
``.wandb.synced``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.progress import progress_bar
from mclas_lightning.tracking.account import check_account

ALIVE = 120  # seconds; a run that goes on writes its machine's load more often


def sync(runs: Path) -> None:
    """Upload the offline parts of the runs under ``runs``, and say what was done.

    InputError where there are none, the server cannot be reached, or it does not take them all.
    """
    parts = sorted(
        path
        for path in runs.rglob("wandb/offline-run-*/run-*.wandb")
        if (path.parents[2] / "config.yaml").exists()
    )
    if not parts:
        raise InputError(
            f"{runs}: no run here was trained offline (logger=wandb logger.offline=true)"
        )
    waiting = [path for path in parts if not _uploaded(path)]
    written = [path for path in waiting if _alive(path)]
    todo = [path for path in waiting if path not in written]
    if todo:
        check_account()
        failures = _upload(todo)
        for run, said in failures:
            print(f"  {run}: not uploaded: {said}")
    done = [path for path in todo if _uploaded(path)]
    print(
        f"{len(done)} uploaded, of {_runs(done)} runs; {len(parts) - len(waiting)} uploaded before"
        + (f"; {len(written)} left out, still being written" if written else "")
    )
    if len(done) < len(todo):
        raise InputError(f"{len(todo) - len(done)} could not be uploaded; start it again later")


def _upload(parts: Iterable[Path]) -> list[tuple[Path, str]]:
    """Upload run after run, each from its first part on; return the failures and what was said."""
    of_run = [(run, list(own)) for run, own in groupby(parts, key=lambda path: path.parents[2])]
    online = {**os.environ, "WANDB_MODE": "online"}  # Uploading is what was asked for.
    failures = []
    with progress_bar(len(of_run), "uploading", "runs") as bar:
        for run, own in of_run:
            command = [sys.executable, "-m", "wandb", "sync", "--yes", *map(str, own)]
            done = subprocess.run(command, env=online, capture_output=True, text=True)
            if not all(map(_uploaded, own)):
                lines = (done.stderr + done.stdout).strip().splitlines()
                failures.append((run, lines[-1] if lines else f"exit code {done.returncode}"))
            bar.update()
    return failures


def _uploaded(part: Path) -> bool:
    return part.with_suffix(".wandb.synced").exists()


def _alive(part: Path) -> bool:
    """Whether a process may still be writing: it has not ended, and wrote lately."""
    if time.time() - part.stat().st_mtime > ALIVE:
        return False
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(part)]
    shown = subprocess.run(command, capture_output=True, text=True)
    return shown.returncode == 0 and json.loads(shown.stdout).get("exit_code") is None


def _runs(parts: Iterable[Path]) -> int:
    return len({path.parents[2] for path in parts})
