import shutil

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.heads.analysis import analyze
from mclas_lightning.heads.config import heads_config
from mclas_lightning.runs.run import Run
from mclas_lightning.webapp.systems import LONGEST, example_documents, load_systems

DOCUMENT = "On day 3 there was a storm in Munich. People stayed inside."


@pytest.fixture(scope="module")
def analyzed(finished_run, tmp_path_factory):
    """A finished mclas run with heads.json."""
    folder = tmp_path_factory.mktemp("analyzed") / "run"
    shutil.copytree(finished_run, folder)
    analyze(Run(folder), heads_config(), num=5)
    return folder


def test_a_run_summarizes_and_links_its_words(analyzed, finished_run):
    with_heads, without = load_systems([str(analyzed), str(finished_run)], None, "cpu")
    html = with_heads.answer(DOCUMENT, {"beam": 1})
    assert "S<sup>A</sup> (en)" in html
    assert "S<sup>B</sup> (de)" in html
    assert "data-to" in html
    assert "data-to" not in without.answer(DOCUMENT, {"beam": 1})


def test_settings_change_the_decoding_and_a_bad_one_is_said(finished_run):
    (system,) = load_systems([str(finished_run)], "cross", "cpu")
    html = system.answer(DOCUMENT, {"beam": 3, "length_penalty": 1.5})
    assert "S<sup>A</sup>" not in html
    assert "decoding.beam: expected from 1 to 1000, found 0" in system.answer(DOCUMENT, {"beam": 0})


@pytest.mark.parametrize(
    ("text", "said"), [(" \n", "Paste a document first"), ("x" * (LONGEST + 1), "has 100,001 char")]
)
def test_a_text_that_is_empty_or_too_long_is_not_summarized(finished_run, text, said):
    (system,) = load_systems([str(finished_run)], None, "cpu")
    assert said in system.answer(text, {})


def test_a_text_in_another_language_has_a_note(finished_run):
    (system,) = load_systems([str(finished_run)], None, "cpu")
    said = system.answer("Es regnet heute in ganz Deutschland sehr stark.", {"beam": 1})
    assert "The document is not in the language &#x27;en&#x27;" in said


def test_documents_of_the_test_set_are_offered(finished_run, tmp_path):
    found = example_documents(str(finished_run))
    assert len(found) == 7
    assert all(line.split(": ")[1] in document for line, document in found.items())
    shutil.copytree(finished_run, tmp_path / "run")
    (tmp_path / "run" / "predictions.jsonl").unlink()
    assert example_documents(str(tmp_path / "run")) == {}


def test_no_documents_are_offered_to_a_run_that_reads_summaries(finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("source: document", "source: mono"))
    assert example_documents(str(tmp_path / "run")) == {}


def test_a_side_that_a_run_does_not_write_is_named(trained):
    folder = trained("model=ms", "scenario=full")
    with pytest.raises(InputError, match=r"--side cross: .* writes mono alone"):
        load_systems([str(folder)], "cross", "cpu")


def test_runs_that_read_different_languages_are_refused(finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("source: en", "source: fr"))
    with pytest.raises(InputError, match=r"reads 'fr', and .* reads 'en'; expected runs that"):
        load_systems([str(finished_run), str(tmp_path / "run")], None, "cpu")
