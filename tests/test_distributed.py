import os
import subprocess
import sys

import pytest
import torch
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

from mclas_lightning.distributed import device_of, processes_per_node, rank_and_world, slurm_address
from mclas_lightning.errors import InputError
from tests.test_devices import free_port

SLURM = {
    "SLURM_JOB_ID": "1234567", "SLURM_JOB_NAME": "mclas", "SLURM_STEP_ID": "0",
    "SLURM_NTASKS": "3", "SLURM_PROCID": "2", "SLURM_LOCALID": "1",
}  # fmt: skip
VARIABLES = [*SLURM, "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"]


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def set_all(monkeypatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, (2, 3)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, (1, 2)),  # torchrun inside a Slurm job
        ({"SLURM_JOB_NAME": "interactive"}, (0, 1)),
        ({"SLURM_STEP_ID": None}, (0, 1)),  # the script of sbatch itself
    ],
)
def test_a_task_of_slurm_knows_its_number(monkeypatch, change, found):
    set_all(monkeypatch, {k: v for k, v in {**SLURM, **change}.items() if v is not None})
    assert rank_and_world() == found


def test_a_process_that_lightning_started_knows_its_number(monkeypatch):
    said = {"NODE_RANK": "0", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}  # It says no RANK.
    set_all(monkeypatch, said)
    assert rank_and_world() == (1, 2)


def test_a_task_of_slurm_takes_the_gpu_of_its_number_on_the_node(monkeypatch):
    set_all(monkeypatch, SLURM)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("gpu", -1) == torch.device("cuda", 1)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    assert device_of("gpu", [5, 7]) == torch.device("cuda", 7)


@pytest.mark.parametrize("named", ["1,", "1", [1], "1,3", [1, 3]])
def test_summaries_are_written_on_the_gpu_that_the_trainer_names(monkeypatch, named):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    # "1" is a number of GPUs, "1," the second GPU.
    assert device_of("auto", named) == torch.device("cuda", 0 if named == "1" else 1)
    assert processes_per_node({"devices": named}) == (2 if "3" in str(named) else 1)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([9], "there is no GPU 9, this machine has 4"),
        ("a,b", "expected numbers of GPUs"),
        ("1,", "no GPU for process 2 of this machine"),
    ],
)
def test_a_gpu_that_is_not_there_is_one_line(monkeypatch, named, said):
    set_all(monkeypatch, {"LOCAL_RANK": "1" if "process" in said else "0"})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(InputError, match=said) as error:
        device_of("gpu", named)
    assert str(error.value).startswith(f"trainer.devices={named}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "nodes", ["127.0.0.1", "gpu7", "gpu[03-05]", "gpu[3,5-7]", "a1,gpu[3-4]", "gpu[3-4],big[1-2]"]
)
def test_the_tasks_of_slurm_meet_where_lightning_would(monkeypatch, nodes):
    said = {**SLURM, "SLURM_NODELIST": nodes, "SLURM_NTASKS_PER_NODE": "3"}
    ours = slurm_address(said)
    set_all(monkeypatch, said)
    theirs = SLURMEnvironment(auto_requeue=False)
    assert ours == f"{theirs.main_address}:{theirs.main_port}"
    for name in ("MASTER_ADDR", "MASTER_PORT"):  # Lightning has set them.
        monkeypatch.delenv(name)


def test_two_tasks_of_slurm_merge_what_each_has():
    code = (
        "from mclas_lightning.distributed import gather_shares, leave_process_group\n"
        "from mclas_lightning.distributed import rank_and_world\n"
        "rank, world = rank_and_world()\n"
        "print(gather_shares([f'text {i}' for i in range(7)][rank::world], 7))\n"
        "leave_process_group()"
    )
    said = {**os.environ, **SLURM, "SLURM_NTASKS": "2", "SLURM_NODELIST": "127.0.0.1",
            "MASTER_PORT": str(free_port())}  # fmt: skip
    tasks = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**said, "SLURM_PROCID": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    assert [task.communicate()[0] for task in tasks] == [f"{[f'text {i}' for i in range(7)]}\n"] * 2
