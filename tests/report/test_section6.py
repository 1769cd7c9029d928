from mclas_lightning.report.section6 import analyzed, heads_pictures, report_sheets
from tests.report.analyses import made_up_analysis


def test_runs_without_an_analysis_are_left_out(tmp_path):
    made_up_analysis(tmp_path / "a")
    assert analyzed([tmp_path / "a", tmp_path / "b"]) == [tmp_path / "a"]


def test_figures_are_of_the_first_run_that_has_their_kinds(tmp_path):
    made_up_analysis(tmp_path / "ncls", one_side=True)
    made_up_analysis(tmp_path / "mclas")
    pictures = heads_pictures([tmp_path / "ncls", tmp_path / "mclas"])
    assert pictures.count("<svg") == 2
    assert "summarization, 1.1" in pictures
    assert heads_pictures([tmp_path / "ncls"]) == ""


def test_a_damaged_analysis_is_a_note(tmp_path):
    made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "heads.json").write_text("{}")
    whole, damaged = report_sheets([tmp_path / "a", tmp_path / "b"])
    assert len(whole.sections) == 2
    assert damaged.sections == []
    assert "expected format 1" in damaged.notes[0]
