from typing import Any

import numpy as np
import pytest
from scipy import stats

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.sample import difference, sample

THREE, FIVE = np.split(np.random.default_rng(0).normal(size=(8, 11)), [3])


def test_one_seed_is_taken_as_it_is():
    documents, *of_seeds = sample([0.5, 0.25])
    assert (documents.tolist(), of_seeds) == ([0.5, 0.25], [0, 0, 0])


def test_standard_error_over_seeds_is_scipys():
    found = sample(THREE)
    assert found.error == pytest.approx(stats.sem(THREE.mean(1)))
    assert found.freedom == 2


def test_degrees_of_freedom_are_welchs():
    found = difference(THREE, FIVE)
    theirs: Any = stats.ttest_ind(THREE.mean(1), FIVE.mean(1), equal_var=False)
    assert found.freedom == pytest.approx(theirs.df)
    assert found.mean / found.error == pytest.approx(theirs.statistic)


def test_a_system_without_seeds_adds_no_error():
    for found in (difference(THREE, FIVE[0]), difference(FIVE[0], THREE)):
        assert (found.error, found.freedom) == pytest.approx((sample(THREE).error, 2))
    assert difference(FIVE[0], FIVE[1]).error == difference([THREE[0]] * 3, FIVE[1]).error == 0


def test_luck_is_what_is_left_by_seeds_and_documents():
    # An analysis of variance without replication, with distinct effects of 3 seeds and 4 documents.
    seeds, documents = np.array([[0.0], [1.0], [5.0]]), np.array([0.0, 2.0, 3.0, 7.0])
    assert sample(seeds + documents).luck == pytest.approx(0)
    assert sample(seeds + documents).share == pytest.approx(1)
    crossed = np.outer([1, -1, 0], [1, -1, 0, 0])  # sums to 0 over seeds and over documents
    found = sample(seeds + documents + crossed)
    assert found.documents.tolist() == (documents + 2).tolist()
    assert found.luck == pytest.approx(4 / (3 * 4) / (3 - 1))
    assert found.share == pytest.approx((1 - found.luck / documents.var()) ** 0.5)


def test_more_seeds_would_leave_nothing_of_documents_that_are_all_luck():
    luck = np.random.default_rng(0).normal(size=(5, 1_009))
    assert sample(luck).share < 0.3
    assert sample(np.outer([1, -1], [1, -1])).share == 0


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([], r"at least one of each; found the shape \[0\]"),
        (np.zeros((3, 0)), r"found the shape \[3, 0\]"),
        (np.zeros((2, 3, 4)), r"found the shape \[2, 3, 4\]"),
        ([[0.1, 0.2], [0.3]], "equally many of every seed"),
        (["much"], "expected numbers"),
        ([0.1, float("nan")], "found nan for document 2 of 2, seed 1 of 1"),
        ([[0.1, 0.2], [float("inf"), 0.1]], "found inf for document 1 of 2, seed 2 of 2"),
    ],
)
def test_what_is_no_score_is_refused(scores: object, message: str):
    with pytest.raises(InputError, match=message) as caught:
        sample(scores)  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)


def test_the_message_says_which_system():
    with pytest.raises(InputError, match=r"scores of the second system: .* found nan"):
        difference([0.1], [float("nan")])
    with pytest.raises(InputError, match="same documents, in the same order; found 2 and 3 scores"):
        difference([0.1, 0.2], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
