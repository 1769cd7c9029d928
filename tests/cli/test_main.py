import argparse
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mclas_lightning import __version__
from mclas_lightning.cli import main as cli
from mclas_lightning.cli.demo import demo
from mclas_lightning.errors import InputError
from mclas_lightning.runs.results import Results


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_help_names_the_commands(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in (
        "data",
        "demo",
        "table",
        "figure",
        "report",
        "show",
        "mclas-train",
        "mclas-evaluate",
    ):
        assert command in done.stdout


def undescribed(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from undescribed(inner)
        elif not action.help:
            yield parser.prog, action.dest


def test_every_argument_is_described():
    assert list(undescribed(cli.parser())) == []


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"mclas-lightning {__version__}\n"
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]


@pytest.mark.parametrize("words", [("table",), ("show", "--dataset", "toy_en2de")])
def test_no_runs_is_one_line_and_exit_code_2(tmp_path, words):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: runs")
    assert done.stderr.count("\n") == 1


def test_sigterm_leaves_nothing_half_written(tmp_path):
    words = [sys.executable, "-m", "mclas_lightning.cli.main", "data", "toy", "--out", "out/toy"]
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL)
    for _ in range(1200):
        if list(tmp_path.glob("out/.toy.*.part/*")):
            break
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=60) == 143
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("dataset", ["toyy", "toy_mono", "debian_en"])
def test_a_demo_that_cannot_end_well_is_refused_at_once(tmp_path, monkeypatch, dataset):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"does not exist|is monolingual"):
        demo(dataset)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def two_runs(tmp_path: Path) -> Path:
    """A folder with results of two systems."""
    for model, rouge in (("ncls", 0.4), ("mclas", 0.5)):
        scores = {
            "rouge1_f": rouge, "rouge2_f": 0.2, "rougeL_f": 0.3, "length": 9.0,
            "reference_length": 8.0, "wrong_language": 0.0, "reference_wrong_language": 0.0,
            "num": 7,
        }  # fmt: skip
        results = Results(
            dataset="toy_en2de", scenario="minimum", model=model, seed=0,
            languages={"source": "en", "target": "de"}, scores={"cross": scores},
            signatures={"cross": {"rouge": "rouge|tok:words"}}, decoding={}, provenance={},
        )  # fmt: skip
        results.write(tmp_path / "toy_en2de" / "minimum" / model / "seed=0" / "results.json")
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--format", "markdown"]])
def test_a_table_compares_what_is_there(two_runs, monkeypatch, capsys, more):
    monkeypatch.setattr(sys, "argv", ["mclas", "table", "--runs", str(two_runs), *more])
    cli.main()
    shown = capsys.readouterr().out
    assert "40.00" in shown
    assert "50.00" in shown
    assert shown.index("NCLS") < shown.index("MCLAS") < shown.index("Reference")


def test_words_may_stand_before_and_after_options():
    arguments = cli.parsed(["summarize", "RUN", "a.txt", "--side", "cross", "-", "decoding.beam=3"])
    assert arguments.words == ["a.txt", "-", "decoding.beam=3"]


def named_lists(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Each command that takes a list of positional arguments, and the list's name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from named_lists(inner)
        elif not action.option_strings and action.nargs in ("+", "*"):
            yield parser.prog, action.dest


def test_no_list_of_words_ends_at_an_option():
    found = dict(named_lists(cli.parser()))
    assert {"mclas sweep run", "mclas verify", "mclas rescore", "mclas data import"} < found.keys()
    assert set(found.values()) == {"words"}  # the one that parsed() adds to


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("sweep run toy --launcher slurm seed=0", ["toy", "seed=0"]),
        ("sweep status --json toy seed=0", ["toy", "seed=0"]),
        ("verify a --json b", ["a", "b"]),
        ("rescore a --rescale b", ["a", "b"]),
        ("data import ncls a --out x b", ["a", "b"]),
    ],
)
def test_files_and_words_may_follow_options(line, taken):
    assert cli.parsed(line.split()).words == taken


@pytest.mark.parametrize("words", [["summarize", "RUN", "--sides"], ["table", "1", "more"]])
def test_what_no_command_takes_is_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parsed(words)
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: unrecognized arguments")
    assert said.endswith(f"; see mclas {words[0]} --help")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mclas da", {"data"}),
        ("mclas data ch", {"check"}),
        ("mclas score --hy", {"--hypotheses"}),
        ("mclas score --hypotheses our", {"ours.txt"}),
    ],
)
def test_a_shell_completes_commands_options_and_files(line, found, tmp_path):
    (tmp_path / "ours.txt").touch()
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "answer"),
        "COMP_LINE": line, "COMP_POINT": str(len(line)),
    }  # fmt: skip
    command = [sys.executable, "-m", "mclas_lightning.cli.main"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **asked}, check=True)
    answer = (tmp_path / "answer").read_text()
    assert set(map(str.strip, answer.split("\v"))) == found
