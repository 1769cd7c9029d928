"""A plan as Slurm jobs: a job for each run and a task for each device.

A job depends on the jobs of the runs it needs. ``conf/launcher/slurm.yaml`` holds the resources,
and submitit writes the script. submitit requeues a job whose time is up; Slurm itself requeues a
job that preemption or the failure of a node has ended.
"""

import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.config.compose import clear_when_refused, compose, launcher_settings
from mclas_lightning.errors import InputError
from mclas_lightning.runs.run import Run
from mclas_lightning.sweep.plan import PlannedRun
from mclas_lightning.sweep.state import read_job, slurm_queue, states, write_job
from mclas_lightning.sweep.worker import train_and_note

HYDRA_KEYS = ("_target_", "submitit_folder", "array_parallelism", "max_num_timeout")


def submit(runs: Sequence[PlannedRun], words: Sequence[str], only: Collection[str]) -> int:
    """Submit the runs whose state is in ``only`` or waiting; the number of jobs Slurm has then.

    ``words`` set keys of ``hydra.launcher``. InputError where sbatch refuses a run.
    """
    found, queue = states(runs), slurm_queue()
    jobs: dict[Path, str] = {}
    submitted = 0
    for planned in runs:
        state = found[planned.folder]
        with suppress(InputError):  # A run with a damaged job.json is submitted again.
            if (number := str(read_job(planned.folder).get("id"))) in queue:
                jobs[planned.folder] = number
        if state.name not in (*only, "waiting"):
            continue
        needs = [need for need in planned.needs if not Run(need).trained]
        if any(need not in jobs for need in needs):
            if any(found[need].name == "running" for need in needs):
                print(f"{planned}: left out, since a run that it needs is no job of Slurm")
            continue  # Else this run needs one that failed and is not started again.
        launcher = _launcher_of(planned, words)
        with clear_when_refused(str(planned), submitted):
            jobs[planned.folder] = _submit(planned, launcher, [jobs[need] for need in needs])
        submitted += 1
        print(f"job {jobs[planned.folder]}: {planned}")
    return len(jobs)


def job_problems(runs: Sequence[PlannedRun], words: Sequence[str]) -> list[str]:
    """A line for each reason why Slurm would refuse a run, or Lightning after the start."""
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        return ["sbatch: is not here; start the sweep on a machine of the cluster"]
    found: dict[str, None] = {}
    for planned in runs:
        try:
            _launcher_of(planned, words)
        except InputError as error:
            found[str(error)] = None
    return list(found)


def _launcher_of(planned: PlannedRun, words: Sequence[str]) -> dict[str, Any]:
    """The section ``hydra.launcher`` of a run; InputError where tasks and devices differ."""
    launcher, trainer = launcher_settings((*planned.words, "launcher=slurm", *words))
    devices, nodes = trainer["devices"], trainer["num_nodes"]
    if not isinstance(devices, int) or devices < 1:
        raise InputError(
            f"trainer.devices={devices}: Slurm must be told how many; name a number, each of them "
            f"gets a task"
        )
    tasks = (launcher["tasks_per_node"], launcher["nodes"])
    if tasks != (devices, nodes):
        raise InputError(
            f"hydra.launcher: {tasks[0]} tasks on {tasks[1]} nodes do not fit trainer.devices="
            f"{devices}, trainer.num_nodes={nodes}: each device needs a task of its own"
        )
    return launcher


def _submit(planned: PlannedRun, launcher: dict[str, Any], after: Sequence[str]) -> str:
    from submitit import AutoExecutor

    executor = AutoExecutor(
        launcher["submitit_folder"],
        cluster="slurm",
        slurm_max_num_timeout=launcher["max_num_timeout"],
    )
    own = ("name", "timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node")
    shared = {*own, "tasks_per_node", "stderr_to_stdout"}
    executor.update_parameters(
        **{
            key if key in shared else f"slurm_{key}": value
            for key, value in launcher.items()
            if key not in HYDRA_KEYS and value is not None
        }
    )
    if after:
        executor.update_parameters(slurm_dependency=f"afterok:{':'.join(after)}")
    job = executor.submit(Job(planned.words, planned.folder))
    write_job(planned.folder, job.job_id, job.paths.stdout)
    return job.job_id


@dataclass(frozen=True)
class Job:
    """The work of each task of a Slurm job; Slurm gets it as a pickle."""

    words: tuple[str, ...]
    folder: Path

    def __call__(self) -> None:
        """Train and score; exit with the code of a failure, so that no dependent job starts."""
        from submitit.helpers import TorchDistributedEnvironment

        environment = TorchDistributedEnvironment().export(
            set_cuda_visible_devices=False, overwrite=True
        )
        log = Path(read_job(self.folder)["log"])
        code = train_and_note(
            lambda: compose("train", self.words), self.folder, log, writes=environment.rank == 0
        )
        if code:
            raise SystemExit(code)

    def checkpoint(self) -> Any:
        """What submitit requeues when the job's time is up: the same work, which resumes."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)
