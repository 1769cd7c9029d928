import numpy as np
import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.corpora.near import near_duplicates
from mclas_lightning.data.store import open_store
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl
from mclas_lightning.training import leaks
from mclas_lightning.training.leaks import count_leaks
from tests.conftest import examples


@pytest.fixture
def counted(words, corpus, tmp_path, tokenizer):
    """``count_leaks`` of rows of the small corpus, whose test set also holds ``more`` documents."""

    def count(rows: list[int], *more: str, allow: bool = False) -> int:
        extra = [Example(id=f"x{i}", document=d, mono="a", cross="b") for i, d in enumerate(more)]
        write_jsonl(corpus / "en2de" / "test.jsonl", [*examples(7, 51), *extra])
        asked = [*words, *(["dataset.leaks=allow"] if allow else [])]
        dataset = read_settings(compose("train", asked))[0].dataset
        store = open_store(dataset.file("train"), tokenizer, 41, tmp_path)
        return count_leaks(dataset, store, np.array(rows), tmp_path / "store")

    return count


LONG = examples(5)[4].document  # of row 4


def test_documents_of_the_test_set_are_refused_where_they_are_trained_on(counted):
    assert counted([3, 4]) == 0
    equal = LONG.replace(" ", "  ")
    said = r"train\.jsonl: 1 of the 2 training documents are in .*first 'story-4', there 'x0', "
    with pytest.raises(InputError, match=said + r"similarity 1\.00.* dataset\.leaks=allow trains"):
        counted([3, 4], equal)
    assert counted([3, 5], equal) == 0
    assert counted([3, 4], equal, allow=True) == 1


def test_almost_equal_documents_are_refused_and_others_are_not(counted):
    near, other = f"{LONG} Really so.", "On day 4 nothing of interest happened in any city at all."
    with pytest.raises(InputError, match="or nearly"):
        counted([4], near)
    assert counted([4], other) == 0


def test_a_corpus_is_compared_once(counted, monkeypatch):
    counted([4], LONG, allow=True)
    monkeypatch.setattr(leaks, "near_duplicates", None)
    assert counted([4], LONG, allow=True) == 1
    with pytest.raises(TypeError):
        counted([4], LONG, "another test set", allow=True)


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_found_in_a_file_that_is_replaced_meanwhile_is_not_kept(
    counted, corpus, tmp_path, monkeypatch, split
):
    def replaced(*files):
        write_jsonl(corpus / "en2de" / f"{split}.jsonl", examples(3, 90))
        return near_duplicates(*files)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(leaks, "near_duplicates", replaced)
        with pytest.raises(InputError, match=rf"{split}\.jsonl: was replaced while it was read"):
            counted([0], LONG)
    assert not [*(tmp_path / "store").glob("leaks-*.json")]
