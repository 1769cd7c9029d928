import json
import os
import shutil
from itertools import product

import pytest

from mclas_lightning.cli.sweep import STARTABLE
from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json, write_json
from mclas_lightning.runs.lock import FolderBusy, lock_owner, locked
from mclas_lightning.sweep import state as module
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.state import last_update, states, write_failure, write_job
from mclas_lightning.sweep.status import failure_lines, state_counts
from tests.sweep.conftest import finished, started


def test_runs_wait_for_the_pretraining_then_are_missing(toy):
    ms, *others = toy
    assert state_counts(states(toy)) == "7 runs: 6 waiting, 1 missing"
    write_json(ms.folder / "training.json", {})
    assert states(toy)[ms.folder].detail == "scoring"
    finished(ms.folder)
    assert state_counts(states(toy)) == "7 runs: 1 done, 6 missing"
    finished(others[0].folder)
    assert state_counts(states(toy)) == "7 runs: 2 done, 5 missing"


def test_a_run_that_has_diverged_is_never_done_nor_tried_again(toy):
    ms, *others = toy
    write_json(ms.folder / "diverged.json", {"update": 7, "reason": "its training loss is nan"})
    write_failure(ms.folder, "training diverged", 2, ms.folder / "log.txt")
    found = states(toy)
    assert found[ms.folder].name == "diverged"
    assert "diverged" not in STARTABLE
    assert all(found[run.folder].failed_need for run in others)
    assert state_counts(found) == "7 runs: 6 waiting, 1 diverged"
    (line, waiting) = failure_lines(toy, found)
    said = f"diverged: {ms}: training diverged at update 7: its training loss is nan; start it"
    assert line.startswith(said)
    assert waiting == f"waiting on a failed run, {ms.folder}: 6 runs"


def test_a_folder_has_one_owner(held, toy):
    folder = toy[0].folder
    holder = held(folder)
    who = lock_owner(folder)
    assert who is not None
    assert who.pid == holder.pid
    assert states(toy)[folder].name == "running"
    with pytest.raises(FolderBusy, match=f"process {holder.pid} on "), locked(folder):
        pass
    assert (folder / "lock.json").exists()


def test_the_lock_of_a_process_that_was_killed_holds_nothing(held, toy):
    folder = toy[0].folder
    holder = held(folder)
    holder.kill()
    holder.wait()
    assert (folder / "lock.json").exists()
    assert lock_owner(folder) is None
    assert states(toy)[folder].name == "missing"
    with locked(folder):
        assert f'"pid": {os.getpid()}' in (folder / "lock.json").read_text()
    assert not (folder / "lock.json").exists()


def test_progress_is_read_from_the_last_row(toy, tmp_path, held):
    path = tmp_path / "metrics.csv"
    assert last_update(path) == 0
    path.write_text("step,train/loss\n")
    assert last_update(path) == 0
    path.write_text("step,train/loss\n" + "".join(f"{i},0.5\n" for i in range(1, 4001)))
    assert last_update(path) == 4000
    ms = toy[0]
    ms.folder.mkdir(parents=True)
    (ms.folder / "metrics.csv").write_text("train/loss,step\n0.5,2000\n")
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


def test_slurm_is_not_asked_about_runs_that_are_finished(toy, monkeypatch):
    monkeypatch.setenv("PATH", "")
    ms, mclas, *_ = toy
    write_job(ms.folder, "12", ms.folder / "12_log.out")
    with pytest.raises(InputError, match="squeue: cannot be asked how jobs stand"):
        states(toy)
    finished(ms.folder)
    assert state_counts(states(toy)) == "7 runs: 1 done, 6 missing"
    write_job(mclas.folder, "13", mclas.folder / "13_log.out")
    with pytest.raises(InputError, match="squeue"):
        states(toy)


OF_RECORDS = ("failure.json", "job.json", "diverged.json")
DAMAGED = ("[]", "{", "\0")
LACKING = ("{}", '{"error": "x", "id": 1, "reason": 2}')


@pytest.mark.parametrize(
    ("name", "text"),
    [*product(OF_RECORDS, DAMAGED + LACKING), *product(["config.yaml"], DAMAGED)],
)
def test_a_damaged_file_is_the_state_of_its_run_alone(toy, monkeypatch, name, text):
    ms, damaged, *_ = toy
    monkeypatch.setattr(module, "slurm_queue", dict)
    finished(ms.folder)
    damaged.folder.mkdir(parents=True)
    (damaged.folder / name).write_text(text)
    found = states(toy)
    assert state_counts(found) == "7 runs: 1 done, 1 failed, 5 missing"
    said = f"failed: {damaged}: {damaged.folder / name}: "
    assert next(iter(failure_lines(toy, found))).startswith(said)


def test_a_run_whose_results_no_table_can_use_is_not_done(toy):
    ms, mclas, *_ = toy
    started(ms)
    finished(ms.folder)
    path = ms.folder / "results.json"
    assert states(toy)[ms.folder].name == "done"
    write_json(path, read_json(path, dict) | {"scores": {"mono": {"rouge1_f": 40.0}}})
    found = states(toy)
    assert state_counts(found) == "7 runs: 1 failed, 6 missing"
    detail = found[ms.folder].detail
    assert detail.startswith(f"{path}: ")
    assert detail.endswith("score the run again: mclas-evaluate RUN")
    started(mclas)
    shutil.copy(ms.folder / "training.json", mclas.folder)
    finished(ms.folder)
    shutil.copy(path, mclas.folder)
    assert "this file belongs at" in states(toy)[mclas.folder].detail


def test_results_of_an_outside_system_are_no_run_of_a_plan(toy):
    ms, mclas, *_ = toy
    finished(ms.folder)
    mclas.folder.mkdir(parents=True)
    write_json(mclas.folder / "results.json", {})
    state = states(toy)[mclas.folder]
    assert state.name == "other"
    said = f'model.name="an outside system", this plan has model.name="{mclas.model}"'
    assert state.detail == said


@pytest.mark.parametrize(
    ("key", "kept", "asked"),
    [("precision", '"32-true"', '"bf16-mixed"'), ("devices", "1", "2")],
)
def test_a_training_that_has_not_ended_is_another_run_on_another_machine(toy, key, kept, asked):
    ms = toy[0]
    started(ms)
    planned = plan_runs(["toy"], ["seed=0", f"trainer.{key}={json.loads(asked)}"])
    state = states(planned)[ms.folder]
    said = f"trainer.{key}={kept}, this plan has trainer.{key}={asked}"
    assert (state.name, state.detail) == ("other", said)
    finished(ms.folder)
    assert states(planned)[ms.folder].name == "done"


def test_the_same_words_and_what_is_no_identity_are_no_other_run(toy):
    ms = toy[0]
    started(ms)
    finished(ms.folder)
    words = ["seed=0", "decoding.beam=1", "trainer.accelerator=cpu"]
    assert states(plan_runs(["toy"], words))[ms.folder].name == "done"
