"""``mclas-evaluate RUN [--test FILE] [words]``."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.evaluate import evaluate, main
from mclas_lightning.example import write_jsonl
from mclas_lightning.files import sha256, write_json
from mclas_lightning.runs.results import Results
from tests.conftest import examples, read_lines

Evaluate = Callable[..., str]


@pytest.fixture
def run(trained) -> Path:
    """A finished run, decoded otherwise than the paper does."""
    return trained("model=mclas")


@pytest.fixture
def mclas_evaluate(monkeypatch, capsys) -> Evaluate:
    """The command in this process: what it prints; of a mistake its line."""

    def call(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["mclas-evaluate", *map(str, words)])
        try:
            main()
        except SystemExit as ended:
            error = capsys.readouterr().err
            if ended.code != 2 or error.count("\n") != 1:
                raise
            return error
        return capsys.readouterr().out

    return call


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_is_evaluated_with_its_own_words(run, mclas_evaluate):
    before = Results.read(run / "results.json")
    (run / "predictions.jsonl").unlink()
    mclas_evaluate(run)
    after = Results.read(run / "results.json")
    assert after.decoding == before.decoding
    assert after.decoding["max_length"] == 8
    assert after.scores == before.scores
    assert after.provenance["subset_sha256"] == before.provenance["subset_sha256"]


def test_words_change_how_it_is_decoded_and_this_is_said(run, mclas_evaluate):
    said = mclas_evaluate(run, "decoding=long", "decoding.beam=1")
    decoding = Results.read(run / "results.json").decoding
    assert (decoding["beam"], decoding["max_length"]) == (1, 250)
    assert "another decoding than in its config.yaml: decoding.beam=2, now decoding.beam=1" in said


@pytest.mark.parametrize("word", ["trainer=gpu", "trainer.devices=2"])
def test_fewer_devices_than_the_words_name_are_said(run, mclas_evaluate, monkeypatch, word):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    said = "summarized on cpu, processes: 1"
    assert said in mclas_evaluate(run, word)
    assert said not in mclas_evaluate(run)


def test_all_words_of_a_training_are_still_taken(run, words):
    command = [sys.executable, "-m", "mclas_lightning.evaluate", *words, "model=mclas"]
    done = subprocess.run([*command, "decoding.beam=1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Results.read(run / "results.json").decoding["beam"] == 1


def test_another_test_set_is_scored_beside_the_results(run, tmp_path, mclas_evaluate):
    kept = content(run)
    file = tmp_path / "news of May.jsonl"
    write_jsonl(file, examples(5, 900))
    said = mclas_evaluate(run, "--test", file, "decoding.beam=1")
    (trial,) = (run / "test").iterdir()
    assert f"{run}/test/{trial.name}\n" in said
    assert trial.name.startswith("news_of_May-")
    results = Results.read(trial / "results.json")
    assert results.provenance["test_sha256"] == sha256(file)
    assert results.provenance["test_file"] == str(file)
    assert [line["id"] for line in read_lines(trial / "predictions.jsonl")] == [
        example.id for example in examples(5, 900)
    ]
    mclas_evaluate(run, f"--test={file}", "decoding.beam=2")
    assert len(list((run / "test").iterdir())) == 2
    shutil.rmtree(run / "test")
    assert content(run) == kept


def test_a_dataset_word_names_another_test_set(run, tmp_path, mclas_evaluate):
    write_jsonl(tmp_path / "toy" / "en2de" / "test.jsonl", examples(5, 900))
    mclas_evaluate(run, "dataset=toy", f"data={tmp_path}")
    (trial,) = (run / "test").iterdir()
    assert trial.name.startswith("en2de-")
    found = mclas_evaluate(run, "dataset=toy", "dataset.target=zh")
    assert "dataset.target: the run was trained for 'de', the test set of 'toy_en2zh' is" in found


def test_a_moved_run_needs_neither_corpus_nor_subset(run, corpus, tmp_path, mclas_evaluate):
    subset = Results.read(run / "results.json").provenance["subset_sha256"]
    moved = tmp_path / "elsewhere" / "my run #1"
    shutil.copytree(run, moved)
    shutil.rmtree(tmp_path / "runs")
    file = tmp_path / "test.jsonl"
    shutil.copy(corpus / "en2de" / "test.jsonl", file)
    shutil.rmtree(corpus)
    kept = content(moved)
    found = mclas_evaluate(moved)
    assert "test.jsonl: no such file; give the corpus's folder (dataset.path=...), or name" in found
    assert content(moved) == kept
    mclas_evaluate(moved, "--test", file)
    (trial,) = (moved / "test").iterdir()
    results = Results.read(trial / "results.json")
    assert results.scores == Results.read(moved / "results.json").scores
    assert results.provenance["subset_sha256"] == subset
    # The same test set in another place is the run's own.
    (moved / "results.json").unlink()
    mclas_evaluate(moved, f"dataset.path={tmp_path}")
    assert Results.read(moved / "results.json").scores == results.scores
    # Runs of earlier versions say nothing of their subset.
    training = yaml.safe_load((moved / "training.json").read_text())
    del training["subset_sha256"]
    write_json(moved / "training.json", training)
    mclas_evaluate(moved, f"dataset.path={tmp_path}")
    assert Results.read(moved / "results.json").provenance["subset_sha256"] == subset
    (moved / "results.json").write_text("{")
    mclas_evaluate(moved, f"dataset.path={tmp_path}")
    assert Results.read(moved / "results.json").scores == results.scores


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["optim.encoder.lr=1"], "'optim.encoder.lr=1': the run was trained already, and takes"),
        (["seed=1"], "'seed=1': the run was trained already"),
        (["decoding=lung"], "decoding 'lung' does not exist; did you mean 'long'?"),
        (["decoding.beem=1"], "key 'decoding.beem' does not exist; did you mean 'decoding.beam'?"),
        (["--beam", "3"], "'--beam': expected a word such as decoding.beam=5, or --test FILE"),
        (["--test"], "--test: expected the file of a test set after it"),
        (["--test", "no/such.jsonl"], "no/such.jsonl: no such file; name a test set with --test"),
        (["--test", "x", "scored=valid"], "scored=valid and another test set: give one of them"),
        (["--test", "x", "dataset=toy"], "--test and dataset=...: each names a test set"),
    ],
)
def test_a_mistake_changes_nothing(run, mclas_evaluate, more, said):
    kept = content(run)
    assert said in mclas_evaluate(run, *more)
    assert content(run) == kept


def test_another_corpus_in_the_old_place_is_refused(run, corpus, mclas_evaluate):
    write_jsonl(corpus / "en2de" / "test.jsonl", examples(31, 900))
    found = mclas_evaluate(run)
    assert f"test.jsonl: is not the file that {run} was started with; restore it, or score" in found
    assert "delete" not in found


def test_a_place_without_a_run_is_named(tmp_path, mclas_evaluate):
    assert "seed=9: no run here (it has no config.yaml)" in mclas_evaluate("runs/x/seed=9")
    assert f"{tmp_path}: no run here" in mclas_evaluate(tmp_path)


def test_a_run_of_an_earlier_version_takes_todays_new_keys(run, mclas_evaluate):
    config = yaml.safe_load((run / "config.yaml").read_text())
    del config["decoding"]["renormalize"], config["scoring"]
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    mclas_evaluate(run)
    decoding = Results.read(run / "results.json").decoding
    assert (decoding["renormalize"], decoding["max_length"]) == (True, 8)


def test_another_test_set_is_named_beside_the_words_of_a_training_too(
    run, words, tmp_path, mclas_evaluate, monkeypatch
):
    file = tmp_path / "news, May.jsonl"
    write_jsonl(file, examples(5, 900))
    kept = content(run)
    # Hydra's entry reads the words from sys.argv.
    monkeypatch.setattr(
        "mclas_lightning.evaluate.of_words", lambda: evaluate(compose("evaluate", sys.argv[1:]))
    )
    mclas_evaluate(*words, "model=mclas", "--test", file)
    (trial,) = (run / "test").iterdir()
    assert Results.read(trial / "results.json").provenance["test_file"] == str(file)
    shutil.rmtree(run / "test")
    assert content(run) == kept


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_is_one_line(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed again below, so that nobody answers
    before = content(run)
    done = subprocess.run(
        [sys.executable, "-m", "mclas_lightning.evaluate", run, "scoring.bertscore=nobody/encoder"],
        env=os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": f"http://127.0.0.1:{port}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: encoder 'nobody/encoder': ")
    assert content(run) == before
