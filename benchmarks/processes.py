"""Processes of one distributed job, with the environment variables that torchrun sets."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence


def start(
    module: Sequence[str], processes: int, *, threads: int = 1, first: int = subprocess.DEVNULL
) -> list[subprocess.Popen]:
    """Start ``python -m`` with these words in each process; ``first`` gets rank zero's output."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    job = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes), "GROUP_RANK": "0", "OMP_NUM_THREADS": str(threads),
    }  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, "-m", *module],
            env={**os.environ, **job, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=first if rank == 0 else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for rank in range(processes)
    ]
