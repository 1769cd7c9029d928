from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.test_set import EvaluationSet
from mclas_lightning.example import write_jsonl
from mclas_lightning.files import sha256, write_json
from tests.conftest import examples


@pytest.fixture
def settings(words) -> Settings:
    return read_settings(compose("train", words))[0]


def start(settings: Settings) -> None:
    """What a run keeps of its corpus."""
    files = {split: sha256(settings.dataset.file(split)) for split in ("train", "valid", "test")}
    write_json(settings.run.folder / "corpus.json", files)
    (settings.run.folder / "config.yaml").write_text("{}")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("news of May.jsonl", "news_of_May"), ("toy/en2de/test.jsonl", "en2de"), ("toy", "toy"),
        ("a" * 50 + ".jsonl", "a" * 40), ("新闻.jsonl", "新闻"), ("%.jsonl", "_"),
    ],
)  # fmt: skip
def test_another_test_set_has_the_name_of_its_file_or_folder(tmp_path, path, name):
    (tmp_path / "toy").mkdir()
    found = EvaluationSet.named(tmp_path / path)
    assert (found.split, found.name) == ("test", name)
    assert found.path == tmp_path / ("toy/test.jsonl" if path == "toy" else path)


def test_a_linked_test_set_has_the_name_of_its_own_folder(tmp_path):
    (tmp_path / "objects").mkdir()
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "test.jsonl").symlink_to(tmp_path / "objects" / "5f8e")
    assert EvaluationSet.named(tmp_path / "news").name == "news"


def test_the_same_set_and_decoding_have_the_same_place(settings, tmp_path):
    long = replace(settings.decoding, beam=7)
    own, valid = (EvaluationSet.of(settings.dataset, split) for split in ("test", "valid"))
    assert own.trial(long) is None  # The run's own results.
    file = tmp_path / "news.jsonl"
    write_jsonl(file, examples(5, 900))
    news = EvaluationSet.named(file)
    places = [
        one.trial(decoding) for one in (valid, news) for decoding in (settings.decoding, long)
    ]
    assert [str(place).split("/")[0] for place in places] == ["valid", "valid", "test", "test"]
    assert places[2].startswith("test/news-")  # pyright: ignore[reportOptionalMemberAccess]
    write_jsonl(file, examples(5, 901))
    places.append(news.trial(long))
    assert len({*places}) == 5
    write_jsonl(file, examples(5, 900))
    assert news.trial(long) == places[3]


def test_results_say_what_they_were_scored_on(settings, tmp_path):
    own = EvaluationSet.of(settings.dataset, "valid")
    assert own.origin() == {"split": "valid", "valid_sha256": sha256(own.path)}
    named = EvaluationSet.named(own.path)
    assert named.origin() == {
        "split": "test", "test_sha256": sha256(own.path), "test_file": str(own.path),
    }  # fmt: skip
    assert named.read(["cross"]) == examples(11, 40)


def test_only_what_is_here_of_a_runs_corpus_must_be_the_same(settings):
    start(settings)
    own = EvaluationSet.of(settings.dataset, "test")
    own.check(settings.run, settings.dataset)
    settings.dataset.file("train").unlink()
    own.check(settings.run, settings.dataset)
    write_jsonl(settings.dataset.file("valid"), examples(3))
    with pytest.raises(InputError, match=r"valid\.jsonl: is not the file that .* was started with"):
        own.check(settings.run, settings.dataset)
    EvaluationSet.named(own.path).check(settings.run, settings.dataset)  # None of the corpus's.


def test_a_missing_set_is_named_with_what_to_do(settings):
    start(settings)
    own = EvaluationSet.of(settings.dataset, "test")
    own.path.unlink()
    with pytest.raises(InputError, match=r"test\.jsonl: no such file; give the corpus's folder"):
        own.check(settings.run, settings.dataset)
    named = EvaluationSet.named(Path("nowhere.jsonl"))
    with pytest.raises(InputError, match=r"nowhere\.jsonl: no such file; name a test set"):
        named.check(settings.run, settings.dataset)


def test_a_set_without_the_summaries_of_a_side_is_named(tmp_path):
    mono = [replace(example, cross=None) for example in examples(3)]
    write_jsonl(tmp_path / "test.jsonl", mono)
    named = EvaluationSet.named(tmp_path)
    assert named.read(["mono"]) == mono
    with pytest.raises(InputError, match=r"test\.jsonl: has no cross summaries to score by; give"):
        named.read(["mono", "cross"])
    write_jsonl(tmp_path / "test.jsonl", [*mono, *examples(1, 7)])
    with pytest.raises(InputError, match=r"test\.jsonl:1: field 'cross' is empty"):
        named.read(["cross"])


def test_a_pipeline_that_becomes_a_run_needs_its_corpus(settings):
    settings.dataset.file("test").unlink()
    with pytest.raises(InputError, match="dataset 'small' is not here yet; to get it"):
        EvaluationSet.of(settings.dataset, "test").check(settings.run, settings.dataset)
