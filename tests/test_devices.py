"""Two processes on this machine's cores, as torchrun starts them, against one."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mclas_lightning.inference.trained import weights_of
from mclas_lightning.runs.run import Run
from tests.conftest import read_lines

pytestmark = pytest.mark.slow
SINGLE = ("model=mclas", "optim.accumulate=4")
DOUBLE = ("model=mclas", "optim.accumulate=2", "trainer.devices=2")
STRATEGIES = {
    "ddp": ("trainer=ddp", "trainer.precision=32-true"),
    "fsdp": ("trainer=fsdp", "trainer.precision=32-true"),
    "fsdp_recomputing": (
        "trainer=fsdp", "trainer.precision=32-true", "trainer.recompute_activations=true",
    ),
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def job(words: list[str], *more: str) -> list[str]:
    """A training without dropout: its noise belongs to a rank."""
    calm = ["optim.encoder.dropout=0", "optim.decoder.dropout=0", "trainer.accelerator=cpu"]
    return ["-m", "mclas_lightning.train", *words, *more, *calm]


def command(words: list[str], processes: int, *more: str) -> list[str]:
    """A training by as many processes."""
    start = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    place = ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    return [sys.executable, *start, *place, *job(words, *more)]


def kill(agent: subprocess.Popen[bytes]) -> None:
    """torchrun's agent and its ranks, each of which leads a session of its own."""
    ranks = Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
    for handle in [os.pidfd_open(int(pid)) for pid in (agent.pid, *ranks)]:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
    agent.wait()


def trained(words: list[str], processes: int, runs: Path, *more: str) -> Run:
    """The finished run."""
    line = command(words, processes, f"runs={runs}", *more)
    # The stacks of a rank that SIGSEGV ends are printed.
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(line, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return Run(runs / "small" / "minimum" / "mclas" / "seed=0")


def assert_same(ours: Run, theirs: Run, tolerance: float) -> None:
    state = weights_of(theirs)
    for name, tensor in weights_of(ours).items():
        torch.testing.assert_close(tensor, state[name], atol=tolerance, rtol=0, msg=name)


def test_two_ranks_train_as_one_process_with_twice_the_accumulation(words, tmp_path):
    one = trained(words, 1, tmp_path / "one", *SINGLE)
    for name, strategy in STRATEGIES.items():
        two = trained(words, 2, tmp_path / name, *DOUBLE, *strategy)
        # Adam divides by the gradient's size: of tiny ones, rounding is left.
        assert_same(two, one, 1e-4)
        # Each rank summarized every second document; seven are odd.
        lines = [read_lines(run.folder / "predictions.jsonl") for run in (one, two)]
        assert [line["id"] for line in lines[0]] == [line["id"] for line in lines[1]]
        assert len(lines[1]) == 7
    half = trained(words, 2, tmp_path / "half", *DOUBLE, "trainer=fsdp")  # bf16, as configured
    assert_same(half, one, 2e-2)


def test_lightning_starts_the_processes_of_a_single_run_itself(words, tmp_path):
    whole = trained(words, 2, tmp_path / "torchrun", *DOUBLE, *STRATEGIES["ddp"])
    line = job(words, f"runs={tmp_path / 'own'}", *DOUBLE, *STRATEGIES["ddp"])
    done = subprocess.run([sys.executable, *line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    own = Run(tmp_path / "own" / "small" / "minimum" / "mclas" / "seed=0")
    assert_same(own, whole, 0.0)
    assert len(read_lines(own.folder / "predictions.jsonl")) == 7


def test_a_sharded_run_that_was_killed_goes_on_as_if_it_had_not_been(words, tmp_path):
    words = [*words, "optim.updates.minimum=60", "optim.validations=20", "optim.patience=100"]
    sharded = (*DOUBLE, *STRATEGIES["fsdp"])
    whole = trained(words, 2, tmp_path / "whole", *sharded)
    runs = tmp_path / "killed"
    killed = Run(runs / "small" / "minimum" / "mclas" / "seed=0")
    process = subprocess.Popen(
        command(words, 2, f"runs={runs}", *sharded),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not killed.last.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)
    kill(process)
    assert killed.last.exists()
    assert not killed.trained
    trained(words, 2, runs, *sharded)
    assert_same(killed, whole, 1e-6)


def test_two_processes_score_a_run_as_one_does(words, tmp_path):
    run = trained(words, 1, tmp_path / "runs", *SINGLE)
    before = read_lines(run.folder / "predictions.jsonl")
    scored = (run.folder / "results.json").read_text()
    (run.folder / "predictions.jsonl").unlink()
    line = command(words, 2, f"runs={tmp_path / 'runs'}", *SINGLE)
    line[line.index("mclas_lightning.train")] = "mclas_lightning.evaluate"
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ROUGE-1") == 1
    assert read_lines(run.folder / "predictions.jsonl") == before
    assert (run.folder / "results.json").read_text() == scored
