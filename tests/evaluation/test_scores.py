import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mclas_lightning.cli import main as cli
from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.metrics.neural.bertscore import BertScore
from mclas_lightning.metrics.neural.encoder import Encoder
from mclas_lightning.runs.results import Results
from mclas_lightning.train import train
from tests.conftest import outcome, read_lines


@pytest.fixture
def run(trained) -> Path:
    """A finished run, scored by ROUGE alone."""
    return trained("model=mclas")


def mclas(*words: object) -> None:
    arguments = cli.parser().parse_args([*map(str, words)])
    arguments.run(arguments)


def test_rescoring_adds_what_an_evaluation_would(run, words, small_encoder, capsys):
    before = Results.read(run / "results.json")
    mclas(
        "rescore", run.parent.parent,
        "--bertscore", small_encoder, "--layer", 1, "--similarity", small_encoder,
    )  # fmt: skip
    assert ", BERTScore 0." in capsys.readouterr().out
    found = Results.read(run / "results.json")
    documents = found.documents()
    assert found.provenance == before.provenance
    for side in ("mono", "cross"):
        assert before.scores[side].items() < found.scores[side].items()
        assert before.signatures[side].items() < found.signatures[side].items()
        assert set(found.signatures[side]) == {
            *("rouge", "folded_rouge", "paper_rouge", "bertscore", "similarity")
        }
        assert "|layer:1|" in found.signatures[side]["bertscore"]
        lines = read_lines(run / "predictions.jsonl")
        written, right = (
            [line[kind][side] for line in lines] for kind in ("hypotheses", "references")
        )
        expected = BertScore.load(str(small_encoder), 1, False, torch.device("cpu")).score(
            written, right, "en"
        )
        for name, values in expected.items():
            np.testing.assert_allclose(documents[f"{side}/{name}"], values, atol=1e-6)
    scoring = [f"scoring.bertscore={small_encoder}", "scoring.layer=1"]
    scoring += [f"scoring.similarity={small_encoder}"]
    evaluated = evaluate(compose("evaluate", [*words, "model=mclas", *scoring]))
    assert evaluated is not None
    assert evaluated.signatures == found.signatures
    for side, scores in evaluated.scores.items():
        assert scores == pytest.approx(found.scores[side], abs=1e-9)


def test_what_was_scored_before_stays_and_is_not_computed_again(run, small_encoder, monkeypatch):
    words = ("rescore", run, "--bertscore", small_encoder)
    mclas(*words)
    first = Results.read(run / "results.json")
    monkeypatch.setattr(Encoder, "read", None)
    mclas(*words)
    mclas("rescore", run)
    again = Results.read(run / "results.json")
    assert again == first
    assert "bertscore_f" in again.scores["cross"]
    with pytest.raises(TypeError):  # Another layer is another score.
        mclas(*words, "--layer", 1)


def test_predictions_that_are_not_those_scored_are_refused(run):
    path = run / "predictions.jsonl"
    whole = path.read_text()
    path.write_text(whole.replace("storm", "flood"))
    found = outcome(lambda: mclas("rescore", run))
    assert "is not the file that results.json was scored from; write it again" in str(found)
    results = json.loads((run / "results.json").read_text())
    del results["provenance"]["predictions_sha256"]  # As in an outside system's.
    (run / "results.json").write_text(json.dumps(results))
    assert "was edited after it was written" in str(outcome(lambda: mclas("rescore", run)))
    del results["content_sha256"]
    (run / "results.json").write_text(json.dumps(results))
    path.write_text(whole.replace('"cross"', '"third"', 1))
    assert "1: not a line of predictions" in str(outcome(lambda: mclas("rescore", run)))
    path.write_text(whole.replace('"cross": "', '"mono": "', 1))
    found = outcome(lambda: mclas("rescore", run))
    assert "expected cross summaries and references of 7 documents, as results.json" in str(found)
    assert "found 6 of 7" in str(found)
    path.write_text("".join(whole.splitlines(keepends=True)[1:]))
    assert "found 6 of 6" in str(outcome(lambda: mclas("rescore", run)))
    path.unlink()
    assert "cannot be read" in str(outcome(lambda: mclas("rescore", run)))
    assert json.loads((run / "results.json").read_text()) == results


def test_a_trial_keeps_the_chinese_scores_of_the_paper(run, words):
    chinese = [*words, "model=mclas", "dataset.target=zh", "dataset.name=chinese"]
    train(compose("train", chinese))
    trial = evaluate(compose("evaluate", [*chinese, "scored=valid", "decoding.beam=1"]))
    assert trial is not None
    assert trial.folder is not None
    assert trial.folder.parent.name == "valid"
    assert "paper_rouge" in trial.signatures["cross"]
    mclas("rescore", trial.folder)
    again = Results.read(trial.folder / "results.json")
    assert again.signatures == trial.signatures
    assert again.scores["cross"] == pytest.approx(trial.scores["cross"])


def test_scores_that_need_the_runs_word_pieces_stay_without_them(run, words, capsys):
    chinese = [*words, "model=mclas", "dataset.target=zh", "dataset.name=chinese"]
    before = train(compose("train", chinese))
    assert before is not None
    assert before.folder is not None
    shutil.rmtree(before.folder / "tokenizer")
    mclas("rescore", before.folder)
    after = Results.read(before.folder / "results.json")
    assert after.signatures == before.signatures
    assert after.scores["cross"] == pytest.approx(before.scores["cross"])
    (before.folder / "scores.npz").unlink()
    mclas("rescore", before.folder)
    assert "could not be counted again, and is gone: cross paper_rouge" in capsys.readouterr().out


def test_a_run_without_predictions_is_named_and_the_others_are_scored(run, tmp_path, capsys):
    other = run.with_name("seed=1")
    shutil.copytree(run, other)
    (run / "predictions.jsonl").unlink()
    before = (other / "results.json").stat().st_mtime_ns
    with pytest.raises(SystemExit) as ended:
        mclas("rescore", run.parent)
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert f"{run}\n  skipped: {run}/predictions.jsonl: cannot be read" in shown.err
    assert shown.err.endswith("1 of 2 runs were skipped, see above\n")
    assert f"{other}\n" in shown.out
    assert (other / "results.json").stat().st_mtime_ns > before
    (other / "predictions.jsonl").unlink()
    with pytest.raises(SystemExit) as ended:
        mclas("rescore", run.parent)
    assert ended.value.code == 2


def test_a_run_is_scored_by_one_process_at_a_time(run, words, held):
    held(run)
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    said = "is being worked on (process "
    assert said in str(outcome(lambda: mclas("rescore", run)))
    again = compose("evaluate", [*words, "model=mclas", "decoding.beam=1"])
    assert said in str(outcome(lambda: evaluate(again)))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == kept


def test_an_evaluation_that_fails_leaves_what_was_there(run, words, monkeypatch):
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    def full(results, path):
        raise InputError("no space left")

    monkeypatch.setattr(Results, "write", full)
    again = compose("evaluate", [*words, "model=mclas", "decoding.beam=1"])
    assert "no space left" in str(outcome(lambda: evaluate(again)))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == kept


def test_scores_of_other_predictions_are_refused(run, words):
    kept = (run / "scores.npz").read_bytes()
    evaluate(compose("evaluate", [*words, "model=mclas", "decoding.beam=1"]))
    (run / "scores.npz").write_bytes(kept)
    found = outcome(lambda: Results.read(run / "results.json").documents())
    assert "scores.npz: is of other predictions than results.json" in str(found)


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no finished run here or below \(no results\.json\)"):
        mclas("rescore", tmp_path)


def test_a_missing_encoder_is_named_before_a_training(words, small_encoder, tmp_path):
    for more, said in (
        (["scoring.bertscore=no/such"], "encoder 'no/such': no such folder"),
        (["scoring.similarity=no/such"], "encoder 'no/such': no such folder"),
        ([f"scoring.bertscore={small_encoder}", "scoring.layer=9"], "expected from 1 to 3"),
        ([f"scoring.bertscore={small_encoder}", "scoring.rescale=true"], "has no baseline"),
    ):
        asked = [*words, "model=ncls", *more]
        assert said in str(outcome(lambda asked=asked: train(compose("train", asked))))
    assert not (tmp_path / "runs").exists()
