from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.dataset import SPLITS, read_examples
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.example import write_jsonl
from tests.conftest import examples


@pytest.fixture
def dataset(corpus):
    words = ["dataset=toy", f"dataset.path={corpus}/en2de"]
    return read_settings(compose("train", words))[0].dataset


def test_each_side_has_its_language(dataset):
    assert (dataset.language("mono"), dataset.language("cross")) == ("en", "de")
    mono = replace(dataset, target=None)
    assert mono.language("mono") == "en"
    with pytest.raises(InputError, match="is monolingual and has no cross summaries"):
        mono.language("cross")


def test_a_split_is_the_file_of_its_name(dataset):
    assert [dataset.file(split).name for split in SPLITS] == [
        "train.jsonl", "valid.jsonl", "test.jsonl",
    ]  # fmt: skip
    assert dataset.read("valid", ()) == examples(11, 40)


@pytest.mark.parametrize("split", SPLITS)
def test_a_missing_file_is_named_with_how_to_get_it(dataset, split):
    dataset.check_files()
    dataset.file(split).unlink()
    dataset.check_files({*SPLITS} - {split})
    with pytest.raises(InputError) as error:
        dataset.check_files()
    assert str(error.value).startswith(f"{dataset.file(split)}: no such file; dataset 'toy_en2de'")
    assert str(error.value).endswith(f"to get it: {dataset.to_get(dataset.path)}")


def test_a_corpus_has_two_languages_or_one(dataset):
    with pytest.raises(InputError, match="expected two languages, found 'de' twice"):
        replace(dataset, source="de")


def test_toy_says_which_languages_it_has():
    french = read_settings(compose("train", ["dataset=toy", "dataset.source=fr"]))[0].dataset
    with pytest.raises(InputError, match="mclas data toy --out data/toy # makes en, de and zh"):
        french.check_files()


def test_a_file_without_examples_is_refused(tmp_path: Path):
    write_jsonl(tmp_path / "test.jsonl", [])
    with pytest.raises(InputError, match=r"test\.jsonl: holds no examples"):
        read_examples(tmp_path / "test.jsonl", ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dataset.max_source=1"], "dataset.max_source: expected 3 or more"),
        (["dataset.max_summary=0"], "dataset.max_summary: expected from 1 to 2000"),
    ],
)
def test_a_length_that_holds_no_text_is_refused(words, said):
    with pytest.raises(InputError) as error:
        read_settings(compose("train", words))
    assert said in str(error.value)
