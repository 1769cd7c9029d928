import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.heads.alignment import (
    Lexicon,
    at_random,
    diagonal,
    error_rate,
    identical,
    keys,
    statistical,
)
from mclas_lightning.heads.ibm1 import Aligner


def test_keys_have_no_case_accents_or_punctuation():
    assert keys(["Zürich", "(fire)", ".", "柏林"]) == ["zurich", "fire", "", "柏林"]


def test_unknown_words_are_not_identical():
    a, b = keys(["storm", "[UNK]", "<unk>"]), keys(["Sturm", "[UNK]", "<unk>"])
    assert identical(a, b) == set()


def test_identical_words_are_linked_where_they_stand_once():
    a, b = ["37", "men", "die", "die", ""], ["die", "37", ""]
    assert identical(a, b) == {(1, 0)}


def test_phrases_of_equal_length_are_linked_word_by_word(tmp_path):
    path = tmp_path / "lexicon.tsv"
    path.write_text("New Delhi\tNeu-Delhi\nMunich\t慕尼黑\n", "utf-8")
    lexicon = Lexicon.read(path)
    assert lexicon is not None
    assert lexicon.links(["in", "new", "delhi"], ["neu", "delhi"]) == {(0, 1), (1, 2)}
    assert lexicon.links(["munich"], ["慕", "尼", "黑"]) == {(0, 0), (1, 0), (2, 0)}
    assert lexicon.links(["new"], ["neu"]) == set()


def test_a_phrase_is_found_whatever_punctuation_is_in_it():
    lexicon = Lexicon([("New Delhi", "Neu-Delhi"), ("People's Party", "Volkspartei")])
    assert lexicon.links(keys(["in", "New", "Delhi"]), keys(["Neu", "-", "Delhi"])) == {
        (0, 1), (2, 2),
    }  # fmt: skip
    people = keys(["People", "'", "s", "Party"])
    assert lexicon.links(people, keys(["Volkspartei"])) == {(0, 0), (0, 2), (0, 3)}


def test_a_lexicon_of_one_column_is_one_line_of_error(tmp_path):
    path = tmp_path / "lexicon.tsv"
    path.write_text("Munich\tMünchen\nParis\n", "utf-8")
    with pytest.raises(InputError, match=r"lexicon\.tsv:2: expected a phrase in A, a tab"):
        Lexicon.read(path)
    assert Lexicon.read(tmp_path / "none.tsv") is None


def test_punctuation_has_no_statistical_link():
    aligner = Aligner([(["x"], ["y"])], 3)
    assert statistical(["", "x"], ["y", ""], aligner, 0.3) == {(0, 1)}


def test_the_diagonal_keeps_the_order():
    assert diagonal(6, 3) == {(0, 1), (1, 3), (2, 5)}
    assert diagonal(1, 3) == {(0, 0), (1, 0), (2, 0)}
    assert diagonal(0, 3) == set()


def test_a_random_link_of_each_word_is_the_same_for_the_same_seed():
    links = at_random(5, 40, seed=1)
    assert sorted(j for j, _ in links) == [*range(40)]
    assert {i for _, i in links} == {*range(5)}
    assert links == at_random(5, 40, seed=1) != at_random(5, 40, seed=2)


def test_the_error_rate_counts_only_words_that_gold_links():
    gold = {(0, 0), (1, 2)}
    assert error_rate(gold | {(5, 5)}, gold) == 0
    assert error_rate({(0, 0), (1, 1)}, gold) == 0.5
    assert error_rate(set(), gold) == 1
