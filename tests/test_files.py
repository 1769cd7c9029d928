"""What every reader of a jsonl file takes alike."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.check.measure import measure_split
from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.manifest import num_examples
from mclas_lightning.data.store import open_store
from mclas_lightning.errors import DISK_FULL, InputError
from mclas_lightning.evaluation.texts import read_texts
from mclas_lightning.example import read_jsonl
from mclas_lightning.files import found_below, num_records, read_json, whole_folder, write_json
from mclas_lightning.inference.translation_file import TranslationFile
from mclas_lightning.runs.predictions import PREDICTIONS, read_predictions
from tests.conftest import examples, outcome

STORIES = [replace(e, id=str(i)) for i, e in enumerate(examples(5))]
EN_DE: dict[str, Any] = {"source": "en", "target": "de"}
# As one file that every reader can read.
RECORDS = [
    vars_ | {"text": e.document, "summary": e.cross, "translation": e.cross,
             "hypotheses": {"mono": e.mono}, "references": {"mono": e.mono}}
    for e in STORIES for vars_ in [{n: getattr(e, n) for n in ("id", "document", "mono", "cross")}]
]  # fmt: skip
LINES = [json.dumps(record, ensure_ascii=False) for record in RECORDS]


def _import(format, path):
    out = path.parent / f"{format}-out"
    import_corpus(format, [path], out, **EN_DE)
    return (out / "train.jsonl").read_text(encoding="utf-8")


def _store(path, tokenizer):
    store = open_store(path, tokenizer, 41, path.parent / "store")
    return store.ids(range(len(store))), store.texts(np.arange(len(store)), ["document"])


def _measured(path):
    languages = {"document": "en", "mono": "en", "cross": "de"}
    found = measure_split(path, languages, lambda done: None, lambda example: None)
    return found.ids.tolist(), found.texts["document"].lengths


def _vocabulary(path):
    build_tokenizer(path.parent, 99, lowercase=False)
    return (path.parent / "tokenizer" / "tokenizer.json").read_bytes()


def _predictions(path):
    path.rename(path.with_name(PREDICTIONS))
    run = SimpleNamespace(folder=path.parent, name="x", provenance={}, scores={})
    return read_predictions(run)  # pyright: ignore


READERS = {
    "examples": lambda path, _: list(read_jsonl(path)),
    "store": _store,
    "check": lambda path, _: _measured(path),
    "import": lambda path, _: _import("jsonl", path),
    "import of en2desum": lambda path, _: _import("en2desum", path),
    "tokenizer": lambda path, _: _vocabulary(path),
    "number": lambda path, _: (num_records(path), num_examples(path.parent, "train")),
    "score": lambda path, _: replace(read_texts(path), path=None),
    "translations": lambda path, _: TranslationFile.read(path).known,
    "predictions": lambda path, _: _predictions(path),
}


def written(folder, text):
    folder.mkdir()
    (folder / "train.jsonl").write_bytes(text.encode())
    return folder / "train.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + "\n".join(LINES),
        "\n".join(LINES) + "\n\n",
        "\ufeff" + "\r\n".join(LINES) + "\r\n \r\n\r\n",
        "\n".join(LINES) + "\n" * 9999,
        "\n".join(line.replace('"id": "', '"id": ').replace('",', ",", 1) for line in LINES),
    ],
    ids=["mark", "blank line", "mark, returns, blanks", "many blanks", "ids are numbers"],
)
@pytest.mark.parametrize("reader", READERS)
def test_all_readers_take_a_mark_blank_lines_at_the_end_and_numbers_as_ids(
    tmp_path, tokenizer, reader, text
):
    read = READERS[reader]
    expected = read(written(tmp_path / "plain", "\n".join(LINES) + "\n"), tokenizer)
    assert read(written(tmp_path / "other", text), tokenizer) == expected


@pytest.mark.parametrize("reader", sorted(READERS.keys() - {"number"}))
def test_a_blank_line_between_records_is_named_by_every_reader(tmp_path, tokenizer, reader):
    path = written(tmp_path / "raw", "\n".join([*LINES[:2], "", *LINES[2:]]))
    result = outcome(lambda: READERS[reader](path, tokenizer))
    assert isinstance(result, InputError)
    assert ".jsonl:3: " in str(result)


def test_json_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "results.json").write_bytes('\ufeff{"a": "ä"}'.encode())
    assert read_json(tmp_path / "results.json", dict) == {"a": "ä"}


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html: is a folder or a device; expected"):
        write_json(tmp_path / "report.html", {})
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_device_or_a_pipe_in_the_place_of_a_file_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with pytest.raises(InputError, match=f"{name}: is a folder or a device"):
            write_json(tmp_path / name, {})
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "null").is_symlink()


def test_a_file_that_the_system_does_not_let_be_is_one_line(tmp_path):
    path = tmp_path / ("n" * 250)  # With what a half-written file is called by, it is too long.
    with pytest.raises(InputError, match=r"cannot be written \(File name too long\)"):
        write_json(path, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": ["\\ud83d"]}', "a text holds half a character"),
        ("[" * 200_000, "not a readable JSON file"),
        (f'{{"a": {"1" * 5_000}}}', "not a readable JSON file"),
    ],
)
def test_json_that_python_cannot_use_is_one_line(tmp_path, content, message):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(InputError, match=rf"results\.json: {message}"):
        read_json(tmp_path / "results.json", dict)


def test_a_folder_is_there_again_after_a_kill_between_its_two_renames(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from mclas_lightning.files import whole_folder\n"
        "def kill(event, arguments):\n"
        "    if event == 'os.rename' and str(arguments[0]).endswith('.part'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "with whole_folder(Path(sys.argv[1])) as part:\n"
        "    sys.addaudithook(kill)\n"
    )
    folder = tmp_path / "corpus[1]"
    folder.mkdir()
    (folder / "vocabulary.json").write_text("{}")
    assert subprocess.run([sys.executable, "-c", code, str(folder)]).returncode == -signal.SIGKILL
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), whole_folder(folder):
        raise ZeroDivisionError
    assert (folder / "vocabulary.json").read_text() == "{}"


def test_what_a_kill_left_of_a_neighbour_is_not_taken(tmp_path):
    left = tmp_path / ".toy.v2.abcd1234.old"
    left.mkdir()
    with whole_folder(tmp_path / "toy"):
        assert [left] == [path for path in tmp_path.iterdir() if path.suffix != ".part"]
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "toy.v2"):
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy", "toy.v2"]


@pytest.mark.parametrize("lose", [shutil.rmtree, lambda part: part.rename(f"{part}.moved")])
def test_a_folder_that_was_made_anew_meanwhile_gets_no_final_name(tmp_path, lose):
    def write() -> None:
        with whole_folder(tmp_path / "out") as part:
            write_json(part / "first.json", {})
            lose(part)
            write_json(part / "second.json", {})  # makes its folder where there is none

    with pytest.raises(InputError, match=r"out\..*\.part: was deleted or renamed while"):
        write()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", sorted(DISK_FULL))
def test_a_full_disk_is_one_line_also_where_a_library_in_rust_met_it(tmp_path, number):
    with (
        pytest.raises(InputError, match=rf"out: cannot be written \({os.strerror(number)}\)"),
        whole_folder(tmp_path / "out"),
    ):
        raise Exception(f"{os.strerror(number)} (os error {number})")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("said", ["Broken pipe (os error 32)", "something else"])
def test_another_error_of_such_a_library_stays_what_it_is(tmp_path, said):
    with pytest.raises(RuntimeError, match="o"), whole_folder(tmp_path / "out"):
        raise RuntimeError(said)


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "large disk" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "large disk" / "real")
    with whole_folder(tmp_path / "link") as part:
        (part / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "large disk").iterdir()] == ["real"]
    assert (tmp_path / "large disk" / "real" / "new").exists()


def test_a_folder_that_cannot_be_renamed_is_named_and_stays(tmp_path, monkeypatch):
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "old").touch()

    def rename(self, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        said = r"mounted: cannot be replaced \(Invalid cross-device link\); name another"
        with pytest.raises(InputError, match=said), whole_folder(folder) as part:
            (part / "new").touch()
    monkeypatch.setattr(Path, "is_mount", lambda self: self == folder)
    with pytest.raises(InputError, match="mounted: a disk is mounted here"), whole_folder(folder):
        raise AssertionError("the work begins, though its result would be lost")
    assert [path.name for path in tmp_path.rglob("*")] == ["mounted", "old"]


def test_files_below_are_found_behind_links_and_not_in_hidden_folders(tmp_path):
    for folder in ("b", "a/deep", ".half", "elsewhere"):
        (tmp_path / "root" / folder).mkdir(parents=True)
        (tmp_path / "root" / folder / "one.json").touch()
    root = tmp_path / "root"
    (root / "elsewhere").rename(tmp_path / "larger disk")
    (root / "link").symlink_to(tmp_path / "larger disk")
    # Each link to a folder above itself leads to all links again.
    for up in ("b/up", "b/up2", "a/deep/up", "up"):
        (root / up).symlink_to(root)
    found = [str(path.relative_to(root)) for path in found_below(root, "one.json")]
    assert found == ["a/deep/one.json", "b/one.json", "link/one.json"]
