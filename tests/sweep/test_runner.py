"""Sweeps of seconds on the small corpus, by real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning import progress
from mclas_lightning.cli.main import parser
from mclas_lightning.cli.sweep import _jobs, work
from mclas_lightning.runs.results import find_results
from mclas_lightning.sweep import runner
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.runner import gpu_numbers, share_of, slot_environments

SWEEP = """\
# @package _global_
hydra:
  mode: MULTIRUN
  sweeper: {params: {dataset: toy, scenario: "minimum,medium", model: "ncls,mclas"}}
init_from: ${runs}/small/full/ms
"""


@pytest.fixture
def sweep(words, tmp_path) -> list[str]:
    """File and words of a sweep: ms, then two systems in two scenarios."""
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    shared = [word for word in words if not word.startswith(("dataset=", "scenario="))]
    return [str(tmp_path / "sweep.yaml"), *shared]


def command(name: str, sweep: list[str], *more: str) -> list[str]:
    return [sys.executable, "-m", "mclas_lightning.cli.main", "sweep", name, *sweep, *more]


def mclas(name: str, sweep: list[str], *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(name, sweep, *more), capture_output=True, text=True)


def starts(runs: Path) -> dict[str, int]:
    """How often each run was begun or resumed, by its log."""
    return {
        str(log.parent.relative_to(runs)): log.read_text().count(" training examples; network")
        for log in runs.rglob("log.txt")
    }


def until(ready) -> None:
    for _ in range(1200):
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError("never happened")


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(progress, "cores", lambda: 8)
    monkeypatch.setattr(progress, "free_memory", lambda: 10**12)
    monkeypatch.setattr(runner, "gpu_numbers", list)


@pytest.mark.usefixtures("eight_cores")
def test_runs_share_the_cores_by_the_size_of_their_networks(tmp_path, monkeypatch):
    runs = plan_runs(["toy"], ["seed=0", f"runs={tmp_path}/runs"])

    def shared(width: int = 128, **trainer: object) -> tuple[int, int] | None:
        trainer = {**runs[0].config["trainer"], **trainer}
        config = {"trainer": trainer, "network": {"encoder": {"width": width}}}
        return share_of([*runs[1:], replace(runs[0], config=config)])

    assert shared() == (7, 1)
    assert shared(768) == (1, 8)
    assert shared(devices=2) is None  # The run has processes of its own.
    monkeypatch.setattr(runner, "gpu_numbers", lambda: ["0"])
    assert shared() is None
    on_cpu = [replace(run, config=of_cpu(run.config)) for run in runs]
    assert share_of(on_cpu) == (7, 1)


def of_cpu(config):
    return {**config, "trainer": {**config["trainer"], "accelerator": "cpu"}}


@pytest.mark.usefixtures("eight_cores")
def test_a_sweep_without_words_says_how_many_runs_it_does_at_a_time(tmp_path, capsys):
    runs = plan_runs(["toy"], ["seed=0", f"runs={tmp_path}/runs"])

    def jobs(*words: str) -> int:
        return _jobs(runs, parser().parse_args(["sweep", "run", "toy", *words]))

    assert jobs() == 7
    assert "7 runs at a time, 1 thread each" in capsys.readouterr().out
    assert jobs("--launcher", "local") == 1
    assert jobs("--launcher", "processes", "--jobs", "3") == 3
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_where_it_was(sweep, tmp_path):
    runs = tmp_path / "runs"
    process = subprocess.Popen(command("run", sweep), stdout=subprocess.PIPE, text=True)
    until(lambda: len(find_results(runs)) >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: not list(runs.rglob("lock.json")) or "done" in mclas("status", sweep).stdout)
    before = {results.folder: results for results in find_results(runs)}
    done = mclas("run", sweep, "--launcher", "processes", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "5 runs: 5 done" in done.stdout
    assert len(find_results(runs)) == 5
    for folder in before:
        assert folder is not None
        assert starts(runs)[str(folder.relative_to(runs))] == 1, "a finished run is not repeated"
    again = mclas("run", sweep)
    assert again.returncode == 0
    assert "started" not in again.stdout
    assert "5 runs: 5 done" in mclas("status", sweep).stdout


@pytest.mark.slow
def test_two_sweeps_at_once_share_the_work_and_do_nothing_twice(sweep, tmp_path):
    both = [
        subprocess.Popen(command("run", sweep), stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    shown = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all("5 runs: 5 done" in text for text in shown)
    assert set(starts(tmp_path / "runs").values()) == {1}


@pytest.mark.slow
def test_a_failing_run_stops_no_other_and_is_listed_at_the_end(sweep, tmp_path):
    runs = tmp_path / "runs"
    assert mclas("run", sweep, "model=ncls").returncode == 0
    # What mclas alone trips over, found only once it runs: a checkpoint cut short.
    medium = runs / "small" / "medium" / "mclas" / "seed=0" / "checkpoints"
    medium.mkdir(parents=True)
    (medium / "last.ckpt").write_text("cut short")
    done = mclas("run", sweep)
    assert done.returncode == 1
    assert "5 runs: 4 done, 1 failed" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert line.startswith("failed: small/medium/mclas/seed=0: ")
    assert "last.ckpt" in line
    log = medium.parent / "log.txt"
    assert f"log: {log}" in done.stderr
    assert "last.ckpt" in log.read_text()
    failure = json.loads((medium.parent / "failure.json").read_text())
    assert failure["exit_code"] == 2
    assert "1 failed" in mclas("status", sweep).stdout

    (medium / "last.ckpt").unlink()
    assert "started" not in mclas("run", sweep, "--only", "missing").stdout
    done = mclas("run", sweep, "--only", "failed")
    assert done.returncode == 0, done.stderr
    assert not (medium.parent / "failure.json").exists()


@pytest.mark.slow
def test_what_waits_for_a_diverged_pretraining_is_reported(sweep, tmp_path):
    done = mclas("run", sweep, "optim.encoder.lr=1e30", "optim.decoder.lr=1e30")
    assert done.returncode == 1
    assert "5 runs: 4 waiting, 1 diverged" in done.stdout
    ms, waiting = "small/full/ms/seed=0", f"{tmp_path}/runs/small/full/ms/seed=0"
    assert f"diverged: {ms}: training diverged at update " in done.stderr
    assert f"waiting on a failed run, {waiting}: 4 runs" in done.stderr
    assert not find_results(tmp_path / "runs")


@pytest.mark.slow
def test_a_run_that_is_killed_ends_neither_the_sweep_nor_unseen(sweep, tmp_path):
    sweep = [*sweep, "optim.updates={minimum: 3000, medium: 6, full: 6}", "optim.patience=9999"]
    runs = tmp_path / "runs"
    process = subprocess.Popen(
        command("run", sweep), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lock = runs / "small" / "minimum" / "ncls" / "seed=0" / "lock.json"
    until(lambda: lock.exists() and lock.read_text().endswith("\n"))
    os.kill(json.loads(lock.read_text())["pid"], signal.SIGKILL)
    until(lambda: (lock.parents[2] / "mclas" / "seed=0" / "lock.json").exists())
    process.terminate()  # The sweep itself: its run saves and ends.
    shown, errors = process.communicate()
    assert process.returncode == 143
    assert "small/minimum/ncls/seed=0: failed" in shown
    assert "start it again to go on" in errors
    status = mclas("status", sweep)
    assert "failed: small/minimum/ncls/seed=0: killed by SIGKILL" in status.stdout.replace("\n", "")


def test_problems_are_all_listed_and_nothing_is_started(sweep, tmp_path, corpus):
    (corpus / "en2de" / "test.jsonl").unlink()
    done = mclas("run", sweep, "model=mclas", "trainer.devices=2", f"init_from={tmp_path}/nowhere")
    assert done.returncode == 2
    assert "test.jsonl: no such file" in done.stderr
    assert "trainer.devices=2" in done.stderr
    assert "init_from=" in done.stderr
    assert "no run here" in done.stderr
    assert "nothing was started; problems: 3" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_gpus_and_threads_are_divided(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert slot_environments(1) == [{}]
    assert slot_environments(3) == [{"OMP_NUM_THREADS": "2"}] * 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in slot_environments(3)] == ["4", "7", "4"]


@pytest.mark.slow
def test_a_multirun_goes_on_after_a_run_that_fails(words, tmp_path):
    line = [sys.executable, "-m", "mclas_lightning.train", "-m", *words]
    done = subprocess.run([*line, "model=ncls_ms_half,ncls"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "1 failed:" in done.stderr
    assert "model=ncls_ms_half" in done.stderr.split("1 failed:")[1]
    assert [results.model for results in find_results(tmp_path / "runs")] == ["ncls"]


@pytest.mark.slow
def test_lightning_starts_no_processes_in_a_multirun(words, tmp_path):
    line = [sys.executable, "-m", "mclas_lightning.train", "-m", *words, "model=ncls"]
    done = subprocess.run([*line, "trainer.devices=2"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "error: trainer.devices=2" in done.stderr
    assert not find_results(tmp_path / "runs")


def test_gpus_are_those_that_can_be_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5,-1,6")
    assert gpu_numbers() == ["3", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert gpu_numbers() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    lines = ["GPU 0: A100 (UUID: 1)", "  MIG 1g.5gb Device 0: (UUID: 2)", "GPU 1: A100 (UUID: 3)"]
    done = subprocess.CompletedProcess([], 0, stdout="\n".join(lines))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert gpu_numbers() == ["0", "1"]


def test_a_sweep_whose_run_ends_without_a_word_fails(tmp_path, monkeypatch):
    class Ended:
        pid, exitcode = 7, 1
        sentinel = os.open(os.devnull, os.O_RDONLY)

    monkeypatch.setattr(runner, "fork_run", lambda run, slot: Ended())
    monkeypatch.setattr(runner, "wait", lambda *_, **__: None)
    words = ["dataset.target=de", "seed=0", "model=ncls_scratch", f"runs={tmp_path}"]
    runs = plan_runs(["toy"], words)
    with pytest.raises(SystemExit) as ended:
        work(runs, 1)
    assert ended.value.code == 1
