"""``make mutants``: mutation testing by mutmut, where a mutant meets the tests of its own room.

The tests of other rooms reach most of the code, too, and take a hundred times as long. Where a
mutant's own room has no test that reaches it, all others are run.
"""

from math import ceil

from mutmut.__main__ import cli  # pyright: ignore[reportMissingImports]
from mutmut.state import state  # pyright: ignore[reportMissingImports]
from mutmut.workers.isolation import ForkRunner  # pyright: ignore[reportMissingImports]

submit = ForkRunner.submit


def submit_to_own_room(
    self: ForkRunner, mutant_name: str, tests: list[str], cpu_time_limit: int, estimated_time: float
) -> None:
    """As ``ForkRunner.submit``, with limits for the tests of the room instead of all."""
    room = mutant_name.split(".")[1]
    own = [test for test in tests if test.startswith((f"tests/{room}/", f"tests/test_{room}.py"))]
    own = own or tests
    time = sum(state().duration_by_test[test] for test in own)
    share = (time + 1) / (estimated_time + 1)  # mutmut allows a second more, times a number.
    submit(self, mutant_name, own, ceil(share * cpu_time_limit), time)


ForkRunner.submit = submit_to_own_room

if __name__ == "__main__":
    cli()
