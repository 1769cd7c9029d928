"""What can be tested of Slurm jobs without a Slurm; ``tests/slurm`` has one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mclas_lightning.cli.sweep import STARTABLE
from mclas_lightning.errors import InputError
from mclas_lightning.sweep import slurm as module
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.sweep.slurm import Job, job_problems, submit
from mclas_lightning.sweep.state import write_job

OWN_SIZES = ["hydra.launcher.gpus_per_node=null", "hydra.launcher.tasks_per_node=1"]


def test_without_slurm_there_is_one_problem(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert job_problems([], []) == [
        "sbatch: is not here; start the sweep on a machine of the cluster"
    ]


SBATCH = """\
#!/bin/sh
[ ! -e {folder}/first ] || {{
  echo "sbatch: error: an account is missing" >&2
  echo "sbatch: error: Batch job submission failed: Job violates accounting policy" >&2
  exit 1
}}
touch {folder}/first
echo Submitted batch job 7
"""

REFUSAL = (
    "Slurm refuses the job (error: Batch job submission failed: Job violates accounting policy)"
)


@pytest.fixture
def miserly(tmp_path, monkeypatch):
    """A Slurm on PATH that takes one job."""
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    for name, text in (("sbatch", SBATCH), ("srun", ""), ("squeue", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


def test_a_run_that_sbatch_refuses_is_named(tmp_path, miserly):
    ms, refused, *_ = plan_runs(["toy"], ["seed=0", f"runs={tmp_path}/runs", "trainer.devices=1"])
    with pytest.raises(InputError) as error:
        submit([ms, refused], [], STARTABLE)
    assert str(error.value).startswith(
        f"{refused}: {REFUSAL}; jobs submitted before: 1; change what the line names"
    )
    assert "\n" not in str(error.value)
    assert (ms.folder / "job.json").exists()
    assert not (refused.folder / "job.json").exists()


@pytest.mark.slow
def test_a_multirun_that_sbatch_refuses_ends_in_one_line(tmp_path, miserly):
    (tmp_path / "first").touch()
    words = ["-m", "launcher=slurm", "dataset=toy", "model=ms", "trainer.devices=1"]
    line = [sys.executable, "-m", "mclas_lightning.train", *words, f"runs={tmp_path}/runs"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: mclas-train {' '.join(words)} ")
    assert REFUSAL in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "of_launcher", "said"),
    [
        (["trainer.devices=1"], [], None),
        (["trainer.devices=auto"], OWN_SIZES, "devices=auto: Slurm must be told how many"),
        (["trainer.devices=2"], ["hydra.launcher.tasks_per_node=1"], "1 tasks on 1 nodes do not"),
    ],
)
def test_tasks_are_devices(monkeypatch, words, of_launcher, said):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    runs = plan_runs(["toy"], ["dataset.target=de", "seed=0,1", *words])
    found = job_problems(runs, of_launcher)
    assert len(found) == (0 if said is None else 1)
    assert said is None or said in found[0]


def test_a_requeued_job_is_the_same_again(tmp_path):
    job = Job(words=("seed=0",), folder=tmp_path)
    assert job.checkpoint().function == job


def test_what_needs_a_running_job_waits_for_it(tmp_path, monkeypatch, held, capsys):
    words = ["dataset.target=de", "seed=0", "model=ncls", f"runs={tmp_path}"]
    ms, ncls = plan_runs(["toy"], [*words, f"init_from={tmp_path}/toy_en/full/ms"])
    submitted = []

    def submit_one(planned, launcher, after):
        submitted.append((planned, after))
        return "8"

    monkeypatch.setattr(module, "_launcher_of", lambda *_: {})
    monkeypatch.setattr(module, "_submit", submit_one)
    for name in ("slurm", "state"):
        monkeypatch.setattr(f"mclas_lightning.sweep.{name}.slurm_queue", lambda: {"7": "RUNNING"})
    held(ms.folder)
    assert submit([ms, ncls], [], STARTABLE) == 0
    said = capsys.readouterr().out
    assert f"{ncls}: left out, since a run that it needs is no job of Slurm" in said
    write_job(ms.folder, "7", Path("log.txt"))
    ncls.folder.mkdir(parents=True)
    assert submit([ms, ncls], [], STARTABLE) == 2
    assert submitted == [(ncls, ["7"])]
    (ncls.folder / "job.json").write_text("{")
    assert submit([ms, ncls], [], STARTABLE) == 2
    assert submitted == [(ncls, ["7"])] * 2
