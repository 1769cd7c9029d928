import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.csv_lines import csv_lines


def read(path):
    return list(csv_lines(path, ("item", "fluency_best")))


def test_lines_have_their_place_and_empty_cells_where_they_are_cut_short(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('item;fluency_best;notes\n1; A ;"two\nlines"\n;;\n2\n')
    assert read(path) == [
        (f"{path}:3", {"item": "1", "fluency_best": "A", "notes": "two\nlines"}),
        (f"{path}:5", {"item": "2", "fluency_best": "", "notes": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": is empty; copy the sheet again"),
        (b" \r\n", ": is empty"),
        (b"PK\3\4\0\0", ":1: expected the columns of a sheet .item, fluency_best., found none"),
        (b"name,note\n1,2\n", ":1: expected the columns of a sheet"),
        ("Ärger".encode("utf-16"), ":1: expected the columns of a sheet"),
        (b'item,"never\nclosed', ":1: column 'fluency_best' is missing"),
        (b"item,item,fluency_best", ":1: column 'item' is there more than once"),
        (b"\xef\xbb\xbfitem,fluency_best\n1,\xe9\n", ": not a readable CSV file; save it again"),
        (b'item,fluency_best\n"1', ": not a readable CSV file; save it again"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.csv{message}"):
        read(path)
