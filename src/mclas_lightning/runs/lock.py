"""A run's folder belongs to one process at a time: ``lock.json`` in it says to which.

The lock is POSIX's (lockf), which the system ends with its process, however that dies: the file of
a killed process holds nothing. A cluster's shared file system passes the lock on to other machines.
The filelock library locks by flock, which a forked child, such as a worker of a data loader, goes
on holding after its parent was killed.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder

LOCK_FILE = "lock.json"


class Busy(InputError):
    """Another process works in the folder."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who works in a folder."""

    host: str
    pid: int
    slurm_job: str | None
    since: str

    def __str__(self) -> str:
        job = f", Slurm job {self.slurm_job}" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}, since {self.since}"

    @classmethod
    def this_process(cls) -> "Owner":
        """As a lock file describes it."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        job = os.environ.get("SLURM_JOB_ID")
        return cls(host=socket.gethostname(), pid=os.getpid(), slurm_job=job, since=now)


def owner(folder: Path) -> Owner | None:
    """The living process that holds the lock of ``folder``; another process must ask."""
    try:
        with (folder / LOCK_FILE).open("r+", encoding="utf-8") as file:
            if _acquire(file.fileno()):
                return None
            return Owner(**json.load(file))
    except (OSError, ValueError, TypeError):  # The owner is just ending, or just beginning.
        return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder``, made if need be; Busy where another process holds it.

    Folders that were made for the lock are removed at the end, where they are still empty.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    path = folder / LOCK_FILE
    descriptor = _open(path)
    try:
        text = json.dumps(asdict(Owner.this_process()))
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{text}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):
            for place in made:
                place.rmdir()


def _open(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _acquire(descriptor):
            os.close(descriptor)
            who = owner(path.parent) or "another process"
            raise Busy(f"{path.parent}: is being worked on ({who}); wait for it, or end it")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)  # The last owner removed the file after it was opened.


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # On a file system without locks, every process gets one.
        return True
    return True
