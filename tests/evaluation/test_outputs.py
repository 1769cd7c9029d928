"""Outputs of outside systems in tables."""

import json
import re

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.evaluation.outputs import import_outputs
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.runs.results import Results
from mclas_lightning.train import train
from tests.conftest import examples, read_lines

IDS = [example.id for example in examples(7, 51)]


@pytest.fixture
def settings(words):
    return read_settings(compose("train", [*words, "model=mclas", "model.name=theirs"]))[0]


def jsonl(path, records) -> None:
    lines = [json.dumps({"id": i, "text": text}) for i, text in records]
    path.write_text("\n".join(lines))


def test_outputs_of_a_run_have_the_runs_scores(trained, settings, tmp_path):
    run = trained("model=mclas")
    predictions = read_lines(run / "predictions.jsonl")
    files = {}
    for side in ("mono", "cross"):
        files[side] = tmp_path / f"{side}.jsonl"
        records = [(line["id"], line["hypotheses"][side]) for line in predictions]
        jsonl(files[side], reversed(records))  # Ids bring them into order.
    results = import_outputs(settings, files)
    theirs = Results.read(run / "results.json")
    assert (results.scores, results.signatures) == (theirs.scores, theirs.signatures)
    assert results.provenance["test_sha256"] == theirs.provenance["test_sha256"]
    assert read_lines(settings.run.folder / "predictions.jsonl") == predictions
    found = Runs(tmp_path / "runs").of("small")
    assert {run.model for run in found} == {"mclas", "theirs"}


def test_lines_without_ids_are_in_the_order_of_the_test_set(settings, tmp_path):
    file = tmp_path / "cross.txt"
    file.write_text("\n".join(example.cross or "" for example in examples(7, 51)))
    results = import_outputs(settings, {"cross": file})
    assert results.scores["cross"]["rouge1_f"] == 1
    assert set(results.scores) == {"cross"}
    file.write_text("Sturm\n" * 7)  # An earlier import is replaced.
    assert import_outputs(settings, {"cross": file}).scores["cross"]["rouge1_f"] < 1


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([(i, "a") for i in IDS[:6]], "has 6 summaries, the test set 7 documents"),
        ([(i, "a") for i in [*IDS[:6], "x"]], f"has no summary of the document '{IDS[6]}'"),
        ([(IDS[0], "a")] * 7, "is used more than once"),
    ],
)
def test_outputs_of_other_documents_are_refused(settings, tmp_path, records, said):
    file = tmp_path / "cross.jsonl"
    jsonl(file, records)
    with pytest.raises(InputError, match=said):
        import_outputs(settings, {"cross": file})
    assert not settings.run.folder.exists()


def test_a_run_that_was_trained_here_is_not_overwritten(trained, settings, tmp_path):
    trained("model=mclas", "model.name=theirs")
    with pytest.raises(InputError, match="holds a run that was trained here"):
        import_outputs(settings, {"cross": tmp_path / "any.txt"})


@pytest.mark.parametrize("name", ["mclas", "ms", "tltran", "lead_1", "MCLAS", "NCLS+MS"])
def test_outputs_take_no_name_of_this_programs_systems(words, tmp_path, name):
    settings = read_settings(compose("train", [*words, "model=mclas", f"model.name={name}"]))[0]
    with pytest.raises(InputError, match=f"--model {re.escape(name)}: is a system of this program"):
        import_outputs(settings, {"cross": tmp_path / "any.txt"})
    assert not settings.run.folder.exists()


def test_outputs_are_no_finished_run(words, settings, tmp_path):
    file = tmp_path / "cross.txt"
    file.write_text("Sturm\n" * 7)
    results = import_outputs(settings, {"cross": file})
    for job in (train, evaluate):
        with pytest.raises(InputError, match="holds the results of an outside system"):
            job(compose(job.__name__, [*words, "model=mclas", "model.name=theirs"]))
    assert Results.read(settings.run.folder / "results.json") == results


def test_a_monolingual_corpus_takes_mono_outputs(words, tmp_path):
    composed = compose("train", [*words, "model=ncls", "model.name=theirs", "dataset.target=null"])
    with pytest.raises(InputError, match=r"any\.txt: dataset 'small' is monolingual .* --mono"):
        import_outputs(read_settings(composed)[0], {"cross": tmp_path / "any.txt"})
