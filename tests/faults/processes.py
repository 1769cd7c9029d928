"""Commands in processes that meet a fault, forked from one that has imported all modules."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WRITING = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate")

SECONDS = 300  # after which a command hangs


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command has ended."""

    code: int  # minus the signal that ended it
    printed: str
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether it was killed, has succeeded, or has named each mistake in one line."""
        errors = [x for x in self.printed.splitlines() if x.startswith(("error: ", "failed: "))]
        refused = self.code in (1, 2) and bool(errors)
        return "Traceback" not in self.printed and (self.code in (-9, 0) or refused)


class Running:
    """A command in a process of its own, in ``place``, whose fault begins with ``arm``."""

    def __init__(
        self,
        run: Callable[[], None],
        place: Path,
        arm: Callable[[], object] = lambda: None,
        log: Path | None = None,
    ) -> None:
        self.begun = time.monotonic()
        self.log = log or place.with_suffix(".log")
        self.log.touch()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.chdir(place)
            _print_to(self.log)
            arm()
            _exit_of(run)

    def end(self, kill_after: float | None = None) -> Ended:
        """Wait until it has ended; SIGKILL to it and its children after ``kill_after`` seconds."""
        until = SECONDS if kill_after is None else kill_after
        while not (found := os.waitpid(self.pid, os.WNOHANG))[0]:
            if time.monotonic() - self.begun > until:
                os.kill(self.pid, signal.SIGKILL)
                found = os.waitpid(self.pid, 0)
                break
            time.sleep(0.005)
        seconds = time.monotonic() - self.begun
        _end_group(self.pid)
        printed = self.log.read_text(errors="replace")
        if kill_after is None and seconds > SECONDS:
            printed += "\nTraceback: it hangs"
        return Ended(code=os.waitstatus_to_exitcode(found[1]), printed=printed, seconds=seconds)


def on_operations(act: Callable[[int, Path], object]) -> None:
    """Call ``act`` before each operation that changes a file below the current folder.

    ``act`` gets the number of the operation and its path. Only the command's own process counts.
    """
    seen, own, here = 0, os.getpid(), Path.cwd()

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        changes = event in WRITING or (event == "open" and writes(arguments[2]))
        if not changes or os.getpid() != own or not isinstance(arguments[0], str | os.PathLike):
            return
        path = here / os.fspath(arguments[0])
        if here in path.parents:
            seen += 1
            act(seen, path)

    sys.addaudithook(hook)


def writes(flags: object) -> bool:
    """Whether a file that is opened with these flags may be changed."""
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _print_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    # pytest puts streams of its own in the place of these.
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", 1, closefd=False) for stream in (1, 2))


def _exit_of(run: Callable[[], None]) -> None:
    """End this process as Python ends a program."""
    code = 0
    try:
        run()
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else bool(exit.code)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _end_group(pid: int) -> None:
    """End what the command has left behind."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
