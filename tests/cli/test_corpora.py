import json
import subprocess

import pytest

from mclas_lightning.corpora import toy
from tests.cli.test_data import run


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
    done = run("data", "check", "data/mine", "--others", "raw/en2de", cwd=tmp_path)
    assert done.returncode == 1
    assert "raw/en2de/test.jsonl: 7 documents have a near-duplicate in test" in flowing(done)
    words += ("--apart", "data/mine")
    done = run("data", "import", "jsonl", "raw/en2de", "--out", "data/apart", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "test: 7 of 7 records cannot be used" in done.stderr

    (tmp_path / "data" / "mine" / "test.jsonl").unlink()
    done = run("data", "check", "data/mine", cwd=tmp_path)
    assert done.returncode == 1
    assert "not here: test.jsonl" in done.stdout
    done = run("data", "check", "data/mine", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "not here: test.jsonl" in {each["said"] for each in json.loads(done.stdout)}

    done = run("table", "1", "--format", "md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "| minimum | 5,000 | 0.3 | - |" in done.stdout
    assert "| mine |" in done.stdout


def flowing(done: subprocess.CompletedProcess) -> str:
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "ncls-en2z", ".", "--out", "x"), "format 'ncls-en2z' does not exist; did you"),
        (("check", "nowhere"), "nowhere"),
        (("check", ".", "--dataset", "zh2ensm"), "did you mean 'zh2ensum'"),
    ],
)
def test_a_mistake_about_a_corpus_is_one_line(tmp_path, words, said):
    done = run("data", *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert said in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
