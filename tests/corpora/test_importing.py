import errno
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from typing import Any

import pytest

from mclas_lightning.corpora.check import check_corpus
from mclas_lightning.corpora.importing import describe_import, import_corpus
from mclas_lightning.corpora.reading import open_scratch
from mclas_lightning.data.store import open_store
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, example_line, parse_example
from mclas_lightning.files import sha256
from tests.conftest import read_lines

EN_DE: dict[str, Any] = {"source": "en", "target": "de"}


@pytest.fixture
def raw(corpus):
    return corpus / "en2de"


def test_the_manifest_says_what_was_read_and_written(raw, tmp_path):
    out = tmp_path / "out"
    manifest = import_corpus("jsonl", [raw], out, **EN_DE)
    assert json.loads((out / "manifest.json").read_text()) == manifest
    for split, records in (("train", 40), ("valid", 11), ("test", 7)):
        path = out / f"{split}.jsonl"
        assert manifest["files"][path.name] == {"records": records, "sha256": sha256(path)}
    for source in manifest["sources"]:
        path = raw / source["file"]
        assert (source["bytes"], source["sha256"]) == (path.stat().st_size, sha256(path))
    assert sorted(p.name for p in out.iterdir()) == [
        "manifest.json", "test.jsonl", "train.jsonl", "valid.jsonl",
    ]  # fmt: skip


def test_an_import_replaces_an_earlier_one_and_nothing_else(raw, tmp_path):
    out = tmp_path / "out"
    import_corpus("jsonl", [raw], out, **EN_DE)
    manifest = import_corpus("jsonl", [raw / "train.jsonl"], out, **EN_DE)
    assert [*manifest["files"]] == ["train.jsonl"]
    assert not (out / "test.jsonl").exists()
    assert "no files for: valid, test" in "\n".join(describe_import(out, manifest))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="something other than a corpus of kind 'imported'"):
        import_corpus("jsonl", [raw], tmp_path / "mine", **EN_DE)
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("format", "path", "words", "said"),
    [
        ("json", ".", EN_DE, "format 'json' does not exist; did you mean 'jsonl'"),
        ("jsonl", "nowhere", EN_DE, "nowhere: no such file or folder"),
        ("jsonl", "x" * 300, EN_DE, "xxx: no such file or folder"),
        ("jsonl", ".", {}, "give the languages of the corpus"),
        ("jsonl", ".", {"source": "en", "target": "xx"}, "language 'xx' is not supported"),
        ("en2desum", ".", {"target": "fr"}, "--target fr: this format is in 'de'"),
        ("jsonl", ".", EN_DE | {"tokenizer": "mbert"}, "--tokenizer: this format has no ids to r"),
        ("ncls-en2zh", ".", {}, r"no file of a split here; expected names like EN2ZHSUM_"),
        ("ncls-en2zh", "train.jsonl", {}, r"train\.jsonl: expected a name like EN2ZHSUM_"),
    ],
)
def test_what_cannot_be_imported_is_said(raw, tmp_path, format, path, words, said):
    with pytest.raises(InputError, match=said):
        import_corpus(format, [raw / path], tmp_path / "out", **words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["jsonl", "lines"])
def test_swapped_languages_are_refused_in_formats_that_tell_none(raw, tmp_path, format):
    if format == "lines":
        rows = [
            parse_example(line, "x") for line in (raw / "train.jsonl").read_bytes().splitlines()
        ]
        raw = tmp_path / "lines"
        raw.mkdir()
        (raw / "train.source").write_text("".join(f"{row.document}\n" for row in rows))
        (raw / "train.target.cls").write_text("".join(f"{row.cross}\n" for row in rows))
    with pytest.raises(InputError, match=r"documents are not 'de' and .* are not 'en'; swap"):
        import_corpus(format, [raw], tmp_path / "out", source="de", target="en")
    assert not (tmp_path / "out").exists()


def test_a_corpus_of_ones_own_may_be_monolingual(raw, tmp_path):
    manifest = import_corpus("jsonl", [raw], tmp_path / "out", source="en")
    assert manifest["languages"] == {"source": "en", "target": None}


def test_an_import_leaves_out_what_is_nearly_a_held_out_document(raw, tmp_path):
    splits = {s: read_lines(raw / f"{s}.jsonl") for s in ("train", "valid", "test")}
    splits["train"][7]["document"] = f"{splits['test'][3]['document']} Really."
    splits["train"][9]["document"] = splits["valid"][2]["document"].upper()
    splits["valid"][5]["document"] = splits["test"][1]["document"]
    for split, records in splits.items():
        lines = "".join(f"{json.dumps(record)}\n" for record in records)
        (raw / f"{split}.jsonl").write_text(lines)
    import_corpus("jsonl", [raw], tmp_path / "as-it-is", **EN_DE)
    assert len(read_lines(tmp_path / "as-it-is" / "train.jsonl")) == 40
    manifest = import_corpus("jsonl", [raw], tmp_path / "apart", **EN_DE, others=[])
    kept = {s: len(read_lines(tmp_path / "apart" / f"{s}.jsonl")) for s in splits}
    assert kept == {"train": 38, "valid": 10, "test": 7}
    assert manifest["counts"]["train"]["skipped"] == {
        "its document is nearly one of test": {"records": 1, "first": f"{raw}/train.jsonl:8"},
        "its document is nearly one of valid": {"records": 1, "first": f"{raw}/train.jsonl:10"},
    }
    others = [tmp_path / "as-it-is"]
    (raw / "test.jsonl").unlink()
    (raw / "valid.jsonl").unlink()
    manifest = import_corpus("jsonl", [raw], tmp_path / "without", **EN_DE, others=others)
    assert manifest["files"]["train.jsonl"]["records"] == 38
    assert [*manifest["counts"]["train"]["skipped"]] == [
        f"its document is nearly one of {others[0] / split}.jsonl" for split in ("test", "valid")
    ]


def test_most_of_a_split_may_be_left_out_as_asked(raw, tmp_path):
    held_out = read_lines(raw / "test.jsonl")
    train = read_lines(raw / "train.jsonl")
    for record in train[:30]:
        record["document"] = held_out[0]["document"]
    lines = "".join(f"{json.dumps(record)}\n" for record in train)
    (raw / "train.jsonl").write_text(lines)
    import_corpus("jsonl", [raw], tmp_path / "apart", **EN_DE, others=[])
    assert len(read_lines(tmp_path / "apart" / "train.jsonl")) == 10
    (found,) = (f for f in check_corpus(tmp_path / "apart").findings if f.topic == "import")
    assert (found.ok, found.said[:36]) == (True, "train: 10 records kept, 30 skipped (")


def test_a_name_that_is_not_text_is_shown_as_it_can_be(raw, tmp_path):
    folder = tmp_path / os.fsdecode(b"\xb8\xff")  # as an archive made on another system has them
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"id": "a", "document": "x"}\n' * 2)
    manifest = import_corpus("jsonl", [folder], tmp_path / "out", **EN_DE)
    shown = "\n".join(describe_import(folder, manifest))
    assert shown.encode().count(b"\\udcb8\\udcff") == 3  # twice as out, once as the place


@pytest.mark.parametrize("disk", ["mkdtemp", "connect"])
def test_a_disk_full_at_the_start_is_one_line(raw, tmp_path, monkeypatch, disk):
    error = sqlite3.OperationalError("unable to open database file")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device") if disk == "mkdtemp" else error

    monkeypatch.setattr(tempfile if disk == "mkdtemp" else sqlite3, disk, fail)
    with pytest.raises(InputError, match=r"out: cannot be written \((No space|unable to open)"):
        import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)
    assert [p.name for p in tmp_path.iterdir()] == ["corpus"]


def test_a_full_disk_leaves_no_half_corpus(tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    (raw / "train.jsonl").write_text('{"text": "a document", "summary": "kurz"}\n' * 500)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mclas_lightning.corpora.importing import import_corpus\n"
        "from mclas_lightning.errors import exits_cleanly\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "exits_cleanly(import_corpus)('en2desum', [Path(sys.argv[1])], Path(sys.argv[2]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(raw), str(out)], capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert f"error: {out}: cannot be written (" in done.stderr.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


def test_a_line_is_what_json_writes_and_parse_reads():
    for example in (
        Example(id="a", document='"quoted"\t\\ \u2028 \x00 \x7f \U0001f600 ä', mono="", cross="\n"),
        Example(id="\\", document="x"),
    ):
        fields = {f: getattr(example, f) for f in ("id", "document", "mono", "cross")}
        assert example_line(example) == json.dumps(fields, ensure_ascii=False) + "\n"
        assert parse_example(example_line(example).encode(), "here") == example


def test_an_imported_corpus_is_tokenized_as_it_is(raw, tmp_path, tokenizer):
    import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)
    store = open_store(tmp_path / "out" / "train.jsonl", tokenizer, 41, tmp_path / "store")
    assert store.ids([39, 0]) == ["story-39", "story-0"]
    assert len(read_lines(tmp_path / "out" / "train.jsonl")) == len(store) == 40


def test_a_corpus_in_one_language_alone_is_refused(tmp_path, raw):
    with pytest.raises(InputError, match="expected two languages, found 'en' twice"):
        import_corpus("jsonl", [raw], tmp_path / "mine", source="en", target="en")


def test_an_import_needs_no_lock_of_the_file_system(tmp_path):
    """A lock of another process stands for a file system that grants none."""
    code = (
        "import fcntl, sys\n"
        "with open(sys.argv[1], 'w') as file:\n"
        "    fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    path = tmp_path / "scratch.sqlite"
    command = [sys.executable, "-c", code, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with open_scratch(path, tmp_path) as scratch:
            scratch.execute("CREATE TABLE ids (id TEXT)")
            scratch.execute("INSERT INTO ids VALUES ('a')")
            assert scratch.execute("SELECT id FROM ids").fetchall() == [("a",)]
        other.communicate()
