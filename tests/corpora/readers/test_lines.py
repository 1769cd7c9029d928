import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import examples, outcome, read_lines

EN_DE: dict[str, Any] = {"source": "en", "target": "de"}


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def found(out, split="train"):
    return [Example(**record) for record in read_lines(out / f"{split}.jsonl")]


def test_parallel_lines_are_examples_with_byte_pairs_joined(tmp_path):
    write(tmp_path / "raw", {
        "train.source": "a st@@ orm hit Vien@@ na\nno fire\n",
        "train.target.ms": "st@@ orm\nno fire",
        "train.target.cls": "ein St@@ urm\nkein Feuer\n",
        "valid.source": "rain\n\n", "valid.target.cls": "Regen\nleer\n",
    })  # fmt: skip
    manifest = import_corpus("lines", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert found(tmp_path / "out") == [
        Example(id="train-1", document="a storm hit Vienna", mono="storm", cross="ein Sturm"),
        Example(id="train-2", document="no fire", mono="no fire", cross="kein Feuer"),
    ]
    assert found(tmp_path / "out", "valid") == [
        Example(id="valid-1", document="rain", cross="Regen")
    ]
    skipped = manifest["counts"]["valid"]["skipped"]["a line is empty"]
    assert skipped["first"].endswith("valid.source:2")


def test_a_byte_pair_at_a_lines_end_is_joined_too(tmp_path):
    write(tmp_path / "raw", {
        "train.source": "a st@@ orm hit Vien@@\nno fi@@  re@@ \nx\n",
        "train.target.cls": "St@@\r\nkein Feu@@ er\nein@@ s\n",
    })  # fmt: skip
    import_corpus("lines", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert [(e.document, e.cross) for e in found(tmp_path / "out")] == [
        ("a storm hit Vien", "St"), ("no fi re", "kein Feuer"), ("x", "eins"),
    ]  # fmt: skip


def test_borders_of_sentences_in_a_summary_stay(tmp_path):
    write(tmp_path / "raw", {
        "train.source": "one <q> story\u2028of two\n",
        "train.target.ms": " storm  hits <q>nobody hurt<q> \n",
        "train.target.cls": "Sturm trifft\u2028keiner verletzt\n",
    })  # fmt: skip
    import_corpus("lines", [tmp_path / "raw"], tmp_path / "lines", **EN_DE)
    assert found(tmp_path / "lines") == [
        Example(
            id="train-1", document="one <q> story of two", mono="storm hits\nnobody hurt",
            cross="Sturm trifft\nkeiner verletzt",
        )
    ]  # fmt: skip
    row = {"text": "a\nb", "summary": "Sturm  trifft \n\n keiner verletzt\r\n"}
    write(tmp_path / "en2de", {"train.jsonl": json.dumps(row)})
    import_corpus("en2desum", [tmp_path / "en2de"], tmp_path / "out")
    assert found(tmp_path / "out") == [
        Example(id="train-1", document="a b", cross="Sturm trifft\nkeiner verletzt")
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"train.target.cls": "eins\n"}, r"source has 2, .*target\.cls has 1 lines; parallel"),
        ({"train.target.cls": "1\n2\n3\n"}, r"source has 2, .*target\.cls has 3 lines; parallel"),
        ({"train.target.cls": b"eins\n\xff\n"}, r"target\.cls:2: not in UTF-8"),
        ({}, r"'train' needs a file that ends in \.source, and one or both of \.target\.ms"),
    ],
)  # fmt: skip
def test_files_that_are_not_parallel_are_refused(tmp_path, files, said):
    write(tmp_path / "raw", {"train.source": "one\ntwo\n", **files})
    with pytest.raises(InputError, match=said):
        import_corpus("lines", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert not (tmp_path / "out").exists()


def test_en2desum_has_german_summaries_alone(tmp_path):
    rows = [{"text": f"story  {i}", "summary": f"Meldung {i}"} for i in range(3)]
    text = "\n".join(map(json.dumps, [*rows, {"text": "story", "summary": " "}]))
    write(tmp_path / "en2de", {"train.jsonl": text, "test.jsonl": text})
    manifest = import_corpus("en2desum", [tmp_path / "en2de"], tmp_path / "out")
    assert found(tmp_path / "out") == [
        Example(id=f"train-{i + 1}", document=f"story {i}", cross=f"Meldung {i}") for i in range(3)
    ]
    assert manifest["dataset"] == "en2desum"
    assert manifest["counts"]["test"]["skipped"]["text or summary is empty"]["records"] == 1


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"3", b'{"text": "a"}', b'{"text": "a", "summary": 3}', b"\xff",
     b'{"text": "a", "summary": "\\ud800"}', b"[" * 100_000, b'{"text": "a", "summ'],
)  # fmt: skip
def test_a_line_that_is_not_en2desums_is_placed(tmp_path, line):
    good = b'{"text": "a", "summary": "b"}\n'
    write(tmp_path / "en2de", {"train.jsonl": good + line})
    with pytest.raises(InputError, match=r"train\.jsonl:2: (expected|not in UTF-8)"):
        import_corpus("en2desum", [tmp_path / "en2de"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_canonical_jsonl_comes_out_as_it_is(corpus, tmp_path):
    manifest = import_corpus("jsonl", [corpus / "en2de"], tmp_path / "out", **EN_DE)
    for split in ("train", "valid", "test"):
        name = f"{split}.jsonl"
        assert (tmp_path / "out" / name).read_bytes() == (corpus / "en2de" / name).read_bytes()
    assert found(tmp_path / "out") == examples(40)
    assert manifest["dataset"] is None
    write(tmp_path / "raw", {"train.jsonl": '{"id": "a", "document": "x"}\n{"id": "b"}\n'})
    with pytest.raises(InputError, match=r"train\.jsonl:2: field 'document' is missing"):
        import_corpus("jsonl", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert found(tmp_path / "out") == examples(40)


def test_an_empty_summary_is_skipped_and_a_missing_one_is_not(tmp_path):
    rows = [
        {"id": "a", "document": "x", "mono": "m", "cross": " \n"},
        {"id": "b", "document": "x", "mono": "", "cross": "c"},
        {"id": "c", "document": "x", "mono": None, "cross": "c"},
        {"id": "d", "document": "x", "mono": "m"},
        {"id": "e", "document": "x"},
    ]
    write(tmp_path / "raw", {"train.jsonl": "\n".join(map(json.dumps, rows))})
    manifest = import_corpus("jsonl", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert [e.id for e in found(tmp_path / "out")] == ["c", "d", "e"]
    ((reason, seen),) = manifest["counts"]["train"]["skipped"].items()
    assert "a summary is empty" in reason
    assert (seen["records"], seen["first"][-14:]) == (2, "/train.jsonl:1")


def test_what_no_parser_takes_in_is_one_line(tmp_path):
    write(tmp_path / "raw", {"train.jsonl": '{"id": "a", "document": "x"}\n' + "[" * 100_000})
    with pytest.raises(InputError, match=r"train\.jsonl:2: not a line of JSON"):
        import_corpus("jsonl", [tmp_path / "raw"], tmp_path / "out", **EN_DE)


def test_an_id_that_was_used_before_is_skipped_and_placed(tmp_path):
    lines = [json.dumps({"id": name, "document": "x"}) for name in ("a", "b", "a", "c", "b")]
    write(tmp_path / "raw", {"train.jsonl": "\n".join(lines)})
    manifest = import_corpus("jsonl", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
    assert [e.id for e in found(tmp_path / "out")] == ["a", "b", "c"]
    skipped = manifest["counts"]["train"]["skipped"]["the id was used before"]
    assert skipped["records"] == 2
    assert skipped["first"].endswith("train.jsonl:3")


@settings(max_examples=80)
@given(
    raw=st.one_of(st.binary(max_size=200), st.text(max_size=99).map(lambda t: t.encode("utf-16")))
)
@pytest.mark.parametrize("format", ["en2desum", "jsonl", "lines"])
def test_any_bytes_give_examples_or_one_line(tmp_path_factory, format, raw):
    folder = tmp_path_factory.mktemp("fuzz")
    if format == "lines":
        write(folder / "raw", {"train.source": raw, "train.target.cls": b"eins\nzwei\n"})
    else:
        write(folder / "raw", {"train.jsonl": raw})
    paths = [folder / "raw"]
    result = outcome(lambda: import_corpus(format, paths, folder / "out", **EN_DE))
    if isinstance(result, InputError):
        assert not (folder / "out").exists()
    else:
        assert result["files"]["train.jsonl"]["records"] == len(found(folder / "out")) > 0
        assert all(e.document.strip() for e in found(folder / "out"))


def test_two_files_of_one_field_are_named(tmp_path):
    texts = dict.fromkeys(("train.lower.source", "train.source", "train.target.cls"), "x\n")
    write(tmp_path / "raw", texts)
    with pytest.raises(InputError, match=r"train\.source: ends in \.source, as .*train\.lower"):
        import_corpus("lines", [tmp_path / "raw"], tmp_path / "out", **EN_DE)
