"""Ctrl-C: no traceback, exit code 130, nothing half-written; a training saves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mclas_lightning.config.compose import compose
from mclas_lightning.runs.preemption import Preempted
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from tests.training.test_checkpoints import assert_equal, at_micro_batch, finish, steps, training

# A process that a test starts may have inherited that Ctrl-C is ignored.
HEARS = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def script(code: str, *words: str) -> subprocess.Popen:
    """A process group of its own, to which a signal goes as a terminal sends it."""
    return subprocess.Popen(
        [sys.executable, "-c", HEARS + code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted(process: subprocess.Popen, ready: Callable[[], bool]) -> tuple[str, str]:
    """What the process says after Ctrl-C."""
    for _ in range(1200):
        if ready() or process.poll() is not None:
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    return said, errors


def send(times: int = 1) -> Callable[[], None]:
    def kill() -> None:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)

    return kill


@pytest.fixture(autouse=True)
def _listens():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_training_saves_and_goes_on_as_if_nothing_had_been(
    words, trained, tmp_path, monkeypatch, capfd
):
    line = training(words, tmp_path / "again", "middle")
    with monkeypatch.context() as patched:
        at_micro_batch(patched, 3 * 4 + 2, send())
        with pytest.raises(Preempted) as ended:
            train(compose("train", line))
    assert ended.value.code == 130
    run = Run(Path(compose("train", line).run_dir))
    assert torch.load(run.last, weights_only=True)["global_step"] == 5
    said = capfd.readouterr()
    assert f"asked to end; the same command goes on with {run}" in said.out
    assert said.err.count("interrupted: saving at the end of this update") == 1
    again, stops = finish(line)
    assert stops == 0
    assert_equal(again, Run(trained(*steps("middle"))))


def test_a_second_one_ends_a_training_at_once(words, tmp_path, monkeypatch):
    line = training(words, tmp_path, "middle")
    at_micro_batch(monkeypatch, 3 * 4 + 2, send(2))
    with pytest.raises(Preempted) as ended:
        train(compose("train", line))
    assert ended.value.code == 130
    run = Run(Path(compose("train", line).run_dir))
    assert torch.load(run.last, weights_only=True)["global_step"] == 3


def test_a_training_where_it_is_ignored_hears_nothing(words, tmp_path, monkeypatch):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    at_micro_batch(monkeypatch, 3, send())
    _, stops = finish(training(words, tmp_path, "middle"))
    assert stops == 0


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_all_processes_of_a_training_hear_it(words, tmp_path, workers):
    line = [*words, "model=ncls", "optim.updates={minimum: 30000}", "optim.patience=9999"]
    more = [f"workers={workers}", "trainer.checkpoint_minutes=0"]
    run = Run(Path(compose("train", [*line, *more]).run_dir))
    process = script("from mclas_lightning.train import main; main()", *line, *more)
    said, _ = interrupted(process, run.last.exists)
    assert f"the same command goes on with {run}" in said
    assert torch.load(run.last, weights_only=True)["global_step"] > 0
    assert not (run.folder / "lock.json").exists()


@pytest.mark.slow
def test_an_evaluation_leaves_the_results_as_they_were(words, trained, tmp_path):
    trained("model=ncls")
    runs = tmp_path / "runs"
    kept = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    code = (
        "import os, signal\n"
        "from mclas_lightning.decoding.summarizer import NetworkSummarizer\n"
        "from mclas_lightning.evaluate import main\n"
        "NetworkSummarizer.summarize = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "main()"
    )
    process = script(code, *words, "model=ncls", "decoding.beam=1")
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.splitlines()[-1]) == (130, "interrupted")
    assert "Traceback" not in errors
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == kept


@pytest.mark.slow
def test_a_preparation_by_several_processes_leaves_nothing(words, tmp_path):
    code = (
        "from mclas_lightning.data import store\n"
        "from mclas_lightning.train import main\n"
        "store.RANGE = 50\n"
        "main()"
    )
    process = script(code, *words, "model=ncls")
    interrupted(process, lambda: any((tmp_path / "store").glob(".*.part")))
    assert not [path for path in (tmp_path / "store").iterdir() if path.is_dir()]
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_sweep_asks_its_runs_to_save(words, tmp_path):
    (tmp_path / "sweep.yaml").write_text(
        "# @package _global_\n"
        "hydra: {mode: MULTIRUN, sweeper: {params: {dataset: toy, model: ncls}}}\n"
    )
    shared = [word for word in words if not word.startswith("dataset=")]
    long = ["optim.updates={minimum: 30000}", "optim.patience=9999"]
    line = [*shared, *long, "trainer.checkpoint_minutes=0"]
    run = Run(tmp_path / "runs" / "small" / "minimum" / "ncls" / "seed=0")
    code = "from mclas_lightning.cli.main import main; main()"
    process = script(code, "sweep", "run", str(tmp_path / "sweep.yaml"), *line)
    _, errors = interrupted(process, run.last.exists)
    assert errors.splitlines()[-1] == "asked to end; start it again to go on"
    log = (run.folder / "log.txt").read_text()
    assert "the same command goes on with" in log
    assert "Traceback" not in log
    assert not (run.folder / "failure.json").exists()
