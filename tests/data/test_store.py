import os
import pickle
import shutil

import numpy as np
import pyarrow as pa
import pytest

from mclas_lightning.data import store as store_module
from mclas_lightning.data.encoding import TEXTS, ranges
from mclas_lightning.data.store import open_store
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl
from tests.conftest import examples

LIMIT = 23


@pytest.fixture
def path(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", examples(61))
    return tmp_path / "train.jsonl"


def folders(root):
    return sorted(p for p in root.iterdir() if p.is_dir())


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def test_a_store_holds_the_ids_of_every_text_in_the_order_of_the_file(path, tmp_path, tokenizer):
    store = open_store(path, tokenizer, LIMIT, tmp_path / "store")
    stories = examples(61)
    assert len(store) == 61
    for text in TEXTS:
        expected = tokenizer.encode([getattr(e, text) for e in stories], LIMIT)
        assert store.texts(np.arange(61), [text])[text] == expected
        assert store.lengths(text).tolist() == [len(ids) for ids in expected]
        assert max(map(len, expected)) == LIMIT or text != "document"
    rows = np.array([60, 0, 7])
    assert store.ids(rows.tolist()) == [stories[row].id for row in rows]
    assert store.texts(rows, ["cross"])["cross"] == [
        tokenizer.encode([stories[row].cross or ""], LIMIT)[0] for row in rows
    ]
    for side in ("mono", "cross"):
        ids = tokenizer.encode([e.summary(side) or "" for e in stories], LIMIT)
        assert store.written(side) == sorted({token for row in ids for token in row})


@pytest.mark.slow
def test_several_processes_make_the_same_store(path, tmp_path, tokenizer, monkeypatch):
    alone = open_store(path, tokenizer, LIMIT, tmp_path / "alone")
    monkeypatch.setattr(store_module, "RANGE", 3000)
    together = open_store(path, tokenizer, LIMIT, tmp_path / "together")
    assert len(list(together.folder.glob("part-*"))) > 2
    assert together.about == alone.about
    rows = np.random.default_rng(0).permutation(61)  # Every part, in and out of order.
    for store in (together, pickle.loads(pickle.dumps(together))):
        assert store.texts(rows, TEXTS) == alone.texts(rows, TEXTS)
        assert store.ids(rows.tolist()) == [f"story-{row}" for row in rows]
        assert store.ids([]) == []


def test_a_part_may_be_of_several_record_batches(path, tmp_path, tokenizer):
    store = open_store(path, tokenizer, LIMIT, tmp_path / "store")
    (part,) = store.folder.glob("part-*.arrow")
    table = pa.ipc.open_stream(part.read_bytes()).read_all()
    with pa.OSFile(str(part), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=7)
    rows = np.array([60, 0, 6, 7, 13, 14, 6])
    expected = {text: table[text].take(rows).to_pylist() for text in TEXTS}
    assert open_store(path, tokenizer, LIMIT, tmp_path / "store").texts(rows, TEXTS) == expected


def test_a_store_is_used_again_and_never_for_something_else(path, tmp_path, tokenizer):
    root = tmp_path / "store"
    first = open_store(path, tokenizer, LIMIT, root)
    made = (first.folder / "store.json").stat().st_mtime_ns
    assert open_store(path, tokenizer, LIMIT, root) == first
    assert (first.folder / "store.json").stat().st_mtime_ns == made

    assert open_store(path, tokenizer, LIMIT - 1, root).folder != first.folder
    # The same vocabulary, another rule.
    tokenizer.save(tmp_path / "lowered")
    file = tmp_path / "lowered" / "tokenizer.json"
    file.write_text(file.read_text().replace('"lowercase": false', '"lowercase": true'))
    lowered = Tokenizer.load(str(tmp_path / "lowered"))
    assert lowered.fingerprint == tokenizer.fingerprint
    other = open_store(path, lowered, LIMIT, root)
    assert other.folder != first.folder
    assert other.texts(np.arange(9), ["document"]) != first.texts(np.arange(9), ["document"])

    # One letter changed, size and times kept.
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"storm 3 hits", b"storm 4 hits", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    changed = open_store(path, tokenizer, LIMIT, root)
    assert changed.folder != first.folder
    assert changed.texts(np.array([3]), ["mono"]) != first.texts(np.array([3]), ["mono"])
    # The same content under another name needs no second one.
    copy = shutil.copy(path, tmp_path / "copy of tr\u00e4in.jsonl")
    assert open_store(tmp_path / copy, tokenizer, LIMIT, root).folder == changed.folder


@pytest.mark.parametrize("size", [10**6, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_mistake_is_named_with_its_line_and_leaves_nothing(
    path, tmp_path, tokenizer, monkeypatch, size
):
    monkeypatch.setattr(store_module, "RANGE", size)
    lines = path.read_bytes().splitlines(keepends=True)
    for line, said in (
        (b"{\n", r"train.jsonl:48: not a line of JSON"),
        (b'{"id": "x", "document": " "}\n', r"train.jsonl:48: field 'document' is empty"),
        (lines[5], r"train.jsonl:48: id 'story-5' was used before"),
    ):
        path.write_bytes(b"".join([*lines[:47], line, *lines[48:]]))
        with pytest.raises(InputError, match=said):
            open_store(path, tokenizer, LIMIT, tmp_path / "store")
        assert folders(tmp_path / "store") == []
    path.write_bytes(b"")
    with pytest.raises(InputError, match="holds no examples"):
        open_store(path, tokenizer, LIMIT, tmp_path / "store")


@pytest.mark.parametrize("size", [10**6, 1000])
def test_a_missing_summary_matters_to_a_task_that_needs_it(
    path, tmp_path, tokenizer, monkeypatch, size
):
    monkeypatch.setattr(store_module, "RANGE", size)
    stories = examples(61)
    stories[48] = Example(id="x", document="Only a document.", mono="storm 3 hits Vienna")
    stories[50] = Example(id="y", document="Only a document.", mono=" ", cross="")
    write_jsonl(path, stories)
    store = open_store(path, tokenizer, LIMIT, tmp_path / "store")
    store.require([])
    with pytest.raises(InputError, match=r"train.jsonl:49: field 'cross' is empty or missing"):
        store.require(["cross"])
    with pytest.raises(InputError, match=r"train.jsonl:51: field 'mono' is empty or missing"):
        store.require(["mono"])


@pytest.mark.parametrize("rows", [61, 7])  # The old end is inside of a line, or beyond the new end.
def test_a_file_that_is_replaced_while_it_is_read_gets_no_store(
    path, tmp_path, tokenizer, monkeypatch, rows
):
    def replace_and_cut(file, size):
        cut = ranges(file, size)
        write_jsonl(file, examples(rows, start=100))
        return cut

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store_module, "ranges", replace_and_cut)
        with pytest.raises(InputError, match=r"train\.jsonl: was replaced while it was read"):
            open_store(path, tokenizer, LIMIT, tmp_path / "store")
    assert folders(tmp_path / "store") == []
    assert len(open_store(path, tokenizer, LIMIT, tmp_path / "store")) == rows


def test_what_a_killed_process_left_is_removed(path, tmp_path, tokenizer):
    root = tmp_path / "store"
    folder = open_store(path, tokenizer, LIMIT, root).folder
    left = root / f".{folder.name}.abc.part"
    folder.rename(left)
    assert open_store(path, tokenizer, LIMIT, root).folder == folder
    assert not left.exists()


@pytest.mark.parametrize(
    "damage", [lambda old: b"", lambda old: old[: len(old) // 2], flipped, None]
)
def test_a_store_with_a_damaged_file_is_made_again(damage, path, tmp_path, tokenizer):
    folder = open_store(path, tokenizer, LIMIT, tmp_path / "store").folder
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(whole) == 6
    for name, content in whole.items():
        if damage:
            (folder / name).write_bytes(damage(content))
        elif name != "hashes.json":  # Stores of version 0.1.0 have none.
            (folder / name).unlink()
        open_store(path, tokenizer, LIMIT, tmp_path / "store")
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == whole, name


def test_a_store_of_an_earlier_version_is_not_made_again(path, tmp_path, tokenizer):
    folder = open_store(path, tokenizer, LIMIT, tmp_path / "store").folder
    (folder / "hashes.json").unlink()
    open_store(path, tokenizer, LIMIT, tmp_path / "store")
    assert not (folder / "hashes.json").exists()


def test_another_splitter_of_sentences_makes_another_store(path, tmp_path, tokenizer, monkeypatch):
    def folder(sentences):
        return open_store(path, tokenizer, LIMIT, tmp_path / "store", sentences=sentences).folder

    before = folder(None), folder("en")
    monkeypatch.setattr("mclas_lightning.data.store.version", lambda name: f"{name} 9")
    assert folder(None) == before[0]
    assert folder("en") != before[1]
