import yaml

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
    metrics = {
        metric["name"]: metric["value"]
        for result in found["model-index"][0]["results"]
        for metric in result["metrics"]
    }
    assert metrics == {
        f"ROUGE-{n} ({side})": round(100 * scores[f"rouge{n}_f"], 2)
        for side, scores in results.scores.items()
        for n in ("1", "2", "L")
    }
    for signatures in results.signatures.values():
        assert signatures["rouge"] in text
    assert "| optim.encoder.lr | " in text
    assert "| decoding.beam | 2 |" in text


def test_a_run_that_was_not_scored_has_a_card_without_scores(trained):
    run = trained("model=ncls")
    (run / "results.json").unlink()
    card = model_card(Run(run), "here", "other")
    assert "model-index" not in card
    assert "This run was not scored." in card
