"""A user's mistake: one clear line on stderr and exit code 2, never a traceback."""

import difflib
import math
import sys
from collections.abc import Callable, Iterable
from functools import wraps


class InputError(ValueError):
    """Unusable input; its message is one line: what, where, expected, found, what to do."""


def one_of(what: str, found: object, choices: Iterable[str]) -> InputError:
    """The error for a name that is not among ``choices``, with the closest one suggested."""
    names = sorted(choices)
    hint = closest(str(found), names)
    return InputError(f"{what} '{found}' does not exist; {hint}choose from: {', '.join(names)}")


def check_range(what: str, value: float, least: float, most: float = math.inf) -> None:
    """InputError where ``value`` is not from ``least`` to ``most``; nan is not."""
    if not least <= value <= most:
        limit = f"from {least:g} to {most:g}" if most < math.inf else f"{least:g} or more"
        raise InputError(f"{what}: expected {limit}, found {value}")


def closest(found: str, choices: Iterable[str]) -> str:
    """``did you mean '...'? ``, or nothing where no choice is near."""
    close = difflib.get_close_matches(found, list(choices), n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def exits_cleanly(main: Callable[..., object]) -> Callable[..., None]:
    """Turn an InputError that leaves ``main`` into one line on stderr and exit code 2.

    Ctrl-C is no mistake and no bug: exit code 130, as shells have it.
    """

    @wraps(main)
    def wrapped(*args: object) -> None:
        try:
            main(*args)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)

    return wrapped
