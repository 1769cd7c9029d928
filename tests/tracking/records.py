"""What W&B's own reader finds in the log of an offline run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def logs(run: Path) -> list[Path]:
    """The logs in a run's folder, one of each process that logged, oldest first."""
    found = run.glob("wandb/offline-run-*/run-*.wandb")
    return sorted(found, key=lambda log: log.stat().st_mtime)


def summary(log: Path) -> dict[str, Any]:
    """State, configuration and last values."""
    return json.loads(_inspect("--summary", "--json", str(log)))


def records(log: Path, kind: str) -> list[dict[str, Any]]:
    """All records of one kind, such as ``history``, in order."""
    lines = map(json.loads, _inspect("--json", str(log)).splitlines())
    return [line[kind] for line in lines if line["type"] == kind]


def _inspect(*words: str) -> str:
    command = [sys.executable, "-m", "wandb", "leet", "inspect", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
