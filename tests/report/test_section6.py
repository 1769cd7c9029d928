from dataclasses import replace

from mclas_lightning.report.heads_page import heads_page
from mclas_lightning.report.section6 import analyzed, section6
from tests.report.analyses import made_up_analysis


def test_runs_without_an_analysis_are_left_out(tmp_path):
    made_up_analysis(tmp_path / "a")
    assert analyzed([tmp_path / "a", tmp_path / "b"]) == [tmp_path / "a"]


def test_figures_are_of_the_first_run_that_has_all_kinds(tmp_path):
    made_up_analysis(tmp_path / "ncls", one_side=True)
    made_up_analysis(tmp_path / "mclas")
    picture = section6([tmp_path / "ncls", tmp_path / "mclas"]).picture
    assert picture.count("<svg") == 4  # Figures 5, 6, 9, 10.
    assert "summarization, 1.1" in picture
    assert section6([tmp_path / "ncls"]).picture.count("<svg") == 3  # All but Figure 6.


def test_each_run_has_its_page(tmp_path):
    found = made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    replace(found, run=found.run | {"model": "x"}, shown=[]).write(tmp_path / "b", [])
    pages = section6([tmp_path / "a", tmp_path / "b"]).pages
    assert pages == {"toy_en2de-minimum-mclas-seed=0.html": heads_page(tmp_path / "a")}


def test_a_damaged_analysis_is_a_note(tmp_path):
    made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "heads.json").write_text("{}")
    (whole, damaged), *_ = section6([tmp_path / "a", tmp_path / "b"])
    assert len(whole.sections) == 2
    assert damaged.sections == []
    assert "expected format 2" in damaged.notes[0]


def test_damaged_maps_are_a_note_below_the_table(tmp_path):
    made_up_analysis(tmp_path)
    (tmp_path / "heads.npz").write_bytes(b"none")
    (whole, damaged), picture, pages = section6([tmp_path])
    assert len(whole.sections) == 2
    assert "heads.npz: cannot be read" in damaged.notes[0]
    assert not picture
    assert not pages


def test_tables_of_two_runs_have_two_names(tmp_path):
    found = made_up_analysis(tmp_path / "a")
    (tmp_path / "b").mkdir()
    replace(found, run=found.run | {"seed": 1}, shown=[]).write(tmp_path / "b", [])
    sheets, *_ = section6([tmp_path / "a", tmp_path / "b"])
    assert len({sheet.name for sheet in sheets}) == 2
