import subprocess
import sys
from pathlib import Path

import pytest

from mclas_lightning.corpora import toy


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_a_corpus_whose_folder_is_taken_is_refused(tmp_path):
    (tmp_path / "data").write_text("in the way")
    done = run("data", "toy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: data")


def test_a_corpus_is_imported_checked_and_counted(tmp_path):
    sizes = {"train": 41, "valid": 11, "test": 7, "mono_train": 0, "mono_valid": 0, "mono_test": 0}
    toy.write_toy(tmp_path / "raw", seed=0, sizes=sizes)
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
