from dataclasses import replace

from mclas_lightning.report.section6 import analyzed, sheets_and_pictures
from tests.report.analyses import made_up_analysis


def test_runs_without_an_analysis_are_left_out(tmp_path):
    made_up_analysis(tmp_path / "a")
    assert analyzed([tmp_path / "a", tmp_path / "b"]) == [tmp_path / "a"]


def test_figures_are_of_the_first_run_that_has_their_kinds(tmp_path):
    made_up_analysis(tmp_path / "ncls", one_side=True)
    made_up_analysis(tmp_path / "mclas")
    _, pictures = sheets_and_pictures([tmp_path / "ncls", tmp_path / "mclas"])
    assert pictures.count("<svg") == 2
    assert "summarization, 1.1" in pictures
    assert sheets_and_pictures([tmp_path / "ncls"])[1] == ""


def test_a_damaged_analysis_is_a_note(tmp_path):
    made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "heads.json").write_text("{}")
    (whole, damaged), _ = sheets_and_pictures([tmp_path / "a", tmp_path / "b"])
    assert len(whole.sections) == 2
    assert damaged.sections == []
    assert "expected format 1" in damaged.notes[0]


def test_damaged_maps_are_a_note_below_the_table(tmp_path):
    made_up_analysis(tmp_path)
    (tmp_path / "heads.npz").write_bytes(b"none")
    (whole, damaged), pictures = sheets_and_pictures([tmp_path])
    assert len(whole.sections) == 2
    assert "heads.npz: cannot be read" in damaged.notes[0]
    assert pictures == ""


def test_tables_of_two_runs_have_two_names(tmp_path):
    found = made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    replace(found, run=found.run | {"seed": 1}, shown=[]).write(tmp_path / "b", [])
    sheets, _ = sheets_and_pictures([tmp_path / "a", tmp_path / "b"])
    assert len({sheet.name for sheet in sheets}) == 2
