"""Processes that share the work of one command, as torchrun, srun or Lightning started them."""

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from mclas_lightning.errors import ErrorElsewhere, InputError
from mclas_lightning.progress import devices_named

Item = TypeVar("Item")


def rank_and_world() -> tuple[int, int]:
    """Rank of this process and number of processes."""
    if dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    # Lightning tells a process that it starts only its rank on this machine.
    of_lightning = _launcher_number("LOCAL_RANK", "SLURM_PROCID", 0)
    rank = _launcher_number("RANK", "SLURM_PROCID", of_lightning)
    return rank, _launcher_number("WORLD_SIZE", "SLURM_NTASKS", 1)


def _launcher_number(torchrun: str, srun: str, otherwise: int) -> int:
    """An environment variable of torchrun, else one of srun, else ``otherwise``.

    Slurm sets the same variables for batch scripts and shells, which are no task of a step: srun's
    variable counts inside a step only.
    """
    shell = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    task = "SLURM_STEP_ID" in os.environ and not shell
    found = os.environ.get(torchrun) or (os.environ.get(srun) if task else None)
    return otherwise if found is None else int(found)


def connect() -> None:
    """Form the gloo process group, unless there is one or this process is alone."""
    rank, world = rank_and_world()
    if dist.is_initialized() or world == 1:
        return
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo")  # torchrun says where.
        return
    place = f"tcp://{slurm_address(os.environ)}"
    dist.init_process_group("gloo", init_method=place, rank=rank, world_size=world)


def slurm_address(said: Mapping[str, str]) -> str:
    """Host and port where the tasks of a Slurm job meet, as Lightning chooses them."""
    nodes = said.get("SLURM_STEP_NODELIST") or said.get("SLURM_NODELIST", "127.0.0.1")
    # The first of "gpu[03-05,9],big1" is gpu03.
    first = re.sub(r"\[(\w+)[^]]*\]", r"\1", nodes).split(",")[0]
    port = 15000 + int(said["SLURM_JOB_ID"][-4:])
    return f"{said.get('MASTER_ADDR', first)}:{said.get('MASTER_PORT', port)}"


def processes_per_node(trainer: Mapping[str, Any]) -> int:
    """The number of processes on each node for a Trainer with these arguments."""
    if named := devices_named(trainer.get("devices", 1)):
        return named
    on_cpu = trainer.get("accelerator") == "cpu"
    return 1 if on_cpu else max(torch.cuda.device_count(), 1)  # -1 and auto: all that are there


def check_processes(trainer: Mapping[str, Any]) -> None:
    """InputError where Lightning would start processes itself, each to repeat all runs."""
    here, nodes = processes_per_node(trainer), trainer.get("num_nodes", 1)
    launched = "TORCHELASTIC_RUN_ID" in os.environ or "SLURM_NTASKS" in os.environ
    if here * nodes > 1 and not launched:
        raise InputError(
            f"trainer.devices={trainer.get('devices')}, trainer.num_nodes={nodes}: among other "
            f"runs, one of several processes needs a launcher that starts them: launcher=slurm, or "
            f"mclas sweep run --launcher slurm; a single run can be started by torchrun"
        )


def gather_shares(own: list[Item], total: int) -> list[Item]:
    """All items in order, by an all-gather; process ``rank`` has items rank, rank + world, ...

    No sampler repeats items to even out the processes, so there are exactly ``total``.
    """
    connect()
    parts = gathered(own, host_group())
    assert sum(map(len, parts)) == total, "items were lost"
    return [parts[index % len(parts)][index // len(parts)] for index in range(total)]


@contextmanager
def fail_together() -> Iterator[None]:
    """A block that fails in all processes if it fails in one: the others raise ErrorElsewhere.

    Without the block, the others would wait for a failed process at their next collective operation
    until it times out. The processes meet in a key-value store, because Lightning forms the process
    group later. Processes that Lightning starts itself do not exist yet: rank zero runs alone.
    """
    rank, world = rank_and_world()
    started = "RANK" in os.environ or _launcher_number("RANK", "SLURM_PROCID", -1) >= 0
    if world == 1 or not (started or dist.is_initialized()):
        yield
        return
    store, block = _store(rank, world), next(_BLOCKS)
    outcome = "failed"
    try:
        yield
        outcome = "well"
    finally:
        store.set(f"{block}/{rank}", outcome)
    try:
        outcomes = [store.get(f"{block}/{other}") for other in range(world)]
    except RuntimeError:  # Rank zero, which holds the store, has ended.
        outcomes = [b"failed"]
    if b"failed" in outcomes:
        raise ErrorElsewhere("another process has met an error")


_BLOCKS = itertools.count()  # All processes enter the same blocks in the same order.


@cache
def _store(rank: int, world: int) -> Store:
    # torchrun and Lightning set the address of rank zero; srun does not.
    said = {"MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    place = "env://" if said else f"tcp://{slurm_address(os.environ)}"
    store, _, _ = next(rendezvous(place, rank, world))
    # One process may tokenize a corpus while the others wait.
    store.set_timeout(timedelta(hours=2))
    return PrefixStore("mclas_lightning", store)


def host_group() -> dist.ProcessGroup | None:
    """A gloo group of all processes, for objects on the host; None where there is one process."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return None
    # gloo gathers objects on the host, also where gradients use NCCL.
    group = dist.new_group(backend="gloo")
    assert isinstance(group, dist.ProcessGroup)
    return group


def gathered(own: Item, group: dist.ProcessGroup | None) -> list[Item]:
    """The ``own`` of every process, in the order of ranks, by an all-gather."""
    if group is None:
        return [own]
    found: list[Item] = [own] * dist.get_world_size()
    dist.all_gather_object(found, own, group=group)
    return found


def raise_together(error: InputError | None, group: dist.ProcessGroup | None) -> None:
    """Raise ``error`` on the rank that has one, and ErrorElsewhere on all other ranks."""
    failed = any(gathered(error is not None, group))
    if error is not None:
        raise error
    if failed:
        raise ErrorElsewhere("another process has met an error")


def is_rank_zero() -> bool:
    """Whether this process is rank zero, which writes and prints."""
    return rank_and_world()[0] == 0


def leave_process_group() -> None:
    """Destroy the process group: its threads may abort a process that exits with it."""
    if dist.is_initialized():
        dist.destroy_process_group()


def device_of(accelerator: object, devices: object) -> torch.device:
    """The device that this process summarizes on: its share of the Trainer's devices."""
    if accelerator == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    local = _launcher_number("LOCAL_RANK", "SLURM_LOCALID", 0)
    if isinstance(devices, list) or (isinstance(devices, str) and "," in devices):
        return torch.device("cuda", _named_gpu(devices, local))
    return torch.device("cuda", local)


def _named_gpu(devices: str | list[Any], local: int) -> int:
    """The GPU of this process in a list such as ``[1]`` or ``"1,"``, as the Trainer reads it."""
    here = torch.cuda.device_count()
    try:
        numbers = devices.split(",") if isinstance(devices, str) else devices
        gpu = [int(number) for number in numbers if str(number).strip()][local]
    except ValueError as error:
        raise InputError(f"trainer.devices={devices}: expected numbers of GPUs") from error
    except IndexError as error:
        raise InputError(
            f"trainer.devices={devices}: names no GPU for process {local + 1} of this machine"
        ) from error
    if not 0 <= gpu < here:
        raise InputError(
            f"trainer.devices={devices}: there is no GPU {gpu}, this machine has {here}"
        )
    return gpu
