from typing import Any

import pytest

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.readers.formats import FORMATS, find_files
from mclas_lightning.errors import InputError

EN_DE: dict[str, Any] = {"source": "en", "target": "de"}


@pytest.fixture
def raw(corpus):
    return corpus / "en2de"


def test_two_files_of_a_split_are_a_question(raw, tmp_path):
    (raw / "dev.jsonl").write_text("")
    with pytest.raises(InputError, match=r"more than one file for 'valid': .*dev.* and .*valid"):
        import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)
    (raw / "dev.jsonl").rename(raw / "extra.jsonl")
    with pytest.raises(InputError, match=r"extra\.jsonl: its name does not tell"):
        import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)


def test_files_are_found_whatever_lies_beside_them(raw, tmp_path):
    (raw / "._train.jsonl").write_bytes(b"\x00\x05\x16\x07")  # as archives from a Mac have them
    (raw / "valid.jsonl").rename(raw / "validation.jsonl")
    (raw / ".ipynb_checkpoints").mkdir()
    (raw / ".ipynb_checkpoints" / "train-checkpoint.jsonl").touch()
    manifest = import_corpus("jsonl", [raw, raw], tmp_path / "out", **EN_DE)
    assert [*manifest["files"]] == ["train.jsonl", "valid.jsonl", "test.jsonl"]


def test_files_behind_links_are_read_and_a_link_to_nothing_is_named(raw, tmp_path):
    (tmp_path / "larger disk").mkdir()
    (raw / "train.jsonl").rename(tmp_path / "larger disk" / "train.jsonl")
    (raw / "more").symlink_to(tmp_path / "larger disk")
    manifest = import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)
    assert [*manifest["files"]] == ["train.jsonl", "valid.jsonl", "test.jsonl"]
    (tmp_path / "larger disk" / "train.jsonl").rename(tmp_path / "elsewhere")
    (raw / "train.jsonl").symlink_to("nowhere")
    with pytest.raises(FileNotFoundError, match=r"train\.jsonl"):
        import_corpus("jsonl", [raw], tmp_path / "out", **EN_DE)


def test_every_format_names_its_files():
    for name, format in FORMATS.items():
        assert format.help, name
        assert "train" in format.names, name


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("TEST", "test"), ("dev", "valid"), ("my-val", "valid"),
        ("validation", "valid"), ("test-of-train", "train"), ("restrain", None),
        ("Training", "train"), ("testing-2", "test"),
    ],
)  # fmt: skip
def test_a_split_is_the_last_that_a_name_tells(tmp_path, name, split):
    (tmp_path / f"{name}.jsonl").touch()
    if split is None:
        with pytest.raises(InputError, match="its name does not tell train, valid or test"):
            find_files(FORMATS["jsonl"], [tmp_path])
    else:
        found = find_files(FORMATS["jsonl"], [tmp_path])
        assert found == {split: [tmp_path / f"{name}.jsonl"]}


def test_three_line_files_and_any_number_of_shards_are_one_split(tmp_path):
    lines = [f"train.{end}" for end in ("source", "target.cls", "target.ms")]
    shards = [f"x.train.{k}.bert.pt" for k in (0, 10, 2)]
    for name in (*lines, *shards):
        (tmp_path / name).touch()
    for format, names in (("lines", lines), ("released-shards", shards)):
        found = find_files(FORMATS[format], [tmp_path])
        assert {split: [path.name for path in paths] for split, paths in found.items()} == {
            "train": names
        }
    (tmp_path / "train-2.source").touch()
    with pytest.raises(InputError, match="more than one file for 'train'"):
        find_files(FORMATS["lines"], [tmp_path])
