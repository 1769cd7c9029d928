"""``mclas wandb sync``: upload the parts of offline runs, each part once.

A part is the log of one process of a run, ``<run>/wandb/offline-run-<time>-<id>/run-<id>.wandb``; a
resumed run has several parts. W&B's own ``wandb sync`` uploads a part and leaves a file
``.wandb.synced`` beside it.
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
from mclas_lightning.files import found_below
from mclas_lightning.progress import progress_bar
from mclas_lightning.tracking.account import check_account

ALIVE_SECONDS = 120  # A running process logs the load of its machine more often than this.


def sync(runs: Path) -> None:
    """Upload the offline parts of all runs below ``runs``, and print how many.

    InputError where there are none, the server cannot be reached, or a part is not uploaded.
    """
    logs = found_below(runs, "wandb/offline-run-*/run-*.wandb")
    parts = [path for path in logs if (path.parents[2] / "config.yaml").exists()]
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
        f"{len(done)} uploaded, of {len({path.parents[2] for path in done})} runs; "
        f"{len(parts) - len(waiting)} uploaded before"
        + (f"; {len(written)} left out, still being written" if written else "")
    )
    if len(done) < len(todo):
        raise InputError(f"{len(todo) - len(done)} could not be uploaded; start it again later")


def _upload(parts: Iterable[Path]) -> list[tuple[Path, str]]:
    """Upload run by run, the first part first; the runs that failed, with W&B's last line."""
    of_run = [(run, list(own)) for run, own in groupby(parts, key=lambda path: path.parents[2])]
    online = {**os.environ, "WANDB_MODE": "online"}  # `wandb sync` would obey "offline".
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
    """Whether a process may still write this part: it wrote lately and noted no exit code."""
    if time.time() - part.stat().st_mtime > ALIVE_SECONDS:
        return False
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(part)]
    shown = subprocess.run(command, capture_output=True, text=True)
    return shown.returncode == 0 and json.loads(shown.stdout).get("exit_code") is None
