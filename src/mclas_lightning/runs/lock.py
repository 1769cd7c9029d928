"""The lock of a run's folder, for one process at a time; ``lock.json`` names the owner.

The lock is a POSIX record lock (lockf) on ``lock.json``. The kernel releases it when its process
ends, even by SIGKILL, so that a ``lock.json`` left behind locks nothing. Shared file systems such
as NFS pass POSIX locks on to other machines. The filelock library locks by flock instead, which a
forked child, such as a worker of a data loader, still holds after its parent was killed.
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


class FolderBusy(InputError):
    """The error for a folder that another process has locked."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The process that holds a lock, as ``lock.json`` describes it."""

    host: str
    pid: int
    slurm_job: str | None
    since: str

    def __str__(self) -> str:
        job = f", Slurm job {self.slurm_job}" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}, since {self.since}"

    @classmethod
    def this_process(cls) -> "Owner":
        """The owner that this process is."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        job = os.environ.get("SLURM_JOB_ID")
        return cls(host=socket.gethostname(), pid=os.getpid(), slurm_job=job, since=now)


def lock_owner(folder: Path) -> Owner | None:
    """The living process that holds the lock of ``folder``; None where no process does.

    The owner itself must not ask: a POSIX lock never blocks its own process, and the test for the
    lock would release it.
    """
    try:
        with (folder / LOCK_FILE).open("r+", encoding="utf-8") as file:
            if _acquire(file.fileno()):
                return None
            return Owner(**json.load(file))
    except (OSError, ValueError, TypeError):  # no lock.json, or a half-written one
        return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` during the block; FolderBusy where another process holds it.

    Missing folders are created, and removed at the end if they are still empty.
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
            who = lock_owner(path.parent) or "another process"
            raise FolderBusy(f"{path.parent}: is being worked on ({who}); wait for it, or end it")
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)  # The previous owner removed the file between opening and locking.


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # On a file system without locks, every process may work.
        return True
    return True
