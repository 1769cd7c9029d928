"""A few of the faults of ``make faults``."""

import subprocess
import sys

import pytest

from tests.faults.faults import FAULTS, half_files
from tests.faults.processes import Ended


def faults(*words: str) -> str:
    """What ``python -m tests.faults`` prints where all is survived."""
    command = [sys.executable, "-m", "tests.faults", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_kills_and_missing_locks_are_survived():
    said = faults("--faults", "killed", "no locks", "--commands", "import", "--times", "2")
    assert said == "killed: import: 2 of 2 survived\nno locks: import: 2 of 2 survived\n"


@pytest.mark.slow
def test_every_fault_is_survived_by_training_and_its_store():
    said = faults("--commands", "training", "tokenizing", "--times", "1", "--seed", "1")
    assert all(f"{fault}: training: " in said or f"{fault}: left out" in said for fault in FAULTS)


DAMAGED = {
    "a.json": b'{"a": 1',
    "b.jsonl": b'{"a": 1}\n{"a"',
    "c.yaml": b"a: [1",
    "d.ckpt": b"PK",
    "e.npz": b"PK",
    "f.npy": b"",
    "g.arrow": b"",
    "h.csv": b"step,loss\n1",
}


def test_half_files_are_found_unless_they_are_hidden(tmp_path):
    for name, content in DAMAGED.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f".{name}").write_bytes(content)
    (tmp_path / "whole.json").write_text("{}")
    assert sorted(path.name for path in half_files(tmp_path)) == sorted(DAMAGED)


@pytest.mark.parametrize(
    ("code", "printed", "clean"),
    [
        (0, "", True),
        (-9, "", True),
        (2, "error: a.json: no such file", True),
        (2, "", False),
        (1, "Traceback (most recent call last):\nerror: x", False),
        (-11, "error: x", False),
    ],
)
def test_a_command_ends_cleanly_or_is_reported(code, printed, clean):
    assert Ended(code=code, printed=printed, seconds=1.0).clean == clean
