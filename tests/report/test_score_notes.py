import pytest

from benchmarks.runs import write_run, write_runs
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.sheet import Cell
from tests.report.score_sheets import NUM, TABLE2, at, change, rows, table


def test_another_signature_is_said_and_nothing_is_ranked_or_subtracted(tmp_path):
    write_runs(tmp_path, ["en2desum"], TABLE2, [0], num=NUM)
    change(at(tmp_path, "mclas"), signatures__cross__rouge="rouge|version:1")
    (sheet,) = table(2, tmp_path, "en2desum")
    notes = "\n".join(sheet.notes)
    assert "Not compared, no differences: ROUGE has 2 signatures." in notes
    assert "rouge|version:1: minimum/mclas/seed=0" in notes
    for row in rows(sheet).values():
        assert row["R-1 ours"] != "-"
        assert row["R-1 diff."] == ""
        assert "*" not in row["R-1 ours"]
    rouge = [c for r in sheet.rows() for c in r[2:11] if isinstance(c, Cell)]
    assert rouge
    assert not any(cell.best or cell.significant for cell in rouge)
    # BERTScore has one signature: it is compared as ever.
    assert rows(sheet)["minimum", "MCLAS"]["BERTScore diff."] != ""


def test_a_collapsed_run_is_marked_and_the_reason_said(tmp_path):
    write_runs(tmp_path, ["en2desum"], TABLE2, [0], num=NUM)
    change(at(tmp_path, "mclas"), scores__cross__wrong_language=0.9)
    (sheet,) = table(2, tmp_path, "en2desum")
    assert [name for _, name in rows(sheet) if "suspect" in name] == ["MCLAS (suspect)"]
    (note,) = [note for note in sheet.notes if note.startswith("Suspect, ")]
    assert note.startswith("Suspect, minimum/mclas/seed=0: 90% of the summaries are in another")
    change(at(tmp_path, "mclas"), scores__cross__reference_wrong_language=0.8)
    assert not [note for note in table(2, tmp_path, "en2desum")[0].notes if "Suspect" in note]


@pytest.mark.parametrize(
    "other", [{"provenance__test_sha256": "f" * 64}, {"scores__cross__num": NUM - 1}]
)
def test_another_test_set_is_said_and_nothing_is_ranked_or_subtracted(tmp_path, other):
    write_runs(tmp_path, ["en2desum"], TABLE2, [0], num=NUM)
    change(at(tmp_path, "ncls", scenario="full"), **other)
    (sheet,) = table(2, tmp_path, "en2desum")
    (note,) = [note for note in sheet.notes if "test sets differ" in note]
    assert "full/ncls/seed=0" in note
    assert "minimum/ncls/seed=0" in note
    assert {row["R-1 diff."] for row in rows(sheet).values()} == {""}
    cells = [entry for row in sheet.rows() for entry in row if isinstance(entry, Cell)]
    assert not any(cell.best or cell.significant for cell in cells)


def test_the_papers_profile_shows_its_own_scores_and_says_so(tmp_path):
    run = write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    (standard,), (own,) = (
        table(2, tmp_path, "en2desum", profile=profile) for profile in ("standard", "paper")
    )
    for sheet, name in ((standard, "rouge1_f"), (own, "paper_rouge1_f")):
        shown = rows(sheet)["minimum", "MCLAS"]["R-1 ours"]
        assert shown == f"{100 * run.scores['cross'][name]:.2f}"
    assert any("ROUGE-1.5.5" in note for note in standard.notes)
    assert not any("ROUGE-1.5.5" in note for note in own.notes)
    assert any(note.startswith("ROUGE of profile paper: ") for note in own.notes)


def test_seeds_without_results_are_named_in_tables_of_their_systems(tmp_path):
    write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    write_run(tmp_path, "en2desum", "full", "ms", 0, num=NUM)
    for model, seed, scenario in (("mclas", 8, "minimum"), ("ncls", 0, "full"), ("ms", 1, "full")):
        config = at(tmp_path, model, seed, scenario).with_name("config.yaml")
        config.parent.mkdir(parents=True)
        config.write_text(f"seed: {seed}\n")
    at(tmp_path, "mclas", 8).with_name("diverged.json").write_text("{}")
    ours = comparison_sheets(Runs(tmp_path).of("en2desum"))
    for sheet in (*table(2, tmp_path, "en2desum"), *ours):
        assert "Diverged, not counted: minimum/mclas/seed=8." in sheet.notes
    assert "Not finished: full/ncls/seed=0." in table(2, tmp_path, "en2desum")[0].notes
    assert "Not finished: full/ms/seed=1." in table(6, tmp_path, "en2desum")[0].notes
    assert not any("seed=1" in note for note in ours[0].notes)
