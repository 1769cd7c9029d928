"""Bars are for terminals; processes that are started leave Ctrl-C to the command."""

import io
import signal
import subprocess
import sys

import pytest

from mclas_lightning.progress import ctrl_c_for_this_process, progress_bar


@pytest.fixture(autouse=True)
def _ctrl_c():
    """Ctrl-C as in a terminal: a command that a shell starts with ``&`` ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_alone(monkeypatch):
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar(2, "reading", "texts") as bar:
            bar.update()
        assert ("reading" in stream.getvalue()) is drawn


def start_processes(ended: list[bool]) -> None:
    with ctrl_c_for_this_process():
        signal.raise_signal(signal.SIGINT)
        ended.append(True)


def test_ctrl_c_while_processes_start_is_heard_when_they_have_started():
    ended: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        start_processes(ended)
    assert ended == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_was_started_does_not_end_by_ctrl_c():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    with ctrl_c_for_this_process():
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.stdout, child.stderr) == ("goes on\n", "")
