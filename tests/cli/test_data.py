import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_a_corpus_whose_folder_is_taken_is_refused(tmp_path):
    (tmp_path / "data").write_text("in the way")
    done = run("data", "toy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: data")


@pytest.mark.parametrize(
    ("words", "said"),
    [
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
