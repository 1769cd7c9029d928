"""Several processes that share the work of one command, as torchrun or Lightning started them."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from mclas_lightning.errors import InputError

Item = TypeVar("Item")


def rank_and_world() -> tuple[int, int]:
    """This process's number, and how many there are."""
    if not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def is_rank_zero() -> bool:
    """Whether this process is the first, by what its launcher says, before any has met another."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0


def processes(trainer: Mapping[str, Any]) -> int:
    """Processes on each node that a Trainer with these arguments consists of."""
    devices = trainer.get("devices", 1)
    if isinstance(devices, list):
        return len(devices)
    if isinstance(devices, int) and devices > 0:
        return devices
    if isinstance(devices, str) and "," in devices:
        return len([number for number in devices.split(",") if number.strip()])
    on_cpu = trainer.get("accelerator") == "cpu"
    return 1 if on_cpu else max(torch.cuda.device_count(), 1)  # -1 and auto: all that are there


def check_processes(trainer: Mapping[str, Any]) -> None:
    """InputError where Lightning would start processes itself, each to repeat all runs."""
    here, nodes = processes(trainer), trainer.get("num_nodes", 1)
    launched = "TORCHELASTIC_RUN_ID" in os.environ or "SLURM_NTASKS" in os.environ
    if here * nodes > 1 and not launched:
        raise InputError(
            f"trainer.devices={trainer.get('devices')}, trainer.num_nodes={nodes}: among other "
            f"runs, one of several processes needs a launcher that starts them: launcher=slurm, or "
            f"mclas sweep run --launcher slurm; a single run can be started by torchrun"
        )


def merged(own: list[Item], total: int) -> list[Item]:
    """All items, of which each process has every ``world``-th, from its own number on.

    No sampler repeats items to even out the processes, so there are exactly ``total``.
    """
    rank, world = rank_and_world()
    if world == 1:
        return own
    parts: list[list[Item]] = [[] for _ in range(world)]
    # Texts are gathered through gloo, whatever the gradients went through.
    dist.all_gather_object(parts, own, group=dist.new_group(backend="gloo"))
    found = [parts[index % world][index // world] for index in range(total)]
    assert sum(map(len, parts)) == len(found) == total, f"rank {rank}: items were lost"
    return found


def is_first() -> bool:
    """Whether this process writes and prints."""
    return rank_and_world()[0] == 0


def leave() -> None:
    """End the work with the others; the threads of a process that just exits may abort it."""
    if dist.is_initialized():
        dist.destroy_process_group()


def device_of(accelerator: object, devices: object) -> torch.device:
    """Where this process summarizes: its own of the devices that a Trainer may use."""
    if accelerator == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    local = int(os.environ.get("LOCAL_RANK", "0"))
    return torch.device("cuda", devices[local] if isinstance(devices, list) else local)
