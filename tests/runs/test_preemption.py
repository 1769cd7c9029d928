import os
import signal
from collections.abc import Callable, Iterator

import pytest

from mclas_lightning.errors import INTERRUPTED
from mclas_lightning.runs.preemption import SIGNALS, TERMINATED, Preempted, Preemption

OTHERS = [number for number in SIGNALS if number != signal.SIGINT]


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[int]]:
    """The signals that whoever listened before the run has heard of."""
    heard: list[int] = []
    before = {n: signal.signal(n, lambda number, frame: heard.append(number)) for n in SIGNALS}
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def exit_code(happens: Callable[[Preemption], object], says: bool = True) -> object:
    """That of a run in which this happens; None where it goes on."""
    try:
        with Preemption(says=says) as preemption:
            happens(preemption)
    except Preempted as ended:
        return ended.code
    return None


def saving(*numbers: int) -> Callable[[Preemption], None]:
    """These signals come while the run saves after each update; after the last it asks."""

    def happens(preemption: Preemption) -> None:
        preemption.saving = True
        preemption.check()
        for number in numbers:
            send(number)
        assert preemption.asked == numbers[0]
        preemption.check()

    return happens


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_run_that_saves_nothing_at_once(number, heard):
    went_on: list[bool] = []
    code = exit_code(lambda _: went_on.append(send(number) is None))
    assert code == (INTERRUPTED if number == signal.SIGINT else TERMINATED)
    assert went_on == []
    # Ctrl-C is for the run alone; the others may mean more, such as another turn of Slurm's.
    assert heard == ([] if number == signal.SIGINT else [number])


@pytest.mark.parametrize("number", OTHERS)
def test_a_run_that_saves_ends_where_it_asks(number, heard):
    assert exit_code(saving(number, number)) == TERMINATED
    assert heard == [number]


@pytest.mark.parametrize("says", [True, False])
def test_ctrl_c_is_answered_once_and_a_second_one_ends_at_once(says, capfd):
    went_on: list[bool] = []

    def happens(preemption: Preemption) -> None:
        preemption.saving = True
        for _ in range(3):
            went_on.append(send(signal.SIGINT) is None)

    assert exit_code(happens, says) == INTERRUPTED
    assert went_on == [True]
    assert capfd.readouterr().err.count("interrupted: saving at the end of this update") == says


def test_the_first_signal_names_the_exit_code():
    assert exit_code(saving(signal.SIGTERM, signal.SIGINT)) == TERMINATED
    assert exit_code(saving(signal.SIGINT, signal.SIGTERM)) == INTERRUPTED


def test_who_listened_before_listens_again(heard):
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with Preemption() as preemption:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # As a library does
        preemption.listen()
        assert all(signal.getsignal(number) != before[number] for number in SIGNALS)
    assert {number: signal.getsignal(number) for number in SIGNALS} == before
    assert heard == []


def test_an_ignored_ctrl_c_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Preemption() as preemption:
        send(signal.SIGINT)
        assert preemption.asked is None
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
