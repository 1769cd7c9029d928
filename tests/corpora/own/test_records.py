import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mclas_lightning.corpora.own.files import KINDS
from mclas_lightning.corpora.own.records import fields_named, read_examples
from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from mclas_lightning.files import sha256

ROWS = [
    {"document": 'He said "no, no;\tnever".\nThen he left.', "mono": "a, b\nc", "cross": '"d"'},
    {"document": "Ein Satz.", "mono": "x", "cross": "\u00df\u4e2d"},
]
EXAMPLES = [Example(id=f"train-{n}", **row) for n, row in enumerate(ROWS, start=1)]


def read(path, fields=""):
    """The examples of a file, and the log."""
    kind = KINDS[path.suffix]
    log, sources = Log(), Sources(lambda num: None)
    return list(read_examples(kind, [path], "train", fields_named(fields), sources, log)), log


def write_table(path, delimiter=",", rows=ROWS):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_arrow(path, stream):
    table = pa.Table.from_pylist(ROWS)
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    with path.open("wb") as file, opened(file, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "x.jsonl": lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in ROWS)),
    "x.csv": write_table,
    "semicolons.csv": lambda path: write_table(path, ";"),
    "x.tsv": lambda path: write_table(path, "\t"),
    "x.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
    "stream.arrow": lambda path: write_arrow(path, stream=True),
    "file.arrow": lambda path: write_arrow(path, stream=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_holds_the_same_examples(tmp_path, name):
    WRITERS[name](tmp_path / name)
    assert read(tmp_path / name)[0] == EXAMPLES


def test_the_hashes_of_read_files_are_kept(tmp_path):
    WRITERS["x.parquet"](tmp_path / "x.parquet")
    sources = Sources(lambda num: None)
    list(read_examples("parquet", [tmp_path / "x.parquet"], "train", {}, sources, Log()))
    assert [file["sha256"] for file in sources.files] == [sha256(tmp_path / "x.parquet")]


def test_fields_have_names_of_their_own_also_within_others(tmp_path):
    record = {"n": 7, "text": "D", "translation": {"en": "A", "uk": "B"}}
    (tmp_path / "x.jsonl").write_text(json.dumps(record))
    names = "id=n,document=text,mono=translation.en,cross=translation.uk"
    expected = Example(id="7", document="D", mono="A", cross="B")
    assert read(tmp_path / "x.jsonl", names)[0] == [expected]


def test_a_corpus_may_be_without_mono_summaries(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"document": "D", "cross": "B"}')
    assert read(tmp_path / "x.jsonl")[0] == [Example(id="train-1", document="D", cross="B")]


def test_a_record_with_an_empty_text_is_skipped_and_counted(tmp_path):
    records = [{"document": "D", "cross": "B"}, {"document": " ", "cross": "B"}, {"document": "D"}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, records)))
    examples, log = read(tmp_path / "x.jsonl")
    assert len(examples) == 1
    assert log.skipped["a text is missing or empty"]["records"] == 2
    assert log.skipped["a text is missing or empty"]["first"].endswith("x.jsonl:2")


def test_two_or_three_parallel_files_are_told_by_the_ends_of_their_names(tmp_path):
    for name, text in (("a.fr", "D 1\nD 2\n"), ("a.uk", "B 1\nB 2\n"), ("a.sum", "A 1\nA 2\n")):
        (tmp_path / name).write_text(text)

    def found(*names, fields):
        paths = [tmp_path / name for name in names]
        return list(
            read_examples(
                "lines", paths, "train", fields_named(fields), Sources(lambda num: None), Log()
            )
        )

    two = found("a.fr", "a.uk", fields="document=.fr,cross=.uk")
    assert two == [Example(id=f"train-{n}", document=f"D {n}", cross=f"B {n}") for n in (1, 2)]
    three = found("a.uk", "a.fr", "a.sum", fields="document=.fr,mono=.sum,cross=.uk")
    assert [example.mono for example in three] == ["A 1", "A 2"]
    with pytest.raises(InputError, match=r"a.fr: the end of its name tells no field"):
        found("a.fr", "a.uk", fields="")
    with pytest.raises(InputError, match=r"no file beside it holds field 'cross'"):
        found("a.fr", "a.sum", fields="document=.fr,mono=.sum")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", b'document,cross\n"open,B\n', "is no CSV: unexpected end of data"),
        ("x.csv", b"document,cross\nD,B,C\n", ":2: this row has more cells than the first row, 2"),
        ("x.csv", b"document,cross\nD\n", ":2: this row has fewer cells"),
        ("x.csv", b"document,cross\nD,B\x00\n", ":2: is no text in UTF-8"),
        ("x.csv", b"document,cross\n\xff,B\n", ":2: is no text in UTF-8"),
        (
            "x.csv",
            b"document,cross,cross\nD,B,C\n",
            "x.csv: column 'cross' is there more than once",
        ),
        ("x.tsv", b"mono\tdocument\tcross\tmono\nA\tD\tB\tC\n", "column 'mono' is there more"),
        ("x.csv", b"text,cross\nD,B\n", r"no field 'document' .* first row\) are text, cross"),
        (
            "x.tsv",
            b"A storm hit the city of Athens on Tuesday evening\tSturm\nD\tB\n",
            r"are A storm hit the city of Athens on Tu\.\.\., Sturm; say",
        ),
        ("x.jsonl", b'{"dialogue": "D"}', r"no field 'document' .* first row\) are dialogue; say"),
        ("x.jsonl", b'{"document": 3, "cross": "B"}', ":1: field 'document' must be a string"),
        ("x.jsonl", b"\x89PNG\r\n", "not a line of JSON in UTF-8"),
        ("x.jsonl", b"[]", "a JSON array"),
        ("x.parquet", b"PAR1 nothing", "is damaged, or is no parquet file"),
        ("x.arrow", b"nothing at all", "is damaged, or is no arrow file"),
    ],
)
def test_a_damaged_or_other_file_is_one_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read(tmp_path / name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("documents=x", "did you mean 'document'"), ("cross", "expected FIELD=NAME, found 'cross'")],
)
def test_a_mistake_in_the_names_of_fields_is_named(text, said):
    with pytest.raises(InputError, match=said):
        fields_named(text)


def test_what_the_first_record_lacks_others_may_have(tmp_path):
    rows = [
        {"document": "d", "cross": "c"},
        {"document": "e", "cross": "f", "mono": "m", "id": "x"},
    ]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, _ = read(tmp_path / "x.jsonl")
    assert [(e.id, e.mono) for e in found] == [("train-1", None), ("x", "m")]


def test_a_text_in_the_place_of_a_nested_field_is_a_missing_one(tmp_path):
    rows = [{"text": {"en": "d"}, "cross": "c"}, {"text": "plain", "cross": "c"}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, log = read(tmp_path / "x.jsonl", "document=text.en")
    assert len(found) == 1
    assert log.skipped["a text is missing or empty"]["records"] == 1


@pytest.mark.parametrize("name", ["x.parquet", "stream.arrow", "file.arrow"])
def test_a_text_that_is_not_utf8_is_a_damaged_file(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    path.write_bytes(path.read_bytes().replace(b"Ein Satz.", b"\xffin Satz."))
    with pytest.raises(InputError, match=r"is damaged, or is no .*UTF8"):
        read(path)


def test_a_time_that_python_has_not_is_a_damaged_file(tmp_path):
    far = pa.array([2**62, 2**62], pa.timestamp("us"))
    table = pa.Table.from_pylist(ROWS).append_column("when", far)
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="is damaged, or is no parquet file"):
        read(tmp_path / "x.parquet")


def test_only_columns_that_hold_a_field_have_to_be_there_once(tmp_path):
    (tmp_path / "x.csv").write_text("document,note,cross,note,,\nD,1,B,2,,\n")
    assert read(tmp_path / "x.csv")[0] == [Example(id="train-1", document="D", cross="B")]
    with pytest.raises(InputError, match="column 'note' is there more than once"):
        read(tmp_path / "x.csv", "mono=note")


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow"])
def test_a_column_that_is_twice_in_a_table_of_arrow_is_refused(tmp_path, name):
    columns = [pa.array([text]) for text in "DBC"]
    table = pa.Table.from_arrays(columns, names=["document", "cross", "cross"])
    if name == "x.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    with pytest.raises(InputError, match=f"{name}: column 'cross' is there more than once"):
        read(tmp_path / name)
