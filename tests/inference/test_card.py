import json
from dataclasses import replace

import pytest
import yaml

from mclas_lightning.errors import InputError
from mclas_lightning.inference.card import model_card
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run


def test_the_card_has_the_hubs_metadata_and_the_scores(finished_run):
    card = model_card(Run(finished_run), "user/name", "mit")
    _, metadata, text = card.split("---\n", 2)
    found = yaml.safe_load(metadata)
    assert found["language"] == ["en", "de"]
    assert (found["license"], found["library_name"]) == ("mit", "mclas-lightning")
    results = Results.read(finished_run / "results.json")
    (result,) = found["model-index"][0]["results"]
    assert result["task"] == {"type": "summarization"}  # of the scores of both sides
    metrics = {metric["name"]: metric["value"] for metric in result["metrics"]}
    assert metrics == {
        f"ROUGE-{n} ({side}, {results.language(side)})": round(100 * scores[f"rouge{n}_f"], 2)
        for side, scores in results.scores.items()
        for n in ("1", "2", "L")
    }
    for signatures in results.signatures.values():
        assert signatures["rouge"] in text
    assert "| optim.encoder.lr | " in text
    assert "| decoding.beam | 2 |" in text
    assert "another decoding" not in text


def test_the_card_says_that_its_scores_are_of_another_decoding(trained):
    run = trained("model=ncls")
    results = Results.read(run / "results.json")
    replace(results, decoding=results.decoding | {"beam": 1}).write(run / "results.json")
    card = model_card(Run(run), "here", "other")
    assert "With another decoding than its own: decoding.beam=2, scored decoding.beam=1." in card


def test_scores_that_were_edited_enter_no_card(trained):
    run = trained("model=ncls")
    record = json.loads((run / "results.json").read_text())
    record["scores"]["cross"]["rouge1_f"] = 0.9
    (run / "results.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="was edited after it was written"):
        model_card(Run(run), "here", "other")


def test_a_run_that_was_not_scored_has_a_card_without_scores(trained):
    run = trained("model=ncls")
    (run / "results.json").unlink()
    card = model_card(Run(run), "here", "other")
    assert "model-index" not in card
    assert "This run was not scored." in card
