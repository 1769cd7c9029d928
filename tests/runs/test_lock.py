import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs import lock
from mclas_lightning.runs.lock import check_still_there, lock_owner, locked, one_at_a_time


def test_a_lock_leaves_what_was_written_and_no_empty_folder(tmp_path):
    folder = tmp_path / "runs" / "a" / "b" / "c" / "seed=0"
    with locked(folder):
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []
    with locked(folder):
        (folder / "config.yaml").write_text("{}")
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path):
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from mclas_lightning.runs.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        print(child, flush=True)\n"
        "    time.sleep(60)\n"
    )
    line = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert getattr(lock_owner(tmp_path), "pid", None) == parent.pid
            parent.kill()
            parent.wait()
            os.kill(child, 0)
            assert lock_owner(tmp_path) is None
            with locked(tmp_path):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_a_file_system_has_no_locks_every_process_works(tmp_path, monkeypatch, error):
    def lock(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("fcntl.flock", lock)
    monkeypatch.setattr("fcntl.lockf", lock)
    with one_at_a_time(tmp_path / "made.lock"), locked(tmp_path / "run"):
        (tmp_path / "run" / "made").touch()
    assert (tmp_path / "run" / "made").exists()


def test_an_error_that_is_not_about_locks_is_not_hidden(tmp_path):
    with pytest.raises(IsADirectoryError), one_at_a_time(tmp_path):
        pass
    with pytest.raises(RuntimeError), one_at_a_time(tmp_path / "made.lock"):
        raise RuntimeError


def test_of_two_processes_one_waits_for_what_the_other_makes(tmp_path):
    with one_at_a_time(tmp_path / "made.lock"):
        code = (
            "from pathlib import Path\n"
            "from mclas_lightning.runs.lock import one_at_a_time\n"
            f"with one_at_a_time(Path('{tmp_path}/made.lock'), timeout=0.1):\n"
            "    pass\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "filelock._error.Timeout" in done.stderr


@pytest.mark.parametrize("how", ["deleted", "renamed", "made again"])
def test_a_folder_that_vanishes_under_its_process_is_named(tmp_path, how):
    folder = tmp_path / "seed=0"
    with locked(folder):
        check_still_there(folder)
        if how == "deleted":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "moved")
        if how == "made again":
            folder.mkdir()
            (folder / "lock.json").touch()
        with pytest.raises(InputError, match="seed=0: was deleted or renamed while"):
            check_still_there(folder)
    check_still_there(folder)  # No longer ours.
    assert (folder / "lock.json").exists() == (how == "made again")  # Another owner's.


def test_an_error_of_the_file_system_does_not_say_that_a_folder_vanished(tmp_path, monkeypatch):
    with locked(tmp_path / "seed=0"), monkeypatch.context() as broken:
        broken.setattr(Path, "stat", Mock(side_effect=OSError(errno.EIO, "input/output error")))
        check_still_there(tmp_path / "seed=0")


def test_a_process_that_asks_for_the_owner_refuses_nobody(tmp_path, monkeypatch):
    answers = [False, True, False, True]  # As lock_owner of another process holds it for a moment.
    acquire = lock._acquire
    monkeypatch.setattr(
        lock, "_acquire", lambda descriptor: answers.pop(0) if answers else acquire(descriptor)
    )
    with locked(tmp_path / "seed=0"):
        assert not answers
