import random
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.corpora.near import NEAR, HeldOut, apart, held_out_of, near_duplicates
from mclas_lightning.example import Example, write_jsonl

LETTERS = "etaoinshrdlc"


def news(rng: random.Random, words: int) -> list[str]:
    return ["".join(rng.choices(LETTERS, k=rng.randint(3, 7))) for _ in range(words)]


def edited(rng: random.Random, words: list[str], edits: int) -> list[str]:
    copy = list(words)
    for _ in range(edits):
        copy[rng.randrange(len(copy))] = "".join(rng.choices(LETTERS, k=8))
    return copy


def jaccard(one: list[str], other: list[str]) -> float:
    """Of the sets of three consecutive words, by another way than the module's."""
    sets = [{tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in (one, other)]
    both = sum(run in sets[1] for run in sets[0])
    return both / (len(sets[0]) + len(sets[1]) - both)


def examples(texts: list[str]) -> list[Example]:
    return [Example(id=str(i), document=text) for i, text in enumerate(texts)]


def test_near_duplicates_are_those_of_every_pair_by_brute_force():
    rng = random.Random(5)
    held = [news(rng, 61) for _ in range(23)]
    looked = [edited(rng, rng.choice(held), edits) for edits in range(13) for _ in range(7)]
    index = HeldOut()
    for row, words in enumerate(held):
        index.add("test", str(row), " ".join(words))
    expected = {
        (i, str(j)): jaccard(one, other)
        for (i, one), (j, other) in product(enumerate(looked), enumerate(held))
        if jaccard(one, other) >= NEAR
    }
    found = {
        (i, near.there): near.similarity
        for i, words in enumerate(looked)
        for near in index.all_near(str(i), " ".join(words))
    }
    assert found == pytest.approx(expected)
    assert 20 < len(found) < len(looked)  # both verdicts occur


def test_a_document_of_a_script_without_spaces_is_compared_by_its_characters():
    index = HeldOut()
    text = "".join(chr(0x4E00 + 37 * i) for i in range(89))
    index.add("test", "zh", text)
    near = index.nearest("a", text[:40] + "\u7684" + text[41:])
    assert near is not None
    # Three of 87 runs hold the changed character.
    assert near.similarity == pytest.approx(84 / 90)
    assert index.nearest("b", text[::-1]) is None


@pytest.mark.parametrize("letters", ["\u0915\u093f \u0926\u0940 \u0928\u094d", "o\u0323\u0301 n"])
def test_a_combining_mark_ends_no_word(letters):
    rng = random.Random(3)
    words = ["".join(rng.choices(letters.split(), k=5)) for _ in range(61)]
    index = HeldOut()
    index.add("test", "a", " ".join(words))
    for step in (10, 31):  # one word in so many is longer
        other = [words[i - 1] * (i % step == 5) + word for i, word in enumerate(words)]
        found = index.nearest("b", " ".join(other))
        expected = jaccard(words, other) if step == 31 else None
        assert (found and found.similarity) == (expected and pytest.approx(expected))


def test_the_nearest_of_several_is_found_and_a_documents_own_set_is_not_looked_at():
    rng = random.Random(1)
    words = news(rng, 97)
    index = HeldOut()
    index.add("valid", "far", " ".join(edited(rng, words, 4)))
    index.add("test", "near", " ".join(edited(rng, words, 1)))
    near = index.nearest("x", " ".join(words))
    assert near is not None
    assert (near.id, near.set, near.there, near.equal) == ("x", "test", "near", False)
    assert [n.set for n in index.all_near("x", " ".join(words), own="test")] == ["valid"]
    assert index.nearest("y", " ".join(news(rng, 97))) is None


@pytest.mark.parametrize("text", ["!!!", "one", "two words", "\u4e2d"])
def test_a_text_too_short_for_three_words_is_near_its_equal_alone(text):
    index = HeldOut()
    index.add("test", "a", text)
    near = index.nearest("b", f"  {text}\n")
    assert near is not None
    assert near.equal
    assert index.nearest("c", f"{text} more than one word") is None


WORDS = st.lists(st.sampled_from("ab\u4e2d!?"), min_size=1, max_size=6).map(" ".join)


@given(train=st.lists(WORDS), valid=st.lists(WORDS), test=st.lists(WORDS))
def test_no_document_of_valid_or_test_is_left_in_train(train, valid, test):
    held_out, skipped = HeldOut(), []
    texts = {"train": train, "valid": valid, "test": test}
    kept = {
        split: [e.document for e in apart(split, examples(texts[split]), held_out, skipped.append)]
        for split in reversed(SPLITS)
    }
    assert kept["test"] == test
    assert not set(kept["valid"]) & set(test)
    assert not set(kept["train"]) & {*valid, *test}
    assert len(skipped) == len(train + valid) - len(kept["train"] + kept["valid"])


def test_training_examples_are_streamed():
    held_out = HeldOut()
    list(apart("test", examples(["one two three"]), held_out, print))
    asked = []

    def endless() -> Iterator[Example]:
        while True:
            asked.append(1)
            yield Example(id="x", document="another text")

    next(apart("train", endless(), held_out, print))
    assert len(asked) == 1


def test_two_files_are_compared(tmp_path):
    rng = random.Random(2)
    texts = [" ".join(news(rng, 31)) for _ in range(5)]
    write_jsonl(tmp_path / "test.jsonl", examples(texts[:2]))
    write_jsonl(tmp_path / "train.jsonl", examples([*texts[2:], texts[1].title()]))
    (near,) = near_duplicates(tmp_path / "train.jsonl", held_out_of([tmp_path]))
    assert near == ("3", str(tmp_path / "test.jsonl"), "1", 1.0, False)


def test_other_corpora_take_documents_out_of_train_and_valid_and_leave_the_test_set():
    texts = [f"storm number {n} hits the old harbour town at night" for n in range(6)]
    held_out, skipped = HeldOut(), []
    for text in texts:
        held_out.add("other/test.jsonl", "x", text)
    kept = {
        split: list(
            apart(split, examples(texts[2 * place : 2 * place + 2]), held_out, skipped.append)
        )
        for place, split in enumerate(("test", "valid", "train"))
    }
    assert {split: len(found) for split, found in kept.items()} == {
        "test": 2,
        "valid": 0,
        "train": 0,
    }
    assert skipped == ["its document is nearly one of other/test.jsonl"] * 4
