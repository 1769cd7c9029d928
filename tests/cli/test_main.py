import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mclas_lightning import __version__
from mclas_lightning.cli import main as cli
from mclas_lightning.cli.demo import demo
from mclas_lightning.corpora import toy
from mclas_lightning.errors import InputError, exits_cleanly
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


def test_a_corpus_whose_folder_is_taken_is_refused(tmp_path):
    (tmp_path / "data").write_text("in the way")
    done = run("data", "toy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: data")


def test_interruption_is_not_a_traceback(capsys):
    @exits_cleanly
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_corpus_is_imported_checked_and_counted(tmp_path):
    sizes = {"train": 41, "valid": 11, "test": 7, "mono_train": 0, "mono_valid": 0, "mono_test": 0}
    toy.build(tmp_path / "raw", seed=0, sizes=sizes)
    words = ("--source", "en", "--target", "de")
    done = run("data", "import", "jsonl", "raw/en2de", "--out", "data/mine", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "data/mine: train.jsonl 41, valid.jsonl 11, test.jsonl 7" in done.stdout
    assert done.stdout.endswith("look at it with: mclas data check data/mine\n")

    done = run("data", "check", "data/mine", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "data" / "mine" / "test.jsonl").unlink()
    done = run("data", "check", "data/mine", cwd=tmp_path)
    assert done.returncode == 1
    assert "not here: test.jsonl" in done.stdout

    done = run("table", "1", "--format", "md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "| minimum | 5,000 | 0.3 | - |" in done.stdout
    assert "| mine |" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "ncls-en2z", ".", "--out", "x"), "format 'ncls-en2z' does not exist; did you"),
        (("check", "nowhere"), "nowhere"),
        (("check", ".", "--dataset", "zh2ensm"), "did you mean 'zh2ensum'"),
        (("vocab", ".", "--tokenizer", "x", "--source", "en", "--target", "zh-CN"), "mean 'zh'"),
        (("roundtrip", "x", "--source", "en", "--target", "zh", "--out", "y"), "--forward"),
    ],
)
def test_a_mistake_about_data_is_one_line(tmp_path, words, said):
    done = run("data", *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert said in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score --hypotheses a --references b --lang de --seed -1", "--seed: expected a whole"),
        ("score --hypotheses a --references b --lang de --resamples 0", "--resamples: expected"),
        (f"score --hypotheses a --references b --lang de --resamples {10**10}", "to 1,000,000,000"),
        ("data toy --seed -1", "--seed: expected"),
        (f"data debian --seed {2**32}", "--seed: expected a whole number from 0 to 4,294,967,295"),
        ("human sheet --dataset a --scenario b --out c --seed 1.5", "found '1.5'"),
        ("data roundtrip a --source en --target de --out b --rouge1 60", "from 0 to 1, found '60'"),
        ("data roundtrip a --source en --target de --out b --rouge2 nan", "from 0 to 1"),
        ("show --dataset a --num 0", "--num: expected"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(words.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
