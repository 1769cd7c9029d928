from pathlib import Path

import pytest

from mclas_lightning.corpora.readers.log import Log, Skip, Sources
from mclas_lightning.corpora.readers.records import Record, read_records
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from mclas_lightning.files import sha256
from tests.corpora.readers import open_files as files

ROWS = [{"id": str(i), "text": f"a text {i}", "more": None} for i in range(2503)]


def made(record: Record) -> Example:
    return Example(id=record["id"], document=record.document("text"))


def read(path: Path, log: Log | None = None, read_bytes: list[int] | None = None):
    sources = Sources((read_bytes if read_bytes is not None else []).append)
    yield from read_records(path, sources, log or Log(), made)
    assert [file["sha256"] for file in sources.files] == [sha256(path)]


@pytest.mark.parametrize("write", [files.jsonl, files.parquet])
def test_jsonl_and_parquet_have_the_same_records(tmp_path, write):
    path = write(tmp_path / f"train.{write.__name__}", ROWS)
    done: list[int] = []
    assert list(read(path, read_bytes=done)) == [
        Example(id=row["id"], document=row["text"]) for row in ROWS
    ]
    assert 0 <= path.stat().st_size - sum(done) < 5  # of each batch, a part of a byte


def test_a_file_is_streamed(tmp_path):
    done: list[int] = []
    path = files.parquet(tmp_path / "train.parquet", ROWS)
    rows = read(path, read_bytes=done)
    next(rows)
    assert done == []
    assert sum(1 for _ in zip(range(1000), rows, strict=False)) == 1000
    assert len(done) == 1


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("x.jsonl", lambda raw: raw[:-9], r"x\.jsonl:2503: expected a JSON object; .*cut short"),
        ("x.jsonl", lambda raw: b"[1]\n" + raw, r"x\.jsonl:1: expected a JSON object"),
        ("x.parquet", lambda raw: raw[:-9], r"x\.parquet: no readable parquet .*get it again"),
        ("x.parquet", lambda raw: raw[: len(raw) // 2], r"x\.parquet: no readable parquet"),
        ("x.parquet", lambda raw: raw[:4] + b"\xff" * 3000 + raw[3004:], r"no readable parquet"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, damage, said):
    path = tmp_path / name
    (files.jsonl if path.suffix == ".jsonl" else files.parquet)(path, ROWS)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=said):
        list(read(path))


def test_a_record_without_a_text_is_skipped_with_its_place(tmp_path):
    path = files.jsonl(tmp_path / "x.jsonl", [ROWS[0], ROWS[1] | {"text": " "}, ROWS[2]])
    log = Log()
    assert [example.id for example in read(path, log)] == ["0", "2"]
    assert log.skipped == {"text is empty": {"records": 1, "first": f"{path}:2"}}


@pytest.mark.parametrize(
    ("value", "document", "summary"),
    [
        ("one\ntwo", "one two", "one\ntwo"),
        (["one ", None, "two"], "one two", "one\ntwo"),
        ("a <b class='x'>bold</b> 1 < 2 > 1 &lt;x&gt;", *["a bold 1 < 2 > 1 <x>"] * 2),
        ("<p>one</p><p>two</p>", "one two", "one\ntwo"),
        ("one<q>two <unk> <a,b>", "one<q>two <unk> <a,b>", "one\ntwo <unk> <a,b>"),
        ("AT&T &amp; R&D", *["AT&T & R&D"] * 2),
    ],
)
def test_a_text_is_without_markup_and_a_summary_keeps_its_borders(value, document, summary):
    record = Record({"text": value}, Log())
    assert (record.document("text"), record.summary("text")) == (document, summary)


def test_half_a_character_and_no_text_are_skipped():
    for value, reason in (("a\ud83d", "half a character"), (None, "is empty"), ([], "is empty")):
        with pytest.raises(Skip, match=reason):
            Record({"text": value}, Log()).document("text")
