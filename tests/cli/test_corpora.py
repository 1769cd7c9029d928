import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mclas_lightning.corpora import toy
from mclas_lightning.example import read_jsonl
from mclas_lightning.inference.translators import load_translator
from tests.cli.test_data import run
from tests.conftest import read_lines
from tests.corpora.readers import open_files as files
from tests.inference.test_translators import write_nllb


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
    assert "valid: 11 of 11 records cannot be used" in done.stderr

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


def write_crosssum(folder: Path) -> None:
    """Generated news as CrossSum and XL-Sum keep it: English to Chinese, and more in English."""
    sizes = {"train": 151, "valid": 23, "test": 13}
    mono = {f"mono_{split}": num for split, num in sizes.items()}
    toy.write_toy(folder / "toy", seed=0, sizes=sizes | mono)
    pairs, own = {}, {}
    for split, short in (("train", "train"), ("valid", "val"), ("test", "test")):
        parallel = list(read_jsonl(folder / "toy" / "en2zh" / f"{split}.jsonl"))
        more = list(read_jsonl(folder / "toy" / "en" / f"{split}.jsonl"))
        pairs[f"english-chinese_simplified_{short}.jsonl"] = map(files.crosssum, parallel)
        own[f"english_{short}.jsonl"] = map(files.xlsum, [*parallel, *more])
    files.archive(folder / "raw" / "english-chinese_simplified_CrossSum.tar.bz2", pairs)
    files.archive(folder / "xlsum" / "english_XLSum_v2.0.tar.bz2", own)


@pytest.mark.slow
def test_crosssum_goes_from_its_archives_to_a_table(tmp_path):
    def told(*words: str, module: str = "cli.main") -> str:
        command = [sys.executable, "-m", f"mclas_lightning.{module}", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    write_crosssum(tmp_path)
    pair, out = ("--source", "en", "--target", "zh"), "data/crosssum/en2zh"
    said = told("data", "import", "crosssum", "raw", "--xlsum", "xlsum", *pair, "--out", out)
    assert "train: mono summaries of 151 of 151 (100%)" in said
    assert "no document is nearly one of valid or test" in told("data", "check", out)
    said = told(
        "data", "import", "xlsum", "xlsum", "--source", "en", "--out", "data/crosssum/en",
        "--apart", out,
    )  # fmt: skip
    # XL-Sum's validation and test articles are those of the pair, and more; its test set stays.
    assert "data/crosssum/en: test.jsonl 26, valid.jsonl 23, train.jsonl 302" in said
    told("data", "tokenizer", "data/crosssum", "--size", "900")
    few = ["network=tiny", "optim=tiny", "optim.updates={minimum: 2, full: 2}", "decoding=short"]
    few += ["optim.validations=1", "decoding.beam=1", "decoding.max_length=5"]
    told("dataset=xlsum", "model=ms", *few, module="train")
    words = ["dataset=crosssum", "dataset.target=zh", "scenario=minimum", "model=mclas", *few]
    told(*words, "init_from=runs/xlsum_en/full/ms", module="train")
    write_nllb(tmp_path / "nllb", [*"abcdefghijklmnopqrstuvwxyz", "\u96e8", "\u98ce", "\u706b"])
    words = ["dataset=crosssum", "dataset.target=zh", "scenario=full", "model=tltran"]
    words += ["init_from=runs/xlsum_en/full/ms", "model.translator=nllb", *few]
    told(*words, module="train")
    run = tmp_path / "runs" / "crosssum_en2zh" / "full" / "tltran" / "seed=0"
    written = read_lines(run / "predictions.jsonl")
    translator = load_translator(
        str(tmp_path / "nllb"), "en", "zh", beam=1, device=torch.device("cpu")
    )
    mono = [prediction["hypotheses"]["mono"] for prediction in written]
    assert len(mono) == 13
    assert any(mono)
    cross = [prediction["hypotheses"]["cross"] for prediction in written]
    assert any(cross)
    assert cross == translator.translate(mono)
    table = told("table", "2", "--dataset", "crosssum_en2zh", "--format", "md")
    assert re.search(r"\|  \| MCLAS \| \d", table)
    assert re.search(r"\| full \| TLTran \| \d", table)
    sizes = told("table", "1", "--format", "md")
    assert "| crosssum/en2zh | 151 | 151 | 151 | 151 | 23 | 13 |" in sizes
    assert "| crosssum/en | " in sizes
