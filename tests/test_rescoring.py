import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mclas_lightning import cli
from mclas_lightning.app import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.metrics.bertscore import BertScore
from mclas_lightning.metrics.encoder import Encoder
from mclas_lightning.report.results import Results
from mclas_lightning.train import train
from tests.conftest import outcome, read_lines


@pytest.fixture
def run(words) -> Path:
    """A finished run, scored by ROUGE alone."""
    results = train(compose("train", [*words, "model=mclas"]))
    assert results is not None
    (runs,) = (word.removeprefix("runs=") for word in words if word.startswith("runs="))
    (path,) = Path(runs).rglob("results.json")
    return path.parent


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
        assert set(found.signatures[side]) == {"rouge", "paper_rouge", "bertscore", "similarity"}
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
