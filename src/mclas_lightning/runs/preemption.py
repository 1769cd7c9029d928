"""Signals that ask a run to end: it saves and ends, and the same command goes on with it.

SIGTERM is everyone's, SIGUSR2 submitit's, and SIGUSR1 what Slurm is often told to send before the
time is up: the exit code is 143. SIGINT is Ctrl-C: the exit code is 130, and a second one ends the
run at once. The handlers that listened before, such as submitit's, hear of a signal once the run is
saved: submitit's asks Slurm for another turn, so that one handler alone does.
"""

import os
import signal
from types import TracebackType

TERMINATED = 143  # 128 + SIGTERM: a preempted run must not look finished.

INTERRUPTED = 130  # 128 + SIGINT, as shells have it

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]


class Preempted(SystemExit):
    """The run was asked to end, and has saved what it had."""

    def __init__(self, code: int = TERMINATED) -> None:
        super().__init__(code)


class Preemption:
    """Signal handlers of a run, while it is entered.

    A signal raises Preempted at once. While ``saving``, it only sets ``asked``: the training loop
    reads that after the update, saves, and raises. A second Ctrl-C raises at once; any other second
    signal changes nothing.
    """

    def __init__(self, says: bool = True) -> None:
        self.says = says  # only rank zero prints
        self.asked: int | None = None
        self.saving = False  # The owner of a training reads ``asked`` after each update, and saves.
        self._others: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> "Preemption":
        # Where SIGINT is ignored, as in a sweep's workers, another process hears Ctrl-C.
        ignored = {n for n in (signal.SIGINT,) if signal.getsignal(n) is signal.SIG_IGN}
        self._others = {n: signal.getsignal(n) for n in SIGNALS if n not in ignored}
        self.listen()
        return self

    def listen(self) -> None:
        """Install the handlers, again where a library has replaced them since."""
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
            # os.write is safe in a signal handler; print may be what the signal interrupted.
            os.write(2, b"\ninterrupted: saving at the end of this update; Ctrl-C again: at once\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        for number, other in self._others.items():
            signal.signal(number, other)
        other = self._others.get(self.asked or 0)
        if kind is Preempted and callable(other) and self.asked != signal.SIGINT:
            other(self.asked or 0, None)
