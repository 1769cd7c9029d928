import pytest
from rich.console import Console

from mclas_lightning.errors import InputError
from mclas_lightning.human.judgements import complete_sheets
from mclas_lightning.human.sheet import SheetKey, write_sheets
from mclas_lightning.human.status import draw_status, folder_status, status_lines
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


def counted(folder) -> str:
    return status_lines(folder_status(folder))[-1]


def test_all_who_returned_everything_are_complete(folder):
    assert counted(folder) == "100 complete"
    assert shown(folder).count(" complete ") == 100
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
    for name in ("annotator2-answers.csv", "theirs.csv"):
        (folder / name).write_bytes((tmp_path / "other/annotator2.csv").read_bytes())

    found = folder_status(folder)
    assert found.has_mistakes
    states = {one.annotator: one.state for one in found.annotators}
    assert {n: state for n, state in states.items() if state != "complete"} == {
        2: "mistakes", 3: "not returned", 7: "not returned", 9: "mistakes", 11: "incomplete",
        13: "incomplete", 17: "incomplete",
    }  # fmt: skip
    of = {one.annotator: one for one in found.annotators}
    assert of[9].files == ["annotator9 (1).csv", "annotator9.csv"]
    (again,) = of[9].mistakes
    assert again == (
        f"{folder / 'annotator9.csv'}: has the items of {folder / 'annotator9 (1).csv'} again; "
        "keep one of the two"
    )
    assert (of[11].answered, of[11].documents) == (2, 3)
    assert "no line for item" in of[11].mistakes[0]
    assert [mistake.split(": ")[1][:22] for mistake in of[13].mistakes] == [
        "column 'fluency_best' ", "column 'fluency_worst'",
    ]  # fmt: skip
    assert of[13].answered == 1
    foreign = f"none of its 3 items is in {folder / 'key.json'}; it is a sheet of another folder"
    assert of[2].mistakes == [f"{folder / 'annotator2-answers.csv'}: {foreign}"]
    assert "expected a sheet as CSV" in of[17].mistakes[0]
    assert found.strange == [f"{folder / 'theirs.csv'}: {foreign}"]
    assert counted(folder) == "93 complete, 2 mistakes, 2 not returned, 3 incomplete"
    assert f"of no annotator: {found.strange[0]}" in status_lines(found)
    (folder / "annotator2-answers.csv").unlink()
    (folder / "annotator9 (1).csv").unlink()
    with pytest.raises(InputError, match=r"annotator13\.csv:3: column 'fluency_best'"):
        complete_sheets(folder, SheetKey.read(folder))
