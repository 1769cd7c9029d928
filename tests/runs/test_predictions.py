import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.predictions import (
    PREDICTIONS,
    comparable_predictions,
    predictions_path,
    read_predictions,
    shared_documents,
)
from mclas_lightning.runs.results import Results


@pytest.fixture
def run(tmp_path, made_up) -> Callable[..., Results]:
    """A run that wrote a summary in two languages for each document of ``numbers``."""

    def make(model: str, numbers=range(5), **changes: Any) -> Results:
        folder = tmp_path / model
        folder.mkdir()
        lines = [
            {
                "id": f"d{n}", "document": f"document {n}",
                "hypotheses": {"mono": f"{model} on {n}", "cross": f"{model} zu {n}"},
                "references": {"mono": f"right {n}", "cross": f"richtig {n}"},
            }
            | changes
            for n in numbers
        ]  # fmt: skip
        written = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / PREDICTIONS).write_text(written, encoding="utf-8")
        found = made_up(model, num=len(numbers))
        return replace(found, folder=folder)

    return make


def scored(run: Results, **provenance: str) -> Results:
    """The run with the hash of its predictions, and more, in its results."""
    written = hashlib.sha256(predictions_path(run).read_bytes()).hexdigest()
    return replace(run, provenance={"predictions_sha256": written, **provenance})


def test_what_was_written_is_read_by_document(run):
    found = read_predictions(scored(run("mclas")))
    assert list(found) == [f"d{n}" for n in range(5)]
    for n, written in enumerate(found.values()):
        assert (written.id, written.document) == (f"d{n}", f"document {n}")
        assert written.hypotheses == {"mono": f"mclas on {n}", "cross": f"mclas zu {n}"}
        assert written.references == {"mono": f"right {n}", "cross": f"richtig {n}"}


NULL = '{"id": "d9", "document": "x", "hypotheses": {"cross": null}, "references": {}}'


NO_SIDE = '{"id": "d9", "document": "x", "hypotheses": {"crss": "x"}, "references": {}}'


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "d1"}', '{"hypotheses": "x"}', NO_SIDE, NULL])
def test_a_broken_line_is_refused_with_its_number(run, line):
    broken = run("ncls", numbers=range(2))
    assert broken.folder is not None
    with (broken.folder / "predictions.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"predictions\.jsonl:3: not a line of predictions"):
        read_predictions(broken)


def test_missing_predictions_are_refused_with_their_path(run):
    missing = replace(run("ncls"), folder=Path("nowhere"))
    with pytest.raises(InputError) as error:
        read_predictions(missing)
    assert str(error.value) == (
        "nowhere/predictions.jsonl: cannot be read (No such file or directory); write it again "
        "with mclas-evaluate RUN"
    )


def test_an_id_twice_is_refused(run):
    with pytest.raises(InputError, match=r"predictions\.jsonl: id 'd4' is used more than once"):
        read_predictions(run("ncls", numbers=[1, 4, 4]))


def test_another_file_than_was_scored_is_refused(run):
    mclas = scored(run("mclas"))
    predictions_path(mclas).write_text(predictions_path(mclas).read_text() + "\n")
    with pytest.raises(InputError, match=r"is not the file that results\.json was scored from"):
        read_predictions(mclas)


def test_predictions_of_fewer_documents_than_were_scored_are_refused(run):
    mclas = run("mclas")
    more = {side: {**scores, "num": 6} for side, scores in mclas.scores.items()}
    with pytest.raises(InputError, match=r"mono summaries .* of 6 documents.* found 5 of 5"):
        read_predictions(replace(mclas, scores=more))
    half = run("ncls_ms", references={"cross": "x"})
    with pytest.raises(InputError, match=r"mono summaries .* of 5 documents.* found 0 of 5"):
        read_predictions(half)


def test_results_that_lie_nowhere_have_no_predictions(made_up):
    with pytest.raises(InputError, match="were not read from a run's folder"):
        read_predictions(made_up("mclas"))


def test_systems_of_one_test_set_stand_beside_each_other(run):
    runs = {model: scored(run(model), test_sha256="a") for model in ("ncls_ms", "mclas")}
    found = comparable_predictions(runs)
    assert found.aside == []
    assert found.systems == {name: read_predictions(one) for name, one in runs.items()}


def test_the_test_set_of_most_systems_is_shown(run):
    shas = {"one": "a", "two": "b", "three": "b"}
    runs = {model: scored(run(model), test_sha256=sha) for model, sha in shas.items()}
    runs["theirs"] = run("theirs")  # An outside system names none.
    found = comparable_predictions(runs)
    assert list(found.systems) == ["two", "three", "theirs"]
    (reason,) = found.aside
    assert reason.startswith(f"{runs['one'].folder}: was scored on another test set than two")


@pytest.mark.parametrize("change", [{"document": "x"}, {"references": {"mono": "x", "cross": "x"}}])
def test_a_system_with_another_text_under_an_id_is_set_aside(run, change):
    runs = {"first": run("first"), "second": run("second", **change), "third": run("third")}
    found = comparable_predictions(runs)
    assert list(found.systems) == ["first", "third"]
    (reason,) = found.aside
    assert reason.startswith("document 'd0' or its reference differs between first and second")


def test_shared_documents_have_an_order_of_their_own(run):
    written = {
        "a": read_predictions(run("a", numbers=range(9))),
        "b": read_predictions(run("b", numbers=range(12, 2, -1))),
    }
    orders = [shared_documents(written, seed) for seed in (0, 0, 1)]
    assert sorted(orders[0]) == sorted(orders[2]) == [f"d{n}" for n in range(3, 9)]
    assert orders[0] == orders[1] == shared_documents({"b": written["b"], "a": written["a"]}, 0)
    assert orders[0] != orders[2]
    with pytest.raises(InputError, match="no document is shared by the predictions of a, b"):
        shared_documents({"a": {}, "b": written["b"]}, 0)
