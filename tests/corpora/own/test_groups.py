from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.corpora.own.groups import BOILERPLATE, Texts, dealt, leaking
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import examples

LONG = "the quick brown fox jumps over the lazy dog near the old mill"


def groups_of(rows):
    texts = Texts()
    for row in rows:
        texts.add(row)
    return texts.groups().tolist()


def example(n, document, mono=None, cross=None):
    return Example(id=str(n), document=document, mono=mono or f"m{n}", cross=cross or f"c{n}")


def test_examples_with_a_common_text_are_one_group():
    rows = [
        example(0, "one"),
        example(1, "two", mono="same"),
        example(2, f"three. {LONG}."),
        example(3, "ONE  "),
        example(4, "five", mono="same", cross="also"),
        example(5, f"{LONG}. six."),
        example(6, "seven", cross="also"),
    ]
    assert groups_of(rows) == [0, 1, 2, 0, 1, 2, 1]


def test_sentences_of_scripts_without_spaces_are_compared_too():
    same = "港の第三倉庫で盗まれた絵画二点を発見した。"
    assert groups_of([example(0, f"{same}東京。"), example(1, f"大阪。{same}")]) == [0, 0]


@pytest.mark.parametrize("end", [".", "\u0964", " \u0964", "\u06d4", "\u061f", "\u1362", "!"])
def test_sentences_end_as_their_script_has_it(end):
    rows = [example(0, f"story{end} {LONG}{end}"), example(1, f"{LONG}{end} other{end}")]
    assert groups_of(rows) == [0, 0]


def test_boilerplate_joins_none():
    rows = [example(n, f"story {n}. {LONG}.") for n in range(BOILERPLATE + 1)]
    assert len(set(groups_of(rows))) == BOILERPLATE + 1
    assert len(set(groups_of(rows[1:]))) == 1


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=19))
def test_groups_are_connected_components(keys):
    rows = [example(n, f"d{d}", f"m{m}", f"c{c}") for n, (d, m, c) in enumerate(keys)]
    expected = [*range(len(rows))]
    for _ in rows:  # Brute force: the smallest number spreads until nothing changes.
        for i, j in combinations(range(len(rows)), 2):
            if any(one == other for one, other in zip(keys[i], keys[j], strict=True)):
                expected[i] = expected[j] = min(expected[i], expected[j])
    assert groups_of(rows) == expected


def test_a_group_is_dealt_to_one_split_and_the_seed_decides():
    groups = np.repeat(np.arange(0, 300, 3), 3)
    ids = [str(n) for n in range(300)]
    found = dealt(groups, ids, ["test", "valid"], 0)
    assert all(len({*found[start : start + 3]}) == 1 for start in range(0, 300, 3))
    assert [found.count(split) for split in ("train", "valid", "test")] == [240, 30, 30]
    assert dealt(groups, ids, ["test", "valid"], 0) == found
    assert dealt(groups, ids, ["test", "valid"], 1) != found
    assert {*dealt(groups, ids, ["valid"], 0)} == {"train", "valid"}


def test_a_large_group_is_for_training():
    groups = np.array([0] * 50 + [*range(50, 150)])
    for seed in range(5):
        assert {*dealt(groups, [str(n) for n in range(150)], ["test", "valid"], seed)[:50]} == {
            "train"
        }


@pytest.mark.parametrize("groups", [[0] * 40, [*range(9)], [0] * 20 + [20] * 20])
def test_too_few_groups_are_refused(groups):
    with pytest.raises(InputError, match=f"^{len(groups)} examples in"):
        dealt(np.array(groups), [str(n) for n in range(len(groups))], ["test", "valid"], 0)


def test_training_leaks_into_valid_and_test_and_valid_into_test():
    rows = examples(9)
    train, valid, test = rows[:5], rows[5:7], rows[7:]
    valid[1] = replace(valid[1], mono=test[0].mono)
    train[2] = replace(train[2], cross=valid[0].cross)
    train[4] = replace(train[4], document=test[1].document)
    texts = Texts()
    for row in (*train, *valid, *test):
        texts.add(row)
    splits = {"train": slice(0, 5), "valid": slice(5, 7), "test": slice(7, 9)}
    assert np.flatnonzero(leaking(texts.groups(), splits)).tolist() == [2, 4, 6]
