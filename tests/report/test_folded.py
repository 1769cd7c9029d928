"""An uncased German network beside a cased one: accents count for neither."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers

from mclas_lightning.metrics.rouge import folded, standard
from mclas_lightning.metrics.score import score
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.documents import NAME, write_documents
from mclas_lightning.runs.results import Results

REFERENCES = ["Größere Flächen stehen unter Wasser", "Die Züge fahren wieder pünktlich"] * 6
CASED = ["Größere Flächen stehen unter Schnee", "Die Züge fahren wieder nicht"] * 6
UNCASED = ["großere flachen stehen unter wasser", "die zuge fahren wieder punktlich"] * 6


def write(runs: Path, model: str, outputs: list[str], writes: dict | None, ways: tuple) -> Path:
    profiles = [way("de") for way in ways]
    found = score(outputs, REFERENCES, profiles)
    folder = runs / "mine" / "minimum" / model / "seed=0"
    Results(
        dataset="mine", scenario="minimum", model=model, seed=0,
        languages={"source": "en", "target": "de"}, scores={"cross": found.totals},
        signatures={"cross": dict(found.signatures)}, decoding={},
        provenance={} if writes is None else {"writes": {"cross": writes}},
    ).write(folder / "results.json")  # fmt: skip
    write_documents(
        folder / NAME, [str(i) for i in range(len(outputs))], {"cross": found.documents}
    )
    return folder


def drawn(runs: Path, profile: str = "standard") -> tuple[Sheet, dict[str, list[str]]]:
    (sheet,) = comparison_sheets(Runs(runs).all, profile=profile)
    return sheet, {str(row[0]): list(map(str, row[1:])) for row in sheet.rows()}


@pytest.fixture
def runs(tmp_path) -> Path:
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, (standard, folded))
    write(tmp_path, "uncased", UNCASED, {"case": False, "accents": False}, (standard, folded))
    return tmp_path


def test_beside_an_uncased_network_all_are_scored_without_accents(runs):
    sheet, rows = drawn(runs)
    assert rows["uncased"][0].rstrip("*") == "100.00"
    assert rows["cased"][0] == "80.00"
    assert (
        "ROUGE without case and accents for all (profile folded), because of networks that cannot "
        "write them: minimum/uncased/seed=0." in sheet.notes
    )
    assert any("profile:folded|lang:de" in note for note in sheet.notes)
    assert not any("profile:standard" in note for note in sheet.notes)


def test_cased_networks_alone_are_scored_with_their_accents(tmp_path):
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, (standard, folded))
    write(tmp_path, "lower", UNCASED, {"case": False, "accents": True}, (standard, folded))
    sheet, rows = drawn(tmp_path)
    assert float(rows["lower"][0]) < 80
    assert not any("folded" in note for note in sheet.notes)


def test_of_an_old_run_the_tokenizer_says_what_it_writes(tmp_path):
    write(tmp_path, "cased", CASED, None, (standard, folded))
    folder = write(tmp_path, "uncased", UNCASED, None, (standard, folded))
    assert not any("folded" in note for note in drawn(tmp_path)[0].notes)
    tokenizer = Tokenizer(models.WordLevel({"x": 0}, unk_token="x"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    (folder / "tokenizer").mkdir()
    tokenizer.save(str(folder / "tokenizer" / "tokenizer.json"))
    assert any("profile folded" in note for note in drawn(tmp_path)[0].notes)


def test_runs_without_folded_scores_are_a_gap(runs):
    write(runs, "cased", CASED, {"case": True, "accents": True}, (standard,))
    _, rows = drawn(runs)
    assert rows["cased"][:3] == ["-", "-", "-"]


def test_the_folded_profile_may_be_asked_for(tmp_path):
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, (standard, folded))
    (run,) = Runs(tmp_path).all
    _, rows = drawn(tmp_path, "folded")
    assert rows["cased"][0] == f"{100 * run.scores['cross']['folded_rouge1_f']:.2f}"
    assert np.isclose(replace(run).scores["cross"]["folded_rouge1_f"], 0.8)
