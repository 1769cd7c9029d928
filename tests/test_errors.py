import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from mclas_lightning.errors import (
    SIGPIPE_EXIT,
    InputError,
    check_range,
    exits_cleanly,
    first_few,
    first_line,
    unknown_choice,
)

PRINTED = {
    "print": "print('x' * size)",
    # In words: rich takes a minute to break one of 100,000 letters.
    "rich": "from rich.console import Console; Console().print('four ' * -(-size // 5))",
    "exit": "print('x' * size); raise SystemExit(1)",
}


def run(body: str, stdout: int | IO = subprocess.PIPE, **environment: str):
    lines = (
        "from mclas_lightning import errors",
        "@errors.exits_cleanly",
        f"def main(size): {body}",
        "main(int(__import__('sys').argv[1]))",
    )
    size = environment.pop("size", "1")
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines), size],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


@pytest.fixture
def unread():
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("size", ["1", "100000"])
@pytest.mark.parametrize("how", ["print", "rich", "exit"])
def test_a_reader_that_has_gone_ends_a_command_quietly(unread, how, size):
    done = run(PRINTED[how], stdout=unread, size=size)
    assert (done.returncode, done.stderr) == (SIGPIPE_EXIT, b"")


def test_an_error_is_said_where_nobody_reads_stdout(unread):
    done = run("raise errors.InputError('wrong')", stdout=unread)
    assert (done.returncode, done.stderr) == (2, b"error: wrong\n")


def test_a_broken_pipe_to_someone_else_is_no_reader_that_has_gone():
    done = run("raise BrokenPipeError(32, 'the server has gone')")
    assert done.returncode == 1
    assert b"the server has gone" in done.stderr


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", rb"\xe4\u4e2d\udcff"),
        ("latin-1", b"\xe4" + rb"\u4e2d\udcff"),
        ("utf-8", "ä中".encode() + rb"\udcff"),
    ],
)
@pytest.mark.parametrize("how", ["print('ä中\\udcff')", "raise errors.InputError('ä中\\udcff')"])
def test_what_an_encoding_lacks_is_escaped(encoding, shown, how):
    done = run(how, PYTHONIOENCODING=encoding)
    assert b"Traceback" not in done.stderr
    assert shown in (done.stdout or done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's /dev/full")
@pytest.mark.parametrize("how", ["print", "rich"])
def test_a_full_disk_behind_stdout_is_one_line(how):
    with open("/dev/full", "wb") as full:
        done = run(PRINTED[how], stdout=full)
    assert done.returncode == 2
    assert done.stderr == b"error: output: No space left on device\n"


def test_a_closed_stdout_is_no_mistake():
    code = "from mclas_lightning.errors import exits_cleanly; exits_cleanly(print)()"
    command = f"{sys.executable} -c '{code}' >&-"
    assert subprocess.run(command, shell=True, capture_output=True).returncode == 0


def test_of_many_choices_the_near_ones_are_named_and_where_all_are():
    names = [f"run{number}" for number in range(300)]
    said = str(unknown_choice("run", "run29O", names, "all: ls"))
    assert said.startswith(
        "run 'run29O' does not exist; did you mean 'run29'? choose from: run29, "
    )
    assert said.endswith(", ... (300 in all; all: ls)")
    assert len(said) < 150
    sides = ["mono", "cross", "mono"]  # As a dataset that has a file in conf/ and runs, too.
    assert str(unknown_choice("side", "x", sides)).endswith("choose from: cross, mono")


@pytest.mark.parametrize(
    ("num", "said"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, c and 1 more")]
)
def test_the_first_few_are_named_and_the_others_counted(num, said):
    assert first_few([*"abcd"][:num]) == said
    assert first_few([*"abcd"][:num], 3, "; ") == said.replace(",", ";")


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError("\n one \ntwo"), "one "), (ValueError(), "ValueError"), (OSError(" \n"), "OSError")],
)
def test_an_error_is_said_by_its_first_line_or_by_its_kind(error, said):
    assert first_line(error) == said


def test_a_second_interruption_has_the_same_exit_code():
    how = "os.kill(os.getpid(), signal.SIGINT)"
    code = (
        "import os, signal\n"
        "from mclas_lightning.errors import exits_cleanly\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try: exits_cleanly(lambda: {how})()\n"
        f"finally: {how}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


def test_interruption_is_not_a_traceback(capsys, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest hears Ctrl-C afterwards.

    @exits_cleanly
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ((0, 2**32 - 1), "seed: expected from 0 to 4294967295, found -1"),
        ((0, 0.99999), "seed: expected from 0 to 0.99999, found -1"),
        ((10**9,), "seed: expected 1000000000 or more, found -1"),
    ],
)
def test_a_limit_is_written_out(limits, said):
    with pytest.raises(InputError) as raised:
        check_range("seed", -1, *limits)
    assert str(raised.value) == said


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_finite_number_is_in_no_range(value):
    with pytest.raises(InputError, match=rf"optim.eps: expected 0 or more, found {value}"):
        check_range("optim.eps", value, 0)


def test_what_was_found_cannot_make_a_second_line_or_command_a_terminal():
    error = InputError("name 'a\nerror: b\x1b[2J\u2028\u00e4'; rename it")
    assert str(error) == r"name 'a\nerror: b\x1b[2J\u2028\u00e4'; rename it".replace(
        r"\u00e4", "\u00e4"
    )
    assert str(unknown_choice("dataset", "\n", ["toy"])).startswith(r"dataset '\n' does not exist")


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_a_file_that_is_lost_meanwhile_is_one_line(error, capsys):
    def main():
        raise error(error().errno or {FileNotFoundError: 2}.get(error, 13), "Lost", "runs/a\x1b/b")

    with pytest.raises(SystemExit) as exit:
        exits_cleanly(main)()
    assert exit.value.code == 2
    assert capsys.readouterr().err == (
        "error: runs/a\\x1b/b: Lost; was it deleted, renamed or locked away meanwhile?\n"
    )


def test_a_name_that_is_too_long_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        exits_cleanly(lambda: (tmp_path / ("x" * 300)).stat())()
    assert capsys.readouterr().err.endswith("xxx: File name too long\n")


def test_another_error_of_the_system_is_a_bug_and_has_its_traceback():
    def main():
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(ConnectionRefusedError):
        exits_cleanly(main)()
