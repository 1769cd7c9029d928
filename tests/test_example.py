import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, read_jsonl, text_record, write_jsonl
from tests.conftest import examples

GOOD = {"id": "1", "document": "A storm.", "mono": "storm", "cross": "Sturm"}


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "train.jsonl"
    odd = Example(id="x", document='quotes " and\u2028separators', mono="暴雨", cross=None)
    assert write_jsonl(path, [*examples(5), odd]) == 6
    assert list(read_jsonl(path)) == [*examples(5), odd]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{not json", "not a line of JSON"),
        ("{not json", "UTF-8; write one JSON object a line$"),
        ('["a list"]', "a JSON array; write one JSON object a line$"),
        ("[", "it begins a JSON array: write one JSON object a line$"),
        ("3", "expected a JSON object, found int"),
        (json.dumps(GOOD | {"id": 1.5}), "'id' must be a string or a whole number, found float"),
        ("\n" + json.dumps(GOOD), "this line is empty"),
        (json.dumps(GOOD | {"document": ""}), "field 'document' is empty"),
        (json.dumps(GOOD | {"document": "  "}), "field 'document' is empty"),
        (json.dumps(GOOD | {"mono": 3}), "field 'mono' must be a string, found int"),
        (json.dumps(GOOD | {"document": "half \ud83d"}), "holds half a character"),
        (json.dumps(GOOD | {"id": None}), "field 'id' is empty"),
        (json.dumps({"id": "2", "document": "d", "mono": "m"}), "field 'cross' is missing"),
        (json.dumps(GOOD), "id '1' was used before"),
    ],
)
def test_a_bad_line_is_named_with_file_and_number(tmp_path, line, said):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=said) as error:
        list(read_jsonl(path, ("mono", "cross")))
    assert str(error.value).startswith(f"{path}:2: ")
    assert "\n" not in str(error.value)


def test_a_summary_that_no_task_needs_may_be_missing(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"id": "1", "document": "d", "mono": "m"}\n', encoding="utf-8")
    assert list(read_jsonl(path, ("mono",))) == [Example(id="1", document="d", mono="m")]


@given(st.binary(max_size=200))
def test_any_bytes_give_examples_or_one_clear_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "x.jsonl"
    path.write_bytes(content)
    try:
        list(read_jsonl(path))
    except InputError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


def test_a_writer_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "train.jsonl"
    write_jsonl(path, examples(3))

    def broken():
        yield examples(1)[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(path, broken())
    assert list(read_jsonl(path)) == examples(3)
    assert [p.name for p in tmp_path.iterdir()] == ["train.jsonl"]


@pytest.mark.parametrize(
    ("encoding", "advice"),
    [
        *((name, "the file is in UTF-16: save it as UTF-8") for name in ("utf-16", "utf-16-be")),
        ("latin-1", "save the file as UTF-8"),
    ],
)
def test_another_encoding_is_named_without_pythons_words(tmp_path, encoding, advice):
    path = tmp_path / "train.jsonl"
    path.write_bytes('{"id": "1", "document": "\u00e4"}\n'.encode(encoding))
    with pytest.raises(InputError) as error:
        list(read_jsonl(path))
    assert str(error.value) == f"{path}:1: not a line of JSON in UTF-8; {advice}"


def test_only_a_name_stands_for_the_missing_id_of_a_text():
    assert text_record(b'{"id": 3, "text": "a"}', "text", "x:1", "7") == ("3", "a")
    assert text_record(b'{"text": "a"}', "text", "x:1", "7") == ("7", "a")
    with pytest.raises(InputError, match=r"x:1: expected .* with a string each"):
        text_record(b'{"text": "a"}', "text", "x:1")
    with pytest.raises(InputError, match=r"x:1: expected .*, in which id may be missing"):
        text_record(b'{"id": 3, "text": null}', "text", "x:1", "7")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "ä"}'.encode("latin-1"), "save the file as UTF-8"),
        ('{"text": "a"}'.encode("utf-16"), "the file is in UTF-16: save it as UTF-8"),
        (b'{"text": "\\ud83d"}', "field 'text' holds half a character"),
        (b'{"id": "\\ud83d", "text": "a"}', "field 'id' holds half a character"),
        (b'{"id": false, "text": "a"}', "field 'id' must be a string or .*, found bool"),
        (b'{"text": 3}', "field 'text' must be a string, found int"),
        (b" ", "this line is empty"),
        (b'[{"text": "a"}]', "a JSON array"),
    ],
)
def test_a_bad_line_of_texts_is_named_by_its_mistake(line, said):
    with pytest.raises(InputError, match=f"^x:1: .*{said}"):
        text_record(line, "text", "x:1", "7")
