from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora import catalog
from mclas_lightning.errors import InputError


@pytest.mark.parametrize("name", ["toy", "toy_mono", "debian_en2de", "en2zhsum"])
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
    words = catalog.of_run("toy_zh2de")
    assert words
    assert words.words == ("dataset=toy", "dataset.source=zh")
    assert words.pretraining == ("dataset=toy_mono", "dataset.source=zh")
    assert words.pretrained == "toy_zh"
    assert catalog.of_run("toy_zh2de_more") is None
