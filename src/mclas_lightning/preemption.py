"""Signals that ask a run to end: it saves, exits with 143, and the same command goes on with it.

SIGTERM is everyone's, SIGUSR2 submitit's, and SIGUSR1 what Slurm is often told to send before the
time is up. The others' handlers still hear of a signal, once the run is saved: submitit's asks
Slurm for another turn, so that there is one who does.
"""

import signal
from types import TracebackType

TERMINATED = 143  # 128 + SIGTERM: a preempted run must not look finished.
SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)
]


class Preempted(SystemExit):
    """The run was asked to end, and has saved what it had."""

    def __init__(self) -> None:
        super().__init__(TERMINATED)


class Preemption:
    """Hears the signals while it is entered; raises Preempted at once, or when ``saving`` allows.

    A signal that comes again changes nothing.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.saving = False  # Who sets it looks at ``asked`` and saves first.
        self._others: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> "Preemption":
        self._others = {number: signal.getsignal(number) for number in SIGNALS}
        self.listen()
        return self

    def listen(self) -> None:
        """Take the signals; again, where someone else has taken them since."""
        for number in SIGNALS:
            signal.signal(number, self._hear)

    def check(self) -> None:
        """Raise what was put off."""
        if self.asked is not None:
            raise Preempted

    def _hear(self, number: int, frame: object) -> None:
        self.asked = self.asked or number
        if not self.saving:
            raise Preempted

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        for number, other in self._others.items():
            signal.signal(number, other)
        other = self._others.get(self.asked or 0)
        if kind is Preempted and callable(other):
            other(self.asked or 0, None)
