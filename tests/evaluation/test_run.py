import json

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.evaluation.run import score_run
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.files import sha256
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from tests.conftest import examples, read_lines


def test_evaluating_again_with_another_beam_replaces_the_results(words, trained):
    run = trained("model=mclas")
    for beam in (1, 3):
        results = evaluate(compose("evaluate", [*words, "model=mclas", f"decoding.beam={beam}"]))
        assert results is not None
        assert Results.read(run / "results.json") == results
        assert results.decoding["beam"] == beam
    with pytest.raises(InputError, match="no trained run here"):
        evaluate(compose("evaluate", [*words, "model=ncls"]))


def test_what_is_scored_is_what_the_network_writes_now(words, trained):
    run = trained("model=mclas")
    settings, config = read_settings(compose("train", [*words, "model=mclas", "decoding.beam=1"]))
    valid = EvaluationSet.of(settings.dataset, "valid")
    results = score_run(settings, config, valid)
    assert results is not None
    assert results.folder is not None
    assert results.folder.parent == run / "valid"
    stories = examples(11, 40)
    written = load_summarizer(Run(run)).summarize([e.document for e in stories], settings.decoding)
    lines = read_lines(results.folder / "predictions.jsonl")
    assert [line["id"] for line in lines] == [e.id for e in stories]
    assert [line["hypotheses"] for line in lines] == written
    assert [line["references"] for line in lines] == [
        {"mono": e.mono, "cross": e.cross} for e in stories
    ]
    assert results.scores["cross"]["num"] == 11


def test_results_name_all_that_they_depend_on(trained):
    run = trained("model=mclas")
    found = Results.read(run / "results.json").provenance
    assert found["predictions_sha256"] == sha256(run / "predictions.jsonl")
    assert found["test_sha256"] == json.loads((run / "corpus.json").read_text())["test"]
    assert found["subset_sha256"] == sha256(run.parents[1] / "subset.json")
    assert found["recipe"]["optim.updates.minimum"] == 6
    assert found["packages"].keys() >= {"torch", "mclas-lightning"}
