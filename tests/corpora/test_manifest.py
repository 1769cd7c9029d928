import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mclas_lightning.corpora import toy
from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.manifest import (
    Manifest,
    check_replaceable,
    num_examples,
    read_manifest,
    training_files,
    whole_corpus,
)
from mclas_lightning.corpora.toy.editions import TOY
from mclas_lightning.errors import InputError
from mclas_lightning.files import write_json

EN_DE: dict[str, Any] = {"source": "en", "target": "de"}


@pytest.fixture
def raw(corpus):
    return corpus / "en2de"


def files_of(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_what_was_made_from_a_corpus_stays_when_it_is_built_again(
    raw, tokenizer, tmp_path, monkeypatch
):
    def imported(out, seed):
        import_corpus("jsonl", [raw], out, **EN_DE)

    def built(out, seed):
        toy.write_toy(out, seed=seed, sizes=dict.fromkeys(TOY.sizes, 3), finish=tokenizer_in)

    def tokenizer_in(folder):
        tokenizer.save(folder / "tokenizer")

    for build, corpus in ((imported, "."), (built, "en2de")):
        out = tmp_path / build.__name__
        build(out, 0)
        tokenizer.save(out / "tokenizer")
        write_json(out / corpus / "vocabulary" / "de.json", [9])
        (out / corpus / "notes.txt").write_text("years of work")
        (out / "link").symlink_to(tmp_path / "elsewhere")
        before = files_of(out)
        build(out, 1)
        after = files_of(out)
        assert after.keys() == before.keys()
        changed = {name for name in after if after[name] != before[name]}
        assert all(Path(name).suffix in (".jsonl", ".json") for name in changed)
        assert not any("vocabulary" in name or "tokenizer" in name for name in changed)
        assert bool(changed) is (build is built)
        assert (out / "link").is_symlink()
    # A copy that fails leaves all as it was.
    before = files_of(tmp_path / "imported")
    monkeypatch.setattr(
        shutil, "copytree", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No"))
    )
    with pytest.raises(InputError, match="cannot be written"):
        imported(tmp_path / "imported", 0)
    assert files_of(tmp_path / "imported") == before


def test_splits_that_the_import_did_not_write_stay(raw, tmp_path):
    out = tmp_path / "out"
    (raw / "valid.jsonl").rename(tmp_path / "valid.jsonl")
    import_corpus("jsonl", [raw], out, **EN_DE)
    (out / "valid.jsonl").write_text("chosen by hand")
    (out / "small").mkdir()
    (out / "small" / "train.jsonl").write_text("years of work")
    before = files_of(out)
    (raw / "test.jsonl").unlink()
    import_corpus("jsonl", [raw], out, **EN_DE)
    assert before.keys() - files_of(out).keys() == {"test.jsonl"}
    assert (out / "valid.jsonl").read_text() == "chosen by hand"
    assert (out / "small" / "train.jsonl").read_text() == "years of work"


def test_the_folder_we_are_in_is_not_replaced(raw, tmp_path, monkeypatch):
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    for out in (".", ".."):
        with pytest.raises(InputError, match=rf"^{out}: this folder would be replaced"):
            import_corpus("jsonl", [raw], Path(out), **EN_DE)


def test_a_link_to_a_folder_elsewhere_stays_one(raw, tmp_path):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "large disk")
    import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "large disk" / "train.jsonl").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "large disk", "out"]


def test_a_folder_without_a_manifest_says_nothing_of_itself(raw):
    assert read_manifest(raw) == Manifest()
    assert [num_examples(raw, split) for split in ("train", "valid", "test")] == [40, 11, 7]
    (raw / "test.jsonl").unlink()
    assert num_examples(raw, "test") is None


@pytest.mark.parametrize("content", [{"files": ["train.jsonl"]}, {"files": {"train.jsonl": "9f"}}])
def test_a_manifest_of_another_program_says_nothing_of_a_corpus(raw, content):
    for folder in (raw, raw.parent):
        write_json(folder / "manifest.json", content)
        assert read_manifest(raw) == Manifest()
        assert num_examples(raw, "train") == 40
        (folder / "manifest.json").unlink()


def test_what_a_killed_import_left_is_no_corpus(raw):
    left = raw.parent / ".en2de.k1ll3d.part" / "train.jsonl"
    left.parent.mkdir()
    left.write_text("{")
    assert training_files(raw.parent) == [raw / "train.jsonl"]
    assert training_files(left.parent) == [left]  # as of a corpus that is being made
    (raw.parent / "linked").symlink_to(raw)
    linked = raw.parent / "linked" / "train.jsonl"
    assert training_files(raw.parent) == [raw / "train.jsonl", linked]
    (raw.parent / "linked").unlink()
    (raw / "train.jsonl").unlink()
    with pytest.raises(InputError, match=r"no train\.jsonl here or below"):
        training_files(raw.parent)


def test_a_direction_is_described_by_the_manifest_of_its_corpus(raw):
    files = {"en2de/train.jsonl": {"records": 3}, "en2zh/train.jsonl": {"records": 5}}
    write_json(raw.parent / "manifest.json", {"corpus": "toy", "files": files, "dataset": "toy"})
    assert read_manifest(raw) == Manifest(files={"train.jsonl": {"records": 3}})
    assert num_examples(raw, "train") == 3  # Counted when it was written.


def test_counts_of_examples_are_an_imports_alone(tmp_path):
    for corpus, counts in (("imported", {"train": {"kept": 2}}), ("debian", {})):
        content = {"corpus": corpus, "counts": {"train": {"kept": 2}}}
        (tmp_path / "manifest.json").write_text(json.dumps(content))
        assert read_manifest(tmp_path).counts == counts


def test_only_an_earlier_corpus_of_the_kind_is_replaced(tmp_path):
    out = tmp_path / "out"
    check_replaceable(out, "toy")
    out.mkdir()
    check_replaceable(out, "toy")
    write_json(out / "manifest.json", {"corpus": "toy"})
    check_replaceable(out, "toy")
    for change in ("imported", None):
        write_json(out / "manifest.json", {"corpus": change})
        with pytest.raises(InputError, match="something other than a corpus of kind 'toy'"):
            check_replaceable(out, "toy")


def test_a_build_that_fails_leaves_the_corpus_of_before(tmp_path):
    out = tmp_path / "out"
    with whole_corpus(out) as part:
        (part / "train.jsonl").write_text("old")
    (out / "notes.txt").write_text("years of work")

    def build() -> None:
        with whole_corpus(out) as part:
            (part / "train.jsonl").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()
    assert {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {
        "train.jsonl": "old", "notes.txt": "years of work",
    }  # fmt: skip
