import pytest
from rich.console import Console

from mclas_lightning.errors import InputError
from mclas_lightning.human.judgements import complete_sheets
from mclas_lightning.human.sheet import SheetKey, write_sheets
from mclas_lightning.human.status import draw_status, folder_status
from tests.human.conftest import read_sheet, write_sheet


@pytest.fixture
def folder(tmp_path, runs, fill):
    """A hundred filled sheets of three documents."""
    write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=100)
    fill(tmp_path / "out", lambda item, perspective: ("gold", "mclas"))
    return tmp_path / "out"


def shown(folder) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(draw_status(folder_status(folder)))
    return captured.get()


def test_all_who_returned_everything_are_complete(folder):
    assert shown(folder).splitlines()[-1] == "100 complete"
    assert not folder_status(folder).has_mistakes


def test_absent_blank_doubled_partial_wrong_and_foreign_sheets_are_told_apart(
    folder, tmp_path, runs, fill
):
    (folder / "annotator3.csv").unlink()
    names, rows = read_sheet(folder / "annotator7.csv")
    write_sheet(
        folder / "annotator7.csv", names, [row | dict.fromkeys(names[6:], "") for row in rows]
    )
    (folder / "annotator9 (1).csv").write_bytes((folder / "annotator9.csv").read_bytes())
    names, rows = read_sheet(folder / "annotator11.csv")
    write_sheet(folder / "annotator11.csv", names, rows[:2])
    names, rows = read_sheet(folder / "annotator13.csv")
    rows[1]["fluency_best"], rows[2]["fluency_worst"] = "E", ""
    write_sheet(folder / "annotator13.csv", names, rows)
    (folder / "annotator17.csv").rename(folder / "annotator17.xlsx")
    write_sheets(runs, tmp_path / "other", num=3, seed=1, annotators=2)
    fill(tmp_path / "other", lambda item, perspective: ("gold", "mclas"))
    (folder / "annotator2-answers.csv").write_bytes(
        (tmp_path / "other/annotator2.csv").read_bytes()
    )

    found = folder_status(folder)
    assert found.has_mistakes
    states = {one.annotator: one.state for one in found.annotators}
    assert {n: state for n, state in states.items() if state != "complete"} == {
        3: "not returned", 7: "not returned", 9: "incomplete", 11: "incomplete",
        13: "incomplete", 17: "not returned",
    }  # fmt: skip
    of = {one.annotator: one for one in found.annotators}
    assert of[9].files == ["annotator9 (1).csv", "annotator9.csv"]
    assert len(of[9].mistakes) == 3
    assert all("was already in" in mistake for mistake in of[9].mistakes)
    assert (of[11].answered, of[11].documents) == (2, 3)
    assert "no line for item" in of[11].mistakes[0]
    assert [mistake.split(": ")[1][:22] for mistake in of[13].mistakes] == [
        "column 'fluency_best' ", "column 'fluency_worst'",
    ]  # fmt: skip
    assert of[13].answered == 1
    assert ["is not one of" in mistake for mistake in found.strange] == [False] + [True] * 3
    assert "expected a sheet as CSV" in found.strange[0]
    assert shown(folder).splitlines()[-1] == "94 complete, 3 not returned, 3 incomplete"
    with pytest.raises(InputError, match=r"annotator13\.csv:3: column 'fluency_best'"):
        complete_sheets(folder, SheetKey.read(folder))
