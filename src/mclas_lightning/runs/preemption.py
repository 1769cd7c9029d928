"""Signals that ask a run to save and end; the same command resumes the run later.

    SIGTERM   of every scheduler and of ``kill``                      exit code 143
    SIGUSR1   what Slurm is often told to send before the time limit  exit code 143
    SIGUSR2   of submitit                                             exit code 143
    SIGINT    Ctrl-C; a second one ends the run at once               exit code 130

The handlers that were installed before are called once the run is saved. That of submitit asks
Slurm to requeue the job.
"""

import os
import signal
from types import TracebackType

from mclas_lightning.errors import INTERRUPTED

TERMINATED = 143  # exit code of a preempted run: 128 + SIGTERM, as of a shell

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]


class Preempted(SystemExit):
    """The exit of a run that a signal asked to end, after it has saved."""


class Preemption:
    """A context manager with the signal handlers of a run.

    A signal raises Preempted at once. While ``saving`` is set, the handler only sets ``asked``: the
    training loop reads ``asked`` after the update, saves, and calls ``check``. A second Ctrl-C
    raises at once; any other second signal changes nothing.
    """

    def __init__(self, says: bool = True) -> None:
        self.says = says  # whether this process prints that it heard Ctrl-C: rank zero's task
        self.asked: int | None = None  # number of the first signal
        self.saving = False  # whether the training loop reads ``asked`` after each update
        self._others: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> "Preemption":
        # A sweep's workers ignore SIGINT, because their parent handles Ctrl-C.
        ignored = {n for n in (signal.SIGINT,) if signal.getsignal(n) is signal.SIG_IGN}
        self._others = {n: signal.getsignal(n) for n in SIGNALS if n not in ignored}
        self.listen()
        return self

    def listen(self) -> None:
        """Install the handlers; a second call takes them back from a library, such as Lightning."""
        for number in self._others:
            signal.signal(number, self._hear)

    @property
    def code(self) -> int | None:
        """The exit code of the first signal, if one came."""
        if self.asked is None:
            return None
        return INTERRUPTED if self.asked == signal.SIGINT else TERMINATED

    def check(self) -> None:
        """Raise Preempted where a signal came while ``saving``."""
        if self.code is not None:
            raise Preempted(self.code)

    def _hear(self, number: int, frame: object) -> None:
        again = number == self.asked == signal.SIGINT
        self.asked = self.asked or number
        if again or not self.saving:
            self.check()
        if self.says and number == signal.SIGINT:
            # print is not reentrant: the signal may have interrupted another print.
            os.write(2, b"\ninterrupted: saving at the end of this update; Ctrl-C again: at once\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        for number, other in self._others.items():
            signal.signal(number, other)
        other = self._others.get(self.asked or 0)
        if kind is Preempted and callable(other) and self.asked != signal.SIGINT:
            other(self.asked or 0, None)
