"""Locks: of a run's folder, whose ``lock.json`` names the owner, and of what is made once.

The lock of a folder is a POSIX record lock (lockf) on ``lock.json``. The kernel releases it when
its process ends, even by SIGKILL, so that a ``lock.json`` left behind locks nothing. Shared file
systems such as NFS pass POSIX locks on to other machines. The filelock library, by which one
process makes what several need, locks by flock instead, which a forked child, such as a worker of a
data loader, still holds after its parent was killed.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder

LOCK_FILE = "lock.json"

_HELD: dict[Path, int] = {}  # descriptors of the folders that this process has locked

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP)  # of a file system without locks


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
        _HELD[folder] = descriptor
        yield
    finally:
        _HELD.pop(folder, None)
        if _is_open_as(descriptor, path):  # In a folder that was made anew, it is another owner's.
            path.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):
            for place in made:
                place.rmdir()


def check_still_there(folder: Path) -> None:
    """InputError where a folder that this process has locked was deleted or renamed meanwhile.

    A file that says how far a run is would stand, in a folder that was made anew, without those
    before it.
    """
    if folder not in _HELD or _is_open_as(_HELD[folder], folder / LOCK_FILE):
        return
    raise InputError(
        f"{folder}: was deleted or renamed while this process worked in it; start it again"
    )


@contextmanager
def one_at_a_time(path: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the lock of the file ``path``; on a file system without locks, every process may work.

    ``filelock.Timeout`` where another process holds it after ``timeout`` seconds.
    """
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(path, timeout=timeout))
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield


def _open(path: Path) -> int:
    refused = 0
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _acquire(descriptor):
            os.close(descriptor)
            who, refused = lock_owner(path.parent), refused + 1
            if who is None and refused < 100:  # A process that asks for the owner holds it briefly.
                time.sleep(0.01)
                continue
            who = who or "another process"
            raise FolderBusy(f"{path.parent}: is being worked on ({who}); wait for it, or end it")
        if _is_open_as(descriptor, path):
            return descriptor
        os.close(descriptor)  # The previous owner removed the file between opening and locking.


def _is_open_as(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at ``path``, or cannot be told from it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError as error:
        return not isinstance(error, (FileNotFoundError, NotADirectoryError))


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # On a file system without locks, every process may work.
        return True
    return True
