from benchmarks.runs import write_runs
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.render import sheets_as_text
from mclas_lightning.report.tables import TABLE_NUMBERS, TableRequest, paper_table
from tests.report.score_sheets import NUM, TABLE2, table


def test_equal_runs_make_equal_tables_in_every_format(tmp_path):
    for folder in ("a", "b"):
        write_runs(tmp_path / folder, ["en2desum"], TABLE2, [0, 1], num=NUM)
    for form in ("markdown", "latex", "csv"):
        first, second = (sheets_as_text(table(2, tmp_path / f, "en2desum"), form) for f in "ab")
        assert first == second.replace(str(tmp_path / "b"), str(tmp_path / "a"))


def test_each_number_is_a_table_of_the_paper_with_a_sheet_for_each_of_its_datasets(tmp_path):
    request = TableRequest(Runs(tmp_path), [], data=tmp_path)
    sheets = {num: paper_table(num, request) for num in TABLE_NUMBERS}
    assert {num: len(found) for num, found in sheets.items()} == {
        **{1: 3, 2: 3, 3: 1, 4: 1, 5: 2, 6: 2, 7: 1}
    }
    for num, found in sheets.items():
        assert {sheet.label for sheet in found} == {f"Table {num}"}
        assert {sheet.name.partition("-")[0] for sheet in found} == {f"table{num}"}
