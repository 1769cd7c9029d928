from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora import catalog
from mclas_lightning.errors import InputError

OPEN = ("crosssum", "wikilingua", "xwikis", "xscitldr", "convsumx")


@pytest.mark.parametrize("name", ["toy", "toy_mono", "debian_en2de", "en2zhsum", "xlsum", *OPEN])
def test_a_dataset_is_what_hydra_composes(name):
    composed = compose("train", [f"dataset={name}", "data=."])["dataset"]
    found = catalog.named(name)
    for key in ("name", "source", "target", "path", "sizes", "max_source", "pretraining"):
        assert getattr(found, key) == composed[key], key


def test_only_what_lies_in_the_data_folder_has_a_name():
    assert "jsonl" not in catalog.names()
    with pytest.raises(InputError, match="jsonl"):
        catalog.named("jsonl")


def test_a_folder_and_a_run_tell_the_languages(tmp_path):
    entry = catalog.at(Path(tmp_path, "toy", "zh2de"))
    assert entry
    assert (entry.name, entry.source, entry.target) == ("toy_zh2de", "zh", "de")
    assert catalog.at(tmp_path) is None
    news = catalog.at(Path(tmp_path, "crosssum", "hi2pcm"))
    assert news
    assert (news.name, news.source, news.target) == ("crosssum_hi2pcm", "hi", "pcm")
    mono = catalog.at(Path(tmp_path, "crosssum", "hi"))
    assert mono
    assert (mono.name, mono.target) == ("xlsum_hi", None)
    words = catalog.of_run("crosssum_hi2pcm")
    assert words
    assert words.pretraining == ("dataset=xlsum", "dataset.source=hi")
    words = catalog.of_run("toy_zh2de")
    assert words
    assert words.words == ("dataset=toy", "dataset.source=zh")
    assert words.pretraining == ("dataset=toy_mono", "dataset.source=zh")
    assert words.pretrained == "toy_zh"
    assert catalog.of_run("toy_zh2de_more") is None


def test_datasets_of_ones_own_are_in_the_catalog(tmp_path, monkeypatch):
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    text = "defaults: [toy, _self_]\nname: mine\ntarget: zh\npath: ${data}/mine\n"
    (folder / "mine.yaml").write_text(text)
    (folder / "of_another_program.yaml").write_text("path: x\nbatch_size: 3\n")
    (folder / "of_a_third.yaml").write_text("defaults: [/schema/ds@_here_, _self_]\nname: x\n")
    monkeypatch.chdir(tmp_path)
    assert catalog.named("mine").target == "zh"
    assert catalog.at(tmp_path / "data" / "mine") == catalog.named("mine")
    assert not {"of_another_program", "of_a_third"} & {*catalog.names()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read as YAML"),
        ("just text", "is no dataset in YAML"),
        ("defaults: 3", "is no dataset in YAML"),
        ("defaults: [broken]", "is no dataset in YAML: its defaults name it again"),
        ("a: &a [b]\nc: [*a, *a]", "expected YAML without aliases"),
        ("[" * 3000, "expected YAML without aliases, up to"),
        ("defaults: [toy]\npath: ${oc.env:NOT_SET}/x", r"is no dataset in YAML \(.*NOT_SET' not f"),
        ("defaults: [toy]\nname: ${nowhere}", r"is no dataset in YAML \(Interpolation key"),
    ],
)
def test_a_broken_dataset_is_one_clear_line_for_those_who_ask_for_it(
    tmp_path, monkeypatch, text, said
):
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (folder / "broken.yaml").write_text(text)
    assert "broken" not in catalog.names()
    assert catalog.at(tmp_path) is catalog.of_run("x") is None
    with pytest.raises(InputError, match=rf"broken.yaml: {said}") as raised:
        catalog.named("broken")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("key", ["name", "path"])
def test_a_file_of_another_program_is_no_dataset(tmp_path, monkeypatch, key):
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (folder / "images.yaml").write_text(f"defaults: [toy]\n{key}: 2024")
    assert "images" not in catalog.names()
    assert catalog.at(tmp_path) is catalog.of_run("2024") is None
    with pytest.raises(InputError, match=rf"dataset.{key}: expected a text, found '2024'"):
        catalog.named("images")


def test_paths_of_any_form_are_recognized(tmp_path, monkeypatch):
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    paths = {
        "twice": "${data}/news+/${.source}/${.source}2${.target}",
        "absolute": f"{tmp_path}/big disk/mine",
    }
    for name, path in paths.items():
        text = f"defaults: [toy, _self_]\nname: {name}\ntarget: zh\npretraining: []\npath: {path}\n"
        (folder / f"{name}.yaml").write_text(text)
    found = catalog.at(tmp_path / "data" / "news+" / "en" / "en2zh")
    assert found
    assert found.name == "twice"
    assert catalog.at(tmp_path / "data" / "news+" / "en" / "de2zh") is None
    found = catalog.at(tmp_path / "big disk" / "mine")
    assert found
    assert found.name == "absolute"
    words = catalog.of_run("twice")
    assert words
    assert words.pretrained == "twice"
    (folder / "misspelled.yaml").write_text(
        "defaults: [toyy, _self_]\nname: x\nsource: en\npath: x\n"
    )
    with pytest.raises(InputError, match=r"toyy\.yaml: does not exist; a file"):
        catalog.named("misspelled")
    (tmp_path / "manifest.json").write_text('{"corpus": "imported", "dataset": "misspelled"}')
    with pytest.raises(InputError, match=r"toyy\.yaml: does not exist; a file"):
        catalog.at(tmp_path)
