from pathlib import Path

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.texts import (
    check_parallel,
    check_references,
    read_references,
    read_texts,
    system_names,
)

RECORDS = '{"id": "a", "text": "Sturm"}\n{"id": "b", "text": ""}\n'


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("content", ["\ufeffSturm\r\n\r\n雨\u2028。\r\n", "Sturm\n\n雨\u2028。"])
def test_a_line_is_a_text_whatever_ends_it(tmp_path, content):
    found = read_texts(write(tmp_path / "texts.txt", content))
    assert found.texts == ["Sturm", "", "雨\u2028。"]
    assert found.ids is None


def test_the_released_codes_border_of_sentences_is_a_line_end(tmp_path):
    found = read_texts(write(tmp_path / "x.candidate", "Sturm in Köln<q>drei Verletzte\nRegen\n"))
    assert found.texts == ["Sturm in Köln\ndrei Verletzte", "Regen"]


def test_the_last_text_may_be_empty(tmp_path):
    assert read_texts(write(tmp_path / "texts.txt", "Sturm\n\n")).texts == ["Sturm", ""]


@pytest.mark.parametrize("name", ["texts.jsonl", "texts.json", "texts.txt", "texts"])
def test_jsonl_has_ids_whatever_its_name(tmp_path, name):
    found = read_texts(write(tmp_path / name, "\ufeff" + RECORDS))
    assert (found.ids, found.texts) == (["a", "b"], ["Sturm", ""])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", "", "is empty"),
        ("x.jsonl", "\n\n", "is empty"),
        ("x.txt", "Köln\nBonn\n".encode() + "Köln".encode("latin-1"), "x.txt:3: not in UTF-8"),
        ("x.json", '[{"id": "a", "text": "b"}]', "x.json:1: a JSON array"),
        ("x.json", '{\n "id": "a",\n "text": "b"}', "x.json:1: not a line of JSON"),
        ("x.txt", "\n" + RECORDS, "x.txt:1: this line is empty"),
        ("x.jsonl", RECORDS + "{", "x.jsonl:3: not a line of JSON"),
        ("x.jsonl", '{"id": "a", "text": null}', "x.jsonl:1: expected"),
        ("x.jsonl", '{"id": null, "text": "a"}', "x.jsonl:1: expected"),
        ("x.jsonl", '{"id": "a", "text": "\\ud83d"}', "x.jsonl:1: field 'text' holds half"),
        ("x.jsonl", RECORDS + RECORDS, "id 'a' is used more than once"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path, name, content, message):
    with pytest.raises(InputError) as caught:
        read_texts(write(tmp_path / name, content))
    assert str(caught.value).startswith(f"{tmp_path}/{name}")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt: cannot be read \(No such file"):
        read_texts(tmp_path / "nowhere.txt")


def test_files_of_other_documents_are_not_parallel(tmp_path):
    references = read_texts(write(tmp_path / "r.jsonl", RECORDS))
    check_parallel(references, references)
    check_parallel(read_texts(write(tmp_path / "a.txt", "Regen\nSturm\n")), references)
    fewer = read_texts(write(tmp_path / "b.txt", "Regen\n"))
    with pytest.raises(InputError, match=r"b\.txt has 1 texts, .*r\.jsonl 2; give as many"):
        check_parallel(fewer, references)
    others = read_texts(write(tmp_path / "c.jsonl", RECORDS.replace('"b"', '"c"')))
    with pytest.raises(InputError, match=r"c\.jsonl:2: is of document 'c', line 2 of .* of 'b'"):
        check_parallel(others, references)


def test_a_system_that_wrote_nothing_has_as_many_empty_texts_as_lines(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n \n\n")
    assert read_texts(path).texts == ["", " ", ""]


def test_an_empty_reference_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"r\.jsonl:2: this reference is empty"):
        check_references(read_texts(write(tmp_path / "r.jsonl", RECORDS)))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["ncls.txt", "mclas.jsonl"], ["ncls", "mclas"]),
        (["a/test.txt", "b/test.txt"], ["a/test", "b/test"]),
        (["a/x/test.txt", "b/x/test.txt", "b/y/test.txt"], ["a/x/test", "b/x/test", "b/y/test"]),
        (["a/test.txt", "a/test.jsonl"], ["test.txt", "test.jsonl"]),
        (["a/x.txt", "a/x.json", "b/x.txt"], ["a/x.txt", "a/x.json", "b/x.txt"]),
    ],
)
def test_systems_are_called_as_their_files_are(paths, names):
    assert system_names(list(map(Path, paths))) == names


def test_a_link_to_the_outputs_is_called_as_the_link_is(tmp_path):
    link, other = tmp_path / "ours.txt", write(tmp_path / "theirs.txt", "Sturm\n")
    link.symlink_to(write(tmp_path / "objects" / "5f8e", "Regen\n"))
    assert system_names([link, other]) == ["ours", "theirs"]


def test_one_file_is_not_two_systems():
    with pytest.raises(InputError, match="given more than once"):
        system_names([Path("a.txt"), Path("./a.txt")])


def test_texts_may_begin_with_a_bracket(tmp_path):
    path = write(tmp_path / "x.txt", "{Reuters} Sturm\n[Update] Regen\n")
    assert read_texts(path).texts == ["{Reuters} Sturm", "[Update] Regen"]


@pytest.mark.parametrize("name", ["test.jsonl", "test.json"])
def test_a_corpus_is_told_from_texts_by_its_documents(tmp_path, name):
    texts, corpus = tmp_path / "texts.jsonl", tmp_path / name
    texts.write_text('{"id": "1", "text": "a", "document": "d"}\n')
    assert read_references(texts, "cross") == (read_texts(texts), None)
    corpus.write_text('{"id": "1", "document": "d", "mono": "a", "cross": "b"}\n')
    references, documents = read_references(corpus, "mono")
    assert references.texts == ["a"]
    assert documents == read_texts(corpus, "document")
