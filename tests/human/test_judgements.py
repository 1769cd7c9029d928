import json
import re
from pathlib import Path

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.judgements import Judgement, not_returned
from mclas_lightning.human.results import not_returned_sentence
from mclas_lightning.human.score import score_filled_sheets
from mclas_lightning.human.sheet import SheetKey, write_sheets
from mclas_lightning.human.status import folder_status
from tests.human.conftest import read_judgements, read_sheet, write_sheet


def choice(item, perspective):
    """The gold summary is best; MCLAS is worst, or NCLS is in conciseness."""
    return "gold", "ncls" if perspective == "conciseness" else "mclas"


@pytest.fixture
def folder(tmp_path, runs, fill) -> Path:
    """Two filled sheets of five documents."""
    write_sheets(runs, tmp_path / "out", num=5, seed=0, annotators=2)
    fill(tmp_path / "out", choice)
    return tmp_path / "out"


def read(folder: Path) -> list[Judgement]:
    return read_judgements(folder, SheetKey.read(folder))


def change(path: Path, row: int, **cells: str) -> None:
    names, rows = read_sheet(path)
    rows[row] |= cells
    write_sheet(path, names, rows)


def test_letters_become_systems(folder):
    key, found = SheetKey.read(folder), read(folder)
    expected = {
        (item.annotator, item.document, perspective, *choice(item, perspective))
        for item in key.items.values()
        for perspective in ("informativeness", "conciseness", "fluency")
    }
    assert len(found) == len(expected) == 2 * 5 * 3
    assert set(found) == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_spreadsheets_make_of_a_sheet_is_read(folder, delimiter):
    expected = read(folder)
    names, rows = read_sheet(folder / "annotator1.csv")
    for row in rows:
        row["fluency_best"] = f" {row['fluency_best'].lower()} "
    rows += [dict.fromkeys(names, "")] * 2
    write_sheet(folder / "annotator1.csv", names, rows[::-1], delimiter)
    assert set(read(folder)) == set(expected)


def test_quoted_names_of_columns_are_read(folder):
    expected, path = read(folder), folder / "annotator1.csv"
    header, *rows = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    names = ";".join(f'"{name}"' for name in header.strip().split(","))
    # No text of these sheets holds a comma.
    path.write_text(f"{names}\n" + "".join(rows).replace(",", ";"), encoding="utf-8")
    assert read(folder) == expected


def as_excel_says_it(text: str) -> bytes:
    return f"sep=;\r\n{text.replace(',', ';')}".encode("utf-8-sig")


@pytest.mark.parametrize(
    "written",
    [
        as_excel_says_it,
        lambda text: ("sep=;,,,,\n" + text).encode(),
        lambda text: "".join(
            f"{rest};{item}\n"
            for item, _, rest in (
                line.replace(",", ";").partition(";") for line in text.splitlines()
            )
        ).encode(),
        lambda text: text.replace(",", "\t").encode("utf-16"),
        lambda text: "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"),
        lambda text: text.replace("document", "Schlüssel").encode("cp1252"),
        lambda text: text.replace("document", "文档").encode("gb18030"),
        lambda text: re.sub(
            r",([A-D])(?=,|\s)", lambda f: f",{chr(ord(f[1]) + 0xFEE0)}", text
        ).encode(),
    ],
    ids=[
        "sep",
        "sep as a cell",
        "item last",
        "utf-16",
        "utf-16-be",
        "cp1252",
        "gb18030",
        "full-width letters",
    ],
)
def test_what_programs_make_of_a_sheet_is_read(folder, written):
    expected, path = read(folder), folder / "annotator1.csv"
    header, body = path.read_text(encoding="utf-8-sig").split("\n", 1)
    changed = written(f"{header}\n{body}")
    assert changed != path.read_bytes()
    path.unlink()
    (folder / "Annotator 1.CSV").write_bytes(changed)
    assert set(read(folder)) == set(expected)


def test_the_line_of_a_mistake_is_right_below_a_line_of_excel(folder):
    path = folder / "annotator1.csv"
    change(path, 0, fluency_best="")
    path.write_bytes(as_excel_says_it(path.read_text(encoding="utf-8")))
    with pytest.raises(InputError, match=r"annotator1\.csv:3: column 'fluency_best' is empty"):
        read(folder)


def test_what_a_system_lays_beside_a_sheet_is_no_sheet(folder):
    expected = read(folder)
    for name in ("._annotator1.csv", "~$annotator1.csv", ".~lock.annotator1.csv#"):
        (folder / name).write_bytes(b"\0\5\26\7")
    (folder / "old.csv").mkdir()
    assert read(folder) == expected


def test_a_sheet_that_came_back_as_a_workbook_is_named(folder):
    (folder / "annotator2.csv").rename(folder / "annotator2.XLSX")
    with pytest.raises(InputError, match=r"annotator2\.XLSX: expected a sheet as CSV"):
        read(folder)


@pytest.mark.parametrize("name", ["annotator2.ods", "annotator2.tsv", "annotator2 (1).pdf"])
def test_an_unread_file_beside_a_blank_sheet_is_named(folder, name):
    names, rows = read_sheet(folder / "annotator2.csv")
    blank = [row | dict.fromkeys(names[6:], "") for row in rows]
    write_sheet(folder / "annotator2.csv", names, blank)
    (folder / name).write_bytes(b"PK")
    mistake = f"{folder / name}: expected a sheet as CSV"
    with pytest.raises(InputError, match=re.escape(mistake)):
        read(folder)
    assert folder_status(folder).annotators[1].mistakes[0].startswith(mistake)


@pytest.mark.parametrize("name", ["annotator2.xlsx", "annotator2.csv.bak"])
def test_an_unread_file_beside_a_filled_sheet_of_its_name_is_ignored(folder, name):
    (folder / name).write_bytes(b"PK")
    assert len(read(folder)) == 2 * 5 * 3


def test_a_letter_that_only_looks_right_is_named_by_its_code_point(folder):
    change(folder / "annotator1.csv", 0, fluency_best="\u0410")
    with pytest.raises(
        InputError, match=r"'fluency_best' is '\u0410' \(U\+0410\); expected one of A"
    ):
        read(folder)


def test_a_sheet_that_was_not_given_back_is_left_out_and_named(tmp_path, runs, fill):
    out = tmp_path / "out"
    write_sheets(runs, out, num=5, seed=0, annotators=3)
    fill(out, choice)
    (out / "annotator2.csv").unlink()
    assert {judgement.annotator for judgement in read(out)} == {1, 3}
    assert not_returned(SheetKey.read(out), read(out)) == [2]
    assert not_returned_sentence(score_filled_sheets(out)) == "No sheet came back from annotator 2."


def test_one_annotator_is_too_few(folder):
    (folder / "annotator2.csv").unlink()
    with pytest.raises(
        InputError, match="expected the filled sheets of two annotators or more, found 1"
    ):
        read(folder)


def test_a_folder_without_sheets_is_refused(folder):
    for path in folder.glob("*.csv"):
        path.unlink()
    with pytest.raises(InputError, match=r"no sheet \(\*\.csv\) is here"):
        read(folder)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"fluency_worst": " "}, "column 'fluency_worst' is empty; expected one of A, B, C, D"),
        ({"fluency_best": "E"}, "column 'fluency_best' is 'E'; expected one of A, B, C, D"),
        ({"fluency_best": "AB"}, "column 'fluency_best' is 'AB'; expected"),
        ({"conciseness_best": "B", "conciseness_worst": "b"}, "are both 'B'; expected two diff"),
        ({"item": "s00000000-1"}, "item 's00000000-1' is not one of"),
        ({"item": ""}, "item '' is not one of"),
    ],
)
def test_an_incomplete_or_contradictory_line_is_refused_with_its_number(folder, cells, message):
    path = folder / "annotator2.csv"
    change(path, 3, **cells)
    with pytest.raises(InputError) as caught:
        read(folder)
    assert str(caught.value).startswith(f"{path}:5: ")  # the header is line 1
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_line_is_refused(folder):
    names, rows = read_sheet(folder / "annotator2.csv")
    write_sheet(folder / "annotator2.csv", names, rows[:3] + rows[4:])
    lost = rows[3]["item"]
    with pytest.raises(InputError, match=f"item '{lost}' of annotator 2 is missing"):
        read(folder)


def test_a_copy_of_a_sheet_is_refused(folder):
    copy = folder / "copy.csv"
    copy.write_bytes((folder / "annotator1.csv").read_bytes())
    with pytest.raises(
        InputError, match=r"copy\.csv: has the items of .*annotator1\.csv again; keep one"
    ):
        read(folder)


def test_an_item_that_is_also_in_another_sheet_is_refused_with_both_lines(folder):
    (_, (first, *_)), (names, rows) = (read_sheet(folder / f"annotator{n}.csv") for n in (1, 2))
    write_sheet(folder / "annotator2.csv", names, [first, *rows[1:]])
    with pytest.raises(
        InputError, match=r"annotator2\.csv:2: item .* was already in .*annotator1\.csv:2"
    ):
        read(folder)


def test_a_sheet_of_another_folder_is_refused_in_one_line(folder):
    (folder / "key.json").rename(folder / "mine.json")
    cells = json.loads((folder / "mine.json").read_text())
    cells["items"] = {f"x{name}": item for name, item in cells["items"].items()}
    (folder / "key.json").write_text(json.dumps(cells))
    with pytest.raises(InputError, match=r"annotator1\.csv: none of its 5 items is in .*key\.json"):
        read(folder)


@pytest.mark.parametrize("name", ["annotator3.csv", "Annotator 3.CSV"])
@pytest.mark.parametrize("make", ["folder", "link", "no lines"])
def test_what_is_named_as_a_sheet_and_holds_none_is_refused(folder, name, make):
    path = folder / name
    if make == "folder":
        path.mkdir()
    elif make == "link":
        path.symlink_to(folder / "away.csv")
    else:
        names, _ = read_sheet(folder / "annotator1.csv")
        write_sheet(path, names, [])
    reason = "has no line below its columns" if make == "no lines" else "cannot be read"
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: {reason}"):
        read(folder)


def test_a_missing_column_is_refused(folder):
    names, rows = read_sheet(folder / "annotator1.csv")
    for row in rows:
        del row["fluency_best"]
    write_sheet(folder / "annotator1.csv", [n for n in names if n != "fluency_best"], rows)
    with pytest.raises(InputError, match=r"annotator1\.csv:1: column 'fluency_best' is missing"):
        read(folder)


def test_a_column_that_is_there_twice_is_refused(folder):
    path = folder / "annotator1.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([f"{header},fluency_best", *(f"{line},A" for line in lines)]))
    with pytest.raises(InputError, match=r"csv:1: column 'fluency_best' is there more than once"):
        read(folder)


def test_a_document_of_any_length_is_read(folder):
    expected = read(folder)
    change(folder / "annotator1.csv", 0, document="long " * 40_000)
    assert read(folder) == expected


@pytest.mark.parametrize(
    ("cell", "seconds"), [("12.5", 12.5), ("12,5", 12.5), ("", None)], ids=["page", "comma", "none"]
)
def test_seconds_of_a_page_are_read_also_after_a_spreadsheet(folder, cell, seconds):
    with_seconds(folder / "annotator1.csv", cell)
    found = score_filled_sheets(folder).analysis
    assert found is not None
    assert [one.seconds for one in found.annotators] == [seconds, None]


@pytest.mark.parametrize("cell", ["nan", "inf", "-5", "a while", "12. Mai"])
def test_seconds_that_no_page_writes_are_refused(folder, cell):
    with_seconds(folder / "annotator1.csv", cell)
    with pytest.raises(InputError, match=rf"annotator1\.csv:2: column 'seconds' is '{cell}'"):
        read(folder)


def test_a_line_that_is_cut_short_has_an_empty_column(folder):
    path = folder / "annotator1.csv"
    text = path.read_text(encoding="utf-8").rstrip()
    path.write_text(text[: text.rindex(",")], encoding="utf-8")
    with pytest.raises(InputError, match=r"annotator1\.csv:6: column 'fluency_worst' is empty"):
        read(folder)


def with_seconds(path: Path, cell: str) -> None:
    names, rows = read_sheet(path)
    write_sheet(path, [*names, "seconds"], [row | {"seconds": cell} for row in rows])


@pytest.mark.parametrize("end", [b'"never\nclosed', b"\xff"])
def test_a_damaged_file_is_named_without_an_exceptions_text(folder, end):
    path = folder / "annotator1.csv"
    text = path.read_text(encoding="utf-8")
    path.write_bytes((text.encode("utf-16") if end == b"\xff" else text.encode()) + end)
    with pytest.raises(InputError) as caught:
        read(folder)
    assert str(caught.value) == f"{path}: not a readable CSV file; save it again as CSV (UTF-8)"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"format": 2}, "expected format 1, found 2"),
        (
            {"systems": ["gold"]},
            "systems: expected 2 to 9, each once and none called document, found gold",
        ),
        (
            {"systems": ["ncls", "gold", "gold"]},
            "systems: expected 2 to 9, each once and none called document, found",
        ),
        (
            {"systems": list("abcdefghij")},
            "systems: expected 2 to 9, each once and none called document, found a, b, c",
        ),
        ({"systems": ["ncls", "gold"]}, "the order of item .* is not one of all systems"),
        ({"dataset": "../theirs"}, "dataset.name: names a folder of runs"),
        ({"scenario": "/tmp"}, "scenario: names a folder of runs"),
    ],
)
def test_a_key_of_another_kind_is_refused(folder, cells, message):
    path = folder / "key.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | cells))
    for command in (score_filled_sheets, folder_status):
        with pytest.raises(InputError, match=f"key.json: {message}"):
            command(folder)


@pytest.mark.parametrize("cells", [{"document": "other"}, {"annotator": 2}, {"annotator": 3}])
def test_a_key_in_which_annotators_do_not_judge_the_same_documents_is_refused(folder, cells):
    path = folder / "key.json"
    key = json.loads(path.read_text())
    next(iter(key["items"].values())).update(cells)
    path.write_text(json.dumps(key))
    with pytest.raises(InputError, match=r"key\.json: items: expected one item for each annotator"):
        SheetKey.read(folder)
