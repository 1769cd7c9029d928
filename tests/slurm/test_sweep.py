"""A sweep on a real Slurm: four runs of two tasks each, one of them sent away and requeued."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mclas_lightning.runs.results import find_results
from mclas_lightning.runs.run import Run
from tests.slurm.cluster import cluster, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"no Slurm here: {missing()}"),
]
OF_SLURM = [
    "hydra.launcher.gpus_per_node=null", "hydra.launcher.mem_gb=null",
    "hydra.launcher.cpus_per_task=1",
]  # fmt: skip
OF_RUNS = [
    "trainer.devices=2", "trainer.strategy=ddp", "optim.updates={minimum: 60, full: 60}",
    "optim.validations=30", "optim.patience=1000",
]  # fmt: skip
SWEEP = """\
# @package _global_
hydra:
  mode: MULTIRUN
  sweeper: {params: {dataset: toy, scenario: minimum, model: "ncls,ncls_ms,mclas"}}
init_from: ${runs}/small/full/ms
"""


@pytest.fixture
def slurm(tmp_path):
    with cluster(tmp_path / "slurm", cpus=4) as environment:
        yield environment


def mclas(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mclas_lightning.cli.main", "sweep", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def ended(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess:
    """``mclas sweep status`` once no job is left."""
    for _ in range(600):
        done = subprocess.run(
            ["squeue", "--noheader"], env=environment, capture_output=True, text=True
        )
        if not done.stdout.strip():
            return mclas(environment, "status", *words)
        time.sleep(0.5)
    raise AssertionError(done.stdout)


def queued(environment: dict[str, str], job: str) -> str:
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%T"]
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def until(ready) -> None:
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.1)
    raise AssertionError("never happened")


def test_a_sweep_of_two_tasks_a_run_finishes_though_one_was_sent_away(slurm, words, tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    words = [*words, *OF_RUNS]
    words = [word for word in words if not word.startswith(("dataset=", "scenario="))]
    sweep = (str(tmp_path / "sweep.yaml"), *words)

    done = mclas(slurm, "run", *sweep, *OF_SLURM, "--launcher", "slurm")
    assert done.returncode == 0, done.stderr
    assert "4 jobs are with Slurm" in done.stdout
    again = mclas(slurm, "run", *sweep, *OF_SLURM, "--launcher", "slurm")
    assert again.stdout.count("job ") == 0, "a run that has a job gets no second one"

    ms = Run(tmp_path / "runs" / "small" / "full" / "ms" / "seed=0")
    until(ms.last.exists)
    job = json.loads((ms.folder / "job.json").read_text())["id"]
    # What Slurm sends before the time is up.
    subprocess.run(["scancel", "--signal=USR2", job], env=slurm, check=True)
    until(lambda: "PENDING" in queued(slurm, job))
    assert not ms.trained

    status = ended(slurm, *sweep)
    assert "4 runs: 4 done" in status.stdout, status.stdout + _logs(tmp_path)
    assert len(find_results(tmp_path / "runs")) == 4
    assert "resuming" in Path(_log(ms)).read_text()


def _log(run: Run) -> str:
    return json.loads((run.folder / "job.json").read_text())["log"]


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in folder.rglob("*_log.out"))
