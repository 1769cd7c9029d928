"""A user's mistake: one clear line on stderr and exit code 2, never a traceback."""

import difflib
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


def closest(found: str, choices: Iterable[str]) -> str:
    """``did you mean '...'? ``, or nothing where no choice is near."""
    close = difflib.get_close_matches(found, list(choices), n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def exits_cleanly(main: Callable[..., object]) -> Callable[..., None]:
    """Turn an InputError that leaves ``main`` into one line on stderr and exit code 2."""

    @wraps(main)
    def wrapped(*args: object) -> None:
        try:
            main(*args)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    return wrapped
