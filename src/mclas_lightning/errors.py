"""Errors by a user's mistake, which end a command with one line on stderr and exit code 2."""

import difflib
import errno
import io
import math
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk, a quota, a limit of file sizes

# Errors of a file that another process has deleted, renamed or made read-only, or of a broken disk.
LOST = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EROFS, errno.EACCES, errno.EIO)

FEW_CHOICES = 20  # choices that an error lists

NEAR_CHOICES = 5  # near choices that an error names where there are more than it lists

INTERRUPTED = 130  # exit code after Ctrl-C: 128 + SIGINT, as of a shell

SIGPIPE_EXIT = 141  # exit code of a program that SIGPIPE (13) ends: 128 + 13


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class InputError(ValueError):
    """Unusable input; its message is one line: what, where, expected, found, what to do.

    Control characters of what was found, which a terminal would obey, are shown as escapes.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_CONTROL.sub(lambda found: ascii(found[0])[1:-1], message))


class ErrorElsewhere(InputError):
    """The error in a process whose sibling has met an error, which the sibling prints."""


def unknown_choice(
    what: str,
    found: object,
    choices: Iterable[str],
    listed: str = "",
    state: str = "does not exist",
) -> InputError:
    """The error for a name that is not among ``choices``, with the closest one suggested.

    Of more than 20 choices, only the nearest are named; ``listed`` says where all of them are.
    """
    names = sorted(set(choices))
    hint = did_you_mean(str(found), names)
    if len(names) <= FEW_CHOICES:
        shown = ", ".join(names)
    else:
        near = difflib.get_close_matches(str(found), names, n=NEAR_CHOICES) or names[:NEAR_CHOICES]
        shown = f"{', '.join(near)}, ... ({len(names)} in all{f'; {listed}' if listed else ''})"
    return InputError(f"{what} '{found}' {state}; {hint}choose from: {shown}")


def check_range(what: str, value: float, least: float, most: float = math.inf) -> None:
    """InputError where ``value`` is not from ``least`` to ``most``; nan and infinity are not."""
    if not least <= value <= most or value == math.inf:
        limit = f"from {least:.15g} to {most:.15g}" if most < math.inf else f"{least:.15g} or more"
        raise InputError(f"{what}: expected {limit}, found {value}")


def did_you_mean(found: str, choices: Iterable[str]) -> str:
    """``did you mean '...'? ``, or nothing where no choice is near."""
    close = difflib.get_close_matches(found, list(choices), n=1)
    return f"did you mean '{close[0]}'? " if close else ""


def first_few(words: Sequence[str], most: int = 3, separator: str = ", ") -> str:
    """The first ``most`` of ``words``, and the number of the others."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return separator.join(words[:most]) + more


def first_line(error: object) -> str:
    """The first line of an error's message, or the name of its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def clear_when_unreadable(path: object) -> Iterator[None]:
    """Turn the error of a file that cannot be read into an InputError on ``path``."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def exits_cleanly(main: Callable[..., object]) -> Callable[..., None]:
    """Turn an InputError that leaves ``main`` into one line on stderr and exit code 2.

    Ctrl-C is no mistake and no bug: exit code 130, as shells have it.
    """

    @wraps(main)
    def wrapped(*args: object) -> None:
        escape_unwritable()
        with _ends_with_its_reader():
            try:
                main(*args)
                _flush()
            except InputError as error:
                if not isinstance(error, ErrorElsewhere):
                    print(f"error: {error}", file=sys.stderr)
                sys.exit(2)
            except KeyboardInterrupt:
                # A second Ctrl-C would end the exit itself by SIGINT, with another exit code.
                signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
                print("interrupted", file=sys.stderr)
                sys.exit(INTERRUPTED)
            except OSError as error:
                lost = error.errno in LOST and error.filename is not None
                if error.errno not in (*DISK_FULL, errno.ENAMETOOLONG) and not lost:
                    raise
                advice = "; was it deleted, renamed or locked away meanwhile?" if lost else ""
                what = ascii(str(error.filename or "output"))[1:-1]
                print(f"error: {what}: {error.strerror}{advice}", file=sys.stderr)
                _discard_output()
                sys.exit(2)

    return wrapped


@exits_cleanly
def run_main(module: str) -> None:
    """``main()`` of a module that takes a while to import: Ctrl-C is heard meanwhile, too.

    A KeyboardInterrupt inside an extension module's import may end as another error or an abort, so
    that Ctrl-C ends the process at once until all is imported.
    """
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)
    main = import_module(module).main
    signal.signal(signal.SIGINT, heard)
    main()


def _end_at_once(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def escape_unwritable() -> None:
    """Let stdout and stderr write an escape (``\\xe4``) for a character their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _ends_with_its_reader() -> Iterator[None]:
    """End quietly, with the exit code of SIGPIPE, once the reader of stdout (``head``) has gone.

    The default action of SIGPIPE would also end a training whose logger loses its server.
    """
    try:
        yield
    except BrokenPipeError:
        if not any(map(_unread, (1, 2))):
            raise
    except SystemExit as exit:
        # rich.Console catches a broken pipe, sends the rest to /dev/null and exits with 1.
        if not isinstance(exit.__context__, BrokenPipeError) and _flushed():
            raise
    else:
        return
    _discard_output()
    sys.exit(SIGPIPE_EXIT)


def _unread(descriptor: int) -> bool:
    """Whether the descriptor is a pipe without a reader."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the shell: >&-
            stream.flush()


def _flushed() -> bool:
    try:
        _flush()
    except BrokenPipeError:
        return False
    return True


def _discard_output() -> None:
    """Redirect stdout and stderr to /dev/null, so that Python's flush at exit does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
