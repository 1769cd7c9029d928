"""Means over seeds; an uncased German network beside a cased one, without accents for both."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers

from benchmarks.runs import write_run
from mclas_lightning.metrics.rouge import folded_profile, paper_profile, standard_profile
from mclas_lightning.metrics.score import system_scores
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.documents import DOCUMENT_SCORES, write_document_scores
from mclas_lightning.runs.results import Results
from tests.report.score_sheets import NUM, at, change, rows, table

REFERENCES = ["Größere Flächen stehen unter Wasser", "Die Züge fahren wieder pünktlich"] * 6
CASED = ["Größere Flächen stehen unter Schnee", "Die Züge fahren wieder nicht"] * 6
UNCASED = ["großere flachen stehen unter wasser", "die zuge fahren wieder punktlich"] * 6

BOTH = (standard_profile, folded_profile)


def write(
    runs: Path, model: str, outputs: list[str], writes: dict | None, ways: tuple,
    references: list[str] = REFERENCES,
) -> Path:  # fmt: skip
    profiles = [way("de") for way in ways]
    found = system_scores(outputs, references, profiles)
    folder = runs / "mine" / "minimum" / model / "seed=0"
    Results(
        dataset="mine", scenario="minimum", model=model, seed=0,
        languages={"source": "en", "target": "de"}, scores={"cross": found.totals},
        signatures={"cross": dict(found.signatures)}, decoding={},
        provenance={} if writes is None else {"writes": {"cross": writes}},
    ).write(folder / "results.json")  # fmt: skip
    write_document_scores(
        folder / DOCUMENT_SCORES, [str(i) for i in range(len(outputs))], {"cross": found.documents}
    )
    return folder


def drawn(runs: Path, profile: str = "standard") -> tuple[Sheet, dict[str, list[str]]]:
    (sheet,) = comparison_sheets(Runs(runs).all, profile=profile)
    return sheet, {str(row[0]): list(map(str, row[1:])) for row in sheet.rows()}


@pytest.fixture
def runs(tmp_path) -> Path:
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, BOTH)
    write(tmp_path, "uncased", UNCASED, {"case": False, "accents": False}, BOTH)
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
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, BOTH)
    write(tmp_path, "lower", UNCASED, {"case": False, "accents": True}, BOTH)
    sheet, rows = drawn(tmp_path)
    assert float(rows["lower"][0]) < 80
    assert not any("folded" in note for note in sheet.notes)


def test_of_an_old_run_the_tokenizer_says_what_it_writes(tmp_path):
    write(tmp_path, "cased", CASED, None, BOTH)
    folder = write(tmp_path, "uncased", UNCASED, None, BOTH)
    assert not any("folded" in note for note in drawn(tmp_path)[0].notes)
    tokenizer = Tokenizer(models.WordLevel({"x": 0}, unk_token="x"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    (folder / "tokenizer").mkdir()
    tokenizer.save(str(folder / "tokenizer" / "tokenizer.json"))
    assert any("profile folded" in note for note in drawn(tmp_path)[0].notes)


def test_runs_without_folded_scores_are_a_gap(runs):
    write(runs, "cased", CASED, {"case": True, "accents": True}, (standard_profile,))
    _, rows = drawn(runs)
    assert rows["cased"][:3] == ["-", "-", "-"]


def test_r_l_is_of_the_kind_that_the_signature_says(tmp_path):
    """Two sentences in another order have a ROUGE-Lsum of 100, and a ROUGE-L of half of that."""
    references = ["Das Wasser steigt\nDie Züge stehen"] * 6
    swapped = ["Die Züge stehen\nDas Wasser steigt"] * 6
    ways = (standard_profile, paper_profile)
    write(tmp_path, "mine", swapped, None, ways, references)
    for profile, kind, shown in (("standard", "rougeL", "50.00"), ("paper", "rougeLsum", "100.00")):
        sheet, rows = drawn(tmp_path, profile)
        assert any(f"|L:{kind}|" in note for note in sheet.notes)
        assert rows["mine"][2] == shown


def test_the_folded_profile_may_be_asked_for(tmp_path):
    write(tmp_path, "cased", CASED, {"case": True, "accents": True}, BOTH)
    (run,) = Runs(tmp_path).all
    _, rows = drawn(tmp_path, "folded")
    assert rows["cased"][0] == f"{100 * run.scores['cross']['folded_rouge1_f']:.2f}"
    assert np.isclose(replace(run).scores["cross"]["folded_rouge1_f"], 0.8)


def test_a_cell_is_the_mean_over_seeds_and_the_difference_is_to_what_is_shown(tmp_path):
    for seed, f1 in enumerate((0.1, 0.2, 0.27)):
        write_run(tmp_path, "en2desum", "minimum", "ncls", seed, num=NUM)
        change(at(tmp_path, "ncls", seed), scores__cross__rouge1_f=f1)
        (at(tmp_path, "ncls", seed).parent / "scores.npz").unlink()
    row = rows(table(2, tmp_path, "en2desum")[0])["minimum", "NCLS"]
    assert row["R-1 ours"] == "19.00 ±8.54"  # variance (81 + 1 + 64) / 2 = 73
    assert (row["R-1 paper"], row["R-1 diff."]) == ("17.59", "+1.41")
    assert row["Seeds"] == "3"


def test_an_outside_system_is_a_row_of_its_scenario(tmp_path):
    run = write_run(tmp_path, "en2desum", "minimum", "ncls", 0, num=NUM)
    outside = replace(run, model="theirs", provenance={})
    outside.write(at(tmp_path, "theirs"))
    cells = rows(table(2, tmp_path, "en2desum")[0])
    assert list(cells)[3] == ("minimum", "theirs")
    assert cells["minimum", "theirs"]["R-1 ours"] == cells["minimum", "NCLS"]["R-1 ours"]
    assert cells["minimum", "theirs"]["R-1 paper"] == "-"


def test_pretraining_and_models_from_scratch_are_not_in_table_2(tmp_path):
    write_run(tmp_path, "en2desum", "full", "ms", 0, num=NUM)
    write_run(tmp_path, "en2desum", "minimum", "mclas_scratch", 0, num=NUM)
    assert len(rows(table(2, tmp_path, "en2desum")[0])) == 13


def test_seeds_of_two_kinds_have_no_mean(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, "en2desum", "minimum", "mclas", seed, num=NUM)
    change(at(tmp_path, "mclas", 1), signatures__cross__rouge="rouge|version:1")
    (sheet,) = table(2, tmp_path, "en2desum")
    row = rows(sheet)["minimum", "MCLAS"]
    assert (row["R-1 ours"], row["BERTScore ours"]) != ("-", "-")
    assert row["R-1 ours"] == "-"
    assert "No mean of seeds that differ in signature or test set: minimum/mclas." in sheet.notes
    assert f"mclas rescore {tmp_path}/en2desum" in sheet.commands


def test_without_scores_of_the_papers_profile_a_cell_is_missing(tmp_path):
    write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    path = at(tmp_path, "mclas")
    record = json.loads(path.read_text())
    scores, signatures = record["scores"]["cross"], record["signatures"]["cross"]
    scores = {name: value for name, value in scores.items() if not name.startswith("paper_")}
    signatures = {name: value for name, value in signatures.items() if name != "paper_rouge"}
    change(path, scores__cross=scores, signatures__cross=signatures)
    (path.parent / "scores.npz").unlink()
    row = rows(table(2, tmp_path, "en2desum", profile="paper")[0])["minimum", "MCLAS"]
    assert (row["R-1 ours"], row["R-2 ours"], row["R-L ours"]) == ("-", "-", "-")
    assert row["BERTScore ours"] != "-"
    assert rows(table(2, tmp_path, "en2desum")[0])["minimum", "MCLAS"]["R-1 ours"] != "-"
