import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mclas_lightning.files import write_json
from mclas_lightning.lock import Busy, locked, owner
from mclas_lightning.sweep import state as module
from mclas_lightning.sweep.cost import lines, seconds_per_update
from mclas_lightning.sweep.plan import plan
from mclas_lightning.sweep.state import last_update, states, write_failure, write_job
from mclas_lightning.sweep.status import counts, reasons, status

HOLD = """
import sys
from pathlib import Path
from mclas_lightning.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def toy(tmp_path):
    """The toy sweep of one seed, in an empty folder: ms, then three systems in two languages."""
    return plan(["toy"], ["seed=0", f"runs={tmp_path}/runs"])


@pytest.fixture
def held():
    """Folders held by another process until the test ends."""
    holding = []

    def hold(folder: Path) -> subprocess.Popen:
        command = [sys.executable, "-c", HOLD, str(folder)]
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        holding.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in holding:
        process.kill()
        process.communicate()


def finished(folder: Path, seconds: float = 60.0) -> None:
    write_json(folder / "training.json", {"updates": 30, "seconds": seconds})
    write_json(folder / "results.json", {})


def test_runs_wait_for_the_pretraining_then_are_missing(toy):
    ms, *others = toy
    assert counts(states(toy)) == "7 runs: 6 waiting, 1 missing"
    write_json(ms.folder / "training.json", {})
    assert states(toy)[ms.folder].detail == "scoring"
    write_json(ms.folder / "results.json", {})
    assert counts(states(toy)) == "7 runs: 1 done, 6 missing"
    finished(others[0].folder)
    assert counts(states(toy)) == "7 runs: 2 done, 5 missing"


def test_what_waits_for_a_failed_run_says_so(toy, tmp_path):
    ms, *others = toy
    log = ms.folder / "log.txt"
    write_failure(ms.folder, "data/train.jsonl: no such file", 2, log)
    found = states(toy)
    assert found[ms.folder].name == "failed"
    assert all(found[run.folder].failed_need for run in others)
    assert list(reasons(toy, found)) == [
        f"failed: {ms}: data/train.jsonl: no such file\n  log: {log}",
        f"waiting on a failed run, {ms.folder}: 6 runs",
    ]


def test_a_folder_has_one_owner(held, toy):
    folder = toy[0].folder
    holder = held(folder)
    who = owner(folder)
    assert who is not None
    assert who.pid == holder.pid
    assert states(toy)[folder].name == "running"
    with pytest.raises(Busy, match=f"process {holder.pid} on "), locked(folder):
        pass
    assert (folder / "lock.json").exists()


def test_the_lock_of_a_process_that_was_killed_holds_nothing(held, toy):
    folder = toy[0].folder
    holder = held(folder)
    holder.kill()
    holder.wait()
    assert (folder / "lock.json").exists()
    assert owner(folder) is None
    assert states(toy)[folder].name == "missing"
    with locked(folder):
        assert f'"pid": {os.getpid()}' in (folder / "lock.json").read_text()
    assert not (folder / "lock.json").exists()


def test_a_lock_leaves_what_was_written_and_no_empty_folder(tmp_path):
    folder = tmp_path / "runs" / "a" / "b" / "c" / "seed=0"
    with locked(folder):
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []
    with locked(folder):
        (folder / "config.yaml").write_text("{}")
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_progress_is_read_from_the_last_row(toy, tmp_path, held):
    path = tmp_path / "metrics.csv"
    assert last_update(path) == 0
    path.write_text("step,train/loss\n")
    assert last_update(path) == 0
    path.write_text("step,train/loss\n" + "".join(f"{i},0.5\n" for i in range(1, 4001)))
    assert last_update(path) == 4000
    ms = toy[0]
    ms.folder.mkdir(parents=True)
    (ms.folder / "metrics.csv").write_text("train/loss,step\n0.5,600\n")
    assert states(toy)[ms.folder].detail == "50 %"
    held(ms.folder)
    assert states(toy)[ms.folder].detail.startswith("50 % (process ")


def test_a_slurm_job_is_queued_until_slurm_has_lost_it(toy, monkeypatch):
    ms = toy[0]
    write_job(ms.folder, "12", ms.folder / "12_log.out")
    monkeypatch.setattr(module, "slurm_queue", lambda: {"12": "PENDING (Priority)"})
    found = states(toy)
    assert found[ms.folder].name == "queued"
    assert "PENDING (Priority)" in found[ms.folder].detail
    monkeypatch.setattr(module, "slurm_queue", dict)
    assert states(toy)[ms.folder].name == "failed"
    assert "Slurm job 12 ended without results" in states(toy)[ms.folder].detail
    write_failure(ms.folder, "RuntimeError: out of memory", 1, ms.folder / "12_log.out")
    assert states(toy)[ms.folder].detail == "RuntimeError: out of memory"


def test_the_grid_has_a_row_a_system_and_a_column_a_seed(tmp_path):
    from rich.console import Console

    runs = plan(["toy"], [f"runs={tmp_path}/runs"])
    finished(tmp_path / "runs/toy_en/full/ms/seed=0")
    write_failure(tmp_path / "runs/toy_en2zh/minimum/mclas/seed=0", "it broke", 1, Path("a.txt"))
    console = Console(width=100, file=io.StringIO())
    with console.capture() as shown:
        console.print(status(runs, states(runs)))
    rows = [line.split() for line in shown.get().splitlines()]
    assert ["full", "ms", "done", "-"] in rows
    assert ["minimum", "mclas", "-", "wait", "FAIL", "wait"] in rows
    assert "14 runs: 1 done, 6 waiting, 1 failed, 6 missing" in shown.get()


def test_costs_are_those_of_finished_runs_of_the_same_kind(tmp_path):
    runs = plan(["toy"], [f"runs={tmp_path}/runs", "dataset.target=de"])
    assert seconds_per_update(runs) == {}
    for run in runs:
        if run.seed == 0:
            finished(run.folder, seconds={"ms": 60.0}.get(run.model, 30.0))
    assert seconds_per_update(runs)["toy_en", "ms"] == 2.0
    shown = "\n".join(lines(runs))
    assert "1,200 updates of up to 3,072 source and target tokens: about 40 min" in shown
    # One pretraining of 2 s an update, three trainings of 1 s an update.
    assert shown.endswith(
        "left to train: 4 runs, 1,830 updates: about 50 min of training, one by one"
    )
