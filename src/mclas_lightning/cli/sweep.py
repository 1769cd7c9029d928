"""``mclas sweep``: many runs with one command.

Modules are imported by the command that needs them: plan and status load no torch.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from mclas_lightning.cli.arguments import positive
from mclas_lightning.errors import INTERRUPTED, InputError
from mclas_lightning.runs.preemption import TERMINATED

FAILED_EXIT = 1  # exit code of a sweep in which a run failed

LAUNCHERS = ("local", "processes", "slurm")

STARTABLE = ("missing", "failed")

LAUNCHER_PREFIX = "hydra.launcher."  # of words for Slurm, which are no part of a run


def add_commands(commands: Any) -> None:
    """Add every command of ``mclas sweep`` to these subparsers."""
    plan = commands.add_parser("plan", help="the runs, their commands, order and cost")
    status = commands.add_parser("status", help="a grid of how each run stands; why some failed")
    run = commands.add_parser("run", help="do what is left; a finished run is never repeated")
    for command in (plan, status, run):
        command.add_argument(
            "words", nargs="+", metavar="FILE",
            help="sweep files, or their names in experiments/sweep; further words for every "
            "mclas-train, such as seed=0, or network=small",
        )  # fmt: skip
    status.add_argument("--json", action="store_true", help="state and command of each run")
    run.add_argument(
        "--only", type=_startable, default=STARTABLE,
        help="what is started: missing,failed (default), missing, or failed",
    )  # fmt: skip
    run.add_argument(
        "--launcher", choices=LAUNCHERS,
        help="one after the other (local), several at a time on this machine (processes), or Slurm "
        "(default: what suits the cores and the networks)",
    )  # fmt: skip
    run.add_argument(
        "--jobs", type=positive, help="runs at a time with --launcher processes (default: GPUs, 2)"
    )
    plan.set_defaults(run=_plan)
    status.set_defaults(run=_status)
    run.set_defaults(run=_run)


def _startable(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(STARTABLE):
        raise argparse.ArgumentTypeError(f"expected missing, failed, or missing,failed: {text}")
    return names


def _planned(arguments: argparse.Namespace) -> list:
    from mclas_lightning.sweep.plan import plan_runs

    files = [file for file in arguments.words if "=" not in file]
    if not files:
        raise InputError("name a sweep file, such as experiments/sweep/toy.yaml")
    words = [word for word in arguments.words if "=" in word]
    return plan_runs(files, [word for word in words if not word.startswith(LAUNCHER_PREFIX)])


def _plan(arguments: argparse.Namespace) -> None:
    from mclas_lightning.sweep.status import plan_lines

    for line in plan_lines(_planned(arguments)):
        print(line)


def _status(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.config.overrides import command
    from mclas_lightning.sweep.state import states
    from mclas_lightning.sweep.status import status_grid

    runs = _planned(arguments)
    found = states(runs)
    if not arguments.json:
        Console().print(status_grid(runs, found))
        return
    records = [
        {
            "run": str(run.folder),
            "state": found[run.folder].name,
            "detail": found[run.folder].detail,
            "command": command("mclas-train", run.words),
        }
        for run in runs
    ]
    print(json.dumps(records, indent=2))


def _run(arguments: argparse.Namespace) -> None:
    from mclas_lightning.sweep.state import states
    from mclas_lightning.sweep.status import other_run_lines, scoring_notes, state_counts
    from mclas_lightning.sweep.worker import warm_up

    runs = _planned(arguments)
    slurm = arguments.launcher == "slurm"
    of_launcher = [word for word in arguments.words if word.startswith(LAUNCHER_PREFIX)]
    if of_launcher and not slurm:
        raise InputError(f"{of_launcher[0]}: is a word for --launcher slurm")
    if arguments.jobs and arguments.launcher != "processes":
        raise InputError("--jobs: is a number of --launcher processes")
    found = states(runs)
    print(state_counts(found), *scoring_notes(runs, found), sep="\n", flush=True)
    if wrong := list(other_run_lines(runs, found)):
        raise _nothing_started(wrong)
    left = [run for run in runs if found[run.folder].name != "done"]
    if not left:
        return
    warm_up()
    if slurm:
        _submit(runs, left, of_launcher, arguments.only)
    else:
        _refuse(left, [], slurm=False)
        work(runs, _jobs(left, arguments), arguments.only)


def _submit(
    runs: Sequence[Any], left: Sequence[Any], words: Sequence[str], only: Sequence[str]
) -> None:
    from mclas_lightning.sweep import slurm

    _refuse(left, slurm.job_problems(left, words), slurm=True)
    number = slurm.submit(runs, words, only)
    print(f"{number} jobs are with Slurm; mclas sweep status shows how they stand")


def _refuse(left: Sequence[Any], wrong: list[str], *, slurm: bool) -> None:
    """InputError, after a line for each problem, where a run that is left has a problem."""
    from mclas_lightning.sweep.worker import run_problems_in_worker

    if wrong := [*wrong, *run_problems_in_worker(left, slurm)]:
        raise _nothing_started(wrong)


def _nothing_started(wrong: Sequence[str]) -> InputError:
    """Print a line for each problem; the InputError that counts them."""
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return InputError(f"nothing was started; problems: {len(wrong)}, see above")


def _jobs(left: Sequence[Any], arguments: argparse.Namespace) -> int:
    """The number of runs at a time on this machine; what nobody has asked for is printed."""
    from mclas_lightning.sweep.runner import gpu_numbers, share_of

    if arguments.launcher == "processes":
        return arguments.jobs or len(gpu_numbers()) or 2
    found = share_of(left) if arguments.launcher is None else None
    if found is None or found.jobs == 1:
        return 1
    print(
        f"{found}, for networks of this size; --launcher local does one after the other", flush=True
    )
    return found.jobs


def work(runs: Sequence[Any], jobs: int, only: Sequence[str] = STARTABLE) -> None:
    """Do what is left of the runs, ``jobs`` at a time on this machine; exits where one failed."""
    from mclas_lightning.sweep.runner import LocalSweep, Terminated
    from mclas_lightning.sweep.status import failure_lines, state_counts

    try:
        sweep = LocalSweep(runs, jobs, only)
        found = sweep.work()
    except (Terminated, KeyboardInterrupt) as asked:
        print("asked to end; start it again to go on", file=sys.stderr)
        sys.exit(TERMINATED if isinstance(asked, Terminated) else INTERRUPTED)
    print(state_counts(found))
    failures = list(failure_lines(runs, found))
    for line in failures:
        print(line, file=sys.stderr)
    if failures or sweep.undone(found):
        sys.exit(FAILED_EXIT)
