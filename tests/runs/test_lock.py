import os
import signal
import subprocess
import sys

from mclas_lightning.runs.lock import lock_owner, locked


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
