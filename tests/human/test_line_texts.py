import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.sheet import SheetKey, write_sheets
from tests.human.conftest import read_judgements, read_sheet, write_sheet


@pytest.fixture
def folder(tmp_path, runs, fill):
    """Two filled sheets of five documents."""
    write_sheets(runs, tmp_path / "out", num=5, seed=0, annotators=2)
    fill(tmp_path / "out", lambda item, perspective: ("gold", "mclas"))
    return tmp_path / "out"


@pytest.mark.parametrize("column", ["item", "document", "A"])
def test_a_column_that_was_sorted_alone_is_refused_with_file_and_line(folder, column):
    path, key = folder / "annotator2.csv", SheetKey.read(folder)
    names, rows = read_sheet(path)
    cells = [row[column] for row in rows]
    write_sheet(path, names, [r | {column: c} for r, c in zip(rows, cells[::-1], strict=True)])
    with pytest.raises(InputError, match=r"annotator2\.csv:2: column '.+' has a text of another"):
        read_judgements(folder, key)
    (folder / "texts.json").unlink()
    assert len(read_judgements(folder, key)) == 2 * 5 * 3


def test_summaries_that_changed_places_are_refused(folder):
    names, rows = read_sheet(folder / "annotator1.csv")
    rows[3] |= {"B": rows[3]["C"], "C": rows[3]["B"]}
    write_sheet(folder / "annotator1.csv", names, rows)
    with pytest.raises(InputError, match=r"annotator1\.csv:5: column 'B' has a text of another"):
        read_judgements(folder, SheetKey.read(folder))


def test_whole_lines_in_another_order_and_spoiled_texts_are_read(folder):
    key = SheetKey.read(folder)
    expected = set(read_judgements(folder, key))
    names, rows = read_sheet(folder / "annotator1.csv")
    rows[2] |= {"document": "d\u00c3\u00b6cument", "A": f" {rows[2]['A']}  "}
    write_sheet(folder / "annotator1.csv", names, rows[::-1])
    assert set(read_judgements(folder, key)) == expected


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "big5", "cp1252", "mac_roman"])
def test_a_column_that_was_sorted_alone_is_refused_in_an_older_encoding(
    tmp_path, run, fill, encoding
):
    """A character that the encoding lacks is written as a question mark."""
    runs = [run(model, text=f"{model} \u00fc\u4eba\u2014 {{n}}") for model in ("ncls", "mclas")]
    write_sheets(runs, tmp_path / "out", num=5, seed=0, annotators=2)
    fill(tmp_path / "out", lambda item, perspective: ("gold", "mclas"))
    path, key = tmp_path / "out" / "annotator2.csv", SheetKey.read(tmp_path / "out")
    expected = read_judgements(tmp_path / "out", key)
    text = path.read_text(encoding="utf-8-sig")
    path.write_bytes(text.encode(encoding, "replace"))
    assert read_judgements(tmp_path / "out", key) == expected
    header, *lines = text.splitlines()
    items = [line.split(",", 1) for line in lines]
    changed = [f"{name},{rest}" for (name, _), (_, rest) in zip(items, items[::-1], strict=True)]
    path.write_bytes("\n".join([header, *changed]).encode(encoding, "replace"))
    (tmp_path / "out" / "annotator1.csv").unlink()
    with pytest.raises(InputError, match=r"annotator2\.csv:2: column '.+' has a text of another"):
        read_judgements(tmp_path / "out", key)
