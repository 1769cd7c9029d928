"""Several processes that share the work of one command, as torchrun or Lightning started them."""

import os
from typing import TypeVar

import torch
import torch.distributed as dist

Item = TypeVar("Item")


def rank_and_world() -> tuple[int, int]:
    """This process's number, and how many there are."""
    if not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


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
