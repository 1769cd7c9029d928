import io
import os
from pathlib import Path

import pytest
import yaml

from mclas_lightning.cli import main as cli
from mclas_lightning.cli.sweep import STARTABLE
from mclas_lightning.errors import InputError
from mclas_lightning.files import write_json
from mclas_lightning.runs.lock import Busy, locked, owner
from mclas_lightning.sweep import state as module
from mclas_lightning.sweep.plan import plan
from mclas_lightning.sweep.state import last_update, states, write_failure, write_job
from mclas_lightning.sweep.status import counts, lines, notes, reasons, seconds_per_update, status


@pytest.fixture
def toy(tmp_path):
    """The toy sweep of one seed, in an empty folder: ms, then three systems in two languages."""
    return plan(["toy"], ["seed=0", f"runs={tmp_path}/runs"])


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


def test_a_run_that_has_diverged_is_never_done_nor_tried_again(toy):
    ms, *others = toy
    write_json(ms.folder / "diverged.json", {"update": 7, "reason": "its training loss is nan"})
    write_failure(ms.folder, "training diverged", 2, ms.folder / "log.txt")
    found = states(toy)
    assert found[ms.folder].name == "diverged"
    assert "diverged" not in STARTABLE
    assert all(found[run.folder].failed_need for run in others)
    assert counts(found) == "7 runs: 6 waiting, 1 diverged"
    (line, waiting) = reasons(toy, found)
    said = f"diverged: {ms}: training diverged at update 7: its training loss is nan; plan it under"
    assert line.startswith(said)
    assert waiting == f"waiting on a failed run, {ms.folder}: 6 runs"


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


def started(run, **optim) -> None:
    """The config.yaml of a planned run, with other values of ``optim``."""
    config = {**run.config, "optim": {**run.config["optim"], **optim}}
    run.folder.mkdir(parents=True)
    (run.folder / "config.yaml").write_text(yaml.safe_dump(config))


def test_a_run_of_another_configuration_is_never_done(toy):
    ms, mclas, *_ = toy
    for run in (ms, mclas):
        started(run, updates={**run.config["optim"]["updates"], run.scenario: 12})
        finished(run.folder)
    found = states(toy)
    assert [found[run.folder].name for run in toy] == ["other", "other", *["waiting"] * 5]
    assert all(found[run.folder].failed_need for run in toy[2:])
    first, second, waiting = reasons(toy, found)
    assert first.startswith(
        f"other: {ms}: holds a run with optim.updates.full=12, this plan has "
        f"optim.updates.full={ms.updates}; plan it with the words it was trained with"
    )
    assert "optim.updates.minimum=12, this plan has optim.updates.minimum=210; plan" in second
    assert waiting == f"waiting on another run, {ms.folder}: 5 runs"
    plan_shown = list(lines(toy))
    assert (
        sum("other: its folder holds a run with optim.updates" in line for line in plan_shown) == 2
    )
    assert plan_shown[-2].startswith("other: 2 runs are there with another configuration")
    assert plan_shown[-1].startswith("left to train: 5 runs")


def test_other_runs_start_nothing(toy, tmp_path, capsys):
    ms = toy[0]
    started(ms, label_smoothing=0.3)
    words = ["sweep", "run", "toy", "seed=0", f"runs={tmp_path}/runs"]
    arguments = cli.parser().parse_args(words)
    with pytest.raises(InputError, match="nothing was started; problems: 1, see above"):
        arguments.run(arguments)
    shown = capsys.readouterr()
    assert "7 runs: 1 other, 6 waiting" in shown.out
    assert "optim.label_smoothing=0.3, this plan has optim.label_smoothing=0.1" in shown.err


def test_the_same_words_and_what_is_no_identity_are_no_other_run(toy, tmp_path):
    ms = toy[0]
    started(ms)
    finished(ms.folder)
    words = ["seed=0", f"runs={tmp_path}/runs", "decoding.beam=1", "trainer.accelerator=cpu"]
    assert states(plan(["toy"], words))[ms.folder].name == "done"


def test_decoding_words_say_that_a_sweep_does_not_score_again(toy, tmp_path, capsys):
    for run in toy:
        finished(run.folder)
        scored = {"decoding": run.config["decoding"], "signatures": {"cross": {"rouge": "r"}}}
        write_json(run.folder / "results.json", scored)
    assert list(notes(toy, states(toy))) == []
    words = ["seed=0", f"runs={tmp_path}/runs", "decoding.beam=1", "scoring.similarity=an/e5"]
    arguments = cli.parser().parse_args(["sweep", "run", "toy", *words])
    arguments.run(arguments)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "7 runs: 7 done"
    assert shown[1].startswith(
        f"note: {toy[0]} and 6 more: scored with decoding.beam=5, this plan has decoding.beam=1; "
        f'scoring.similarity=nothing, this plan has scoring.similarity="an/e5"; a sweep does not'
    )
    assert (
        sum("note: scored with decoding.beam=5" in line for line in lines(plan(["toy"], words)))
        == 7
    )
