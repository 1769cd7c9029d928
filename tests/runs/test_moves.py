import os
import signal
import subprocess
import sys

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.moves import whole_files

NAMES = ["a.jsonl", "results.json", "z.npz"]

MOVES = """
import os, signal, sys, time
from pathlib import Path
from mclas_lightning.runs.moves import whole_files

class Killed:
    moved = 0
    def __call__(self, event, arguments):
        if event == "os.rename":
            if self.moved == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            self.moved += 1

with whole_files(Path(sys.argv[1])) as part:
    for name in ("results.json", "z.npz", "a.jsonl"):
        (part / name).write_text("new")
    os.utime(part / "a.jsonl", (2e9, 2e9))
    sys.addaudithook(Killed())
"""


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_text("old")
    return tmp_path


def killed_before(move, folder):
    code = subprocess.run([sys.executable, "-c", MOVES, str(folder), str(move)]).returncode
    assert code == -signal.SIGKILL


def test_files_move_together_or_not_at_all(folder):
    with pytest.raises(ZeroDivisionError), whole_files(folder) as part:
        (part / "z.npz").write_text(str(1 / 0))
    assert contents(folder) == dict.fromkeys(NAMES, "old")
    with whole_files(folder) as part:
        (part / "z.npz").write_text("new")
        assert contents(folder) == dict.fromkeys(NAMES, "old")
    assert contents(folder) == {**dict.fromkeys(NAMES, "old"), "z.npz": "new"}
    assert sorted(os.listdir(folder)) == NAMES


@pytest.mark.parametrize("move", [1, 2, 3])
def test_the_next_process_moves_the_rest_after_a_kill_between_two_moves(folder, move):
    killed_before(move, folder)
    moved = [name for name, content in contents(folder).items() if content == "new"]
    assert len(moved) == move - 1
    # results.json says that a run is done: the last, whatever the clock says of the files.
    assert "results.json" not in moved
    with pytest.raises(RuntimeError), whole_files(folder):
        raise RuntimeError
    assert contents(folder) == dict.fromkeys(NAMES, "new")


def test_a_kill_before_the_first_move_leaves_the_old_files(folder):
    killed_before(0, folder)
    with pytest.raises(RuntimeError), whole_files(folder):
        raise RuntimeError
    assert contents(folder) == dict.fromkeys(NAMES, "old")


@pytest.mark.parametrize("inner", ["", "trial"])
def test_nothing_moves_into_a_folder_that_was_made_anew_meanwhile(tmp_path, inner):
    run = tmp_path / "seed=0"

    def write() -> None:
        run.rename(tmp_path / "moved")
        with whole_files(run / inner) as part:
            (part / "training.json").touch()

    with locked(run), pytest.raises(InputError, match="seed=0: was deleted or renamed while"):
        write()
    assert not [path for path in run.rglob("*") if path.is_file()]
