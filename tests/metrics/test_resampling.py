import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mclas_lightning.errors import InputError
from mclas_lightning.metrics import resampling
from mclas_lightning.metrics.resampling import (
    Sample,
    bootstrap,
    randomize,
    sample_of_differences,
    sample_of_scores,
)

PAIRED = "paired randomization"


def share_of_all_signs(differences: list[Fraction]) -> float:
    """In whole fractions, so that ties are ties."""
    reached = [
        abs(sum(sign * each for sign, each in zip(signs, differences, strict=True)))
        >= abs(sum(differences))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(reached) / len(reached)


def random_samples(num: int, documents: int) -> list[Sample]:
    return [sample_of_scores(row) for row in np.random.default_rng(0).normal(size=(num, documents))]


@pytest.mark.parametrize(
    "differences",
    [
        [Fraction(1, 7)],
        [Fraction(1, 3), Fraction(1, 3), Fraction(-1, 3), Fraction(2, 3), Fraction(0)],
        [Fraction(k, 11) for k in (1, 2, -3, 4, 5, -6, 7, 0, 0, 9, 2)],
        [Fraction(0), Fraction(0), Fraction(0)],
    ],
)
def test_all_signs_are_tried_where_they_are_few(differences: list[Fraction]):
    ((p, method),) = randomize(
        [sample_of_scores([float(each) for each in differences])], 2**11, seed=0
    )
    assert p == share_of_all_signs(differences)
    assert method == f"exact {PAIRED}"


def test_documents_without_a_difference_do_not_keep_the_test_from_being_exact():
    few = [0.3, 0.1, -0.2, 0.7]
    ((p, method),) = randomize([sample_of_scores([*few, *[0.0] * 1000])], 2**4, seed=0)
    assert p == share_of_all_signs([Fraction(each) for each in few])
    assert method == f"exact {PAIRED}"
    assert randomize([sample_of_scores(few)], 2**4 - 1, seed=0)[0][1] == f"{PAIRED}, 15 resamples"


def test_random_signs_come_to_the_share_of_all_of_them():
    # 13 differences of a few sizes: many patterns tie with what was found.
    differences = [Fraction(k, 7) for k in (1, 1, 1, -1, 2, 2, -1, 3, 1, 1, -2, 1, 1)]
    exact, resamples = share_of_all_signs(differences), 2**13 - 1
    ((p, _),) = randomize(
        [sample_of_scores([float(each) for each in differences])], resamples, seed=0
    )
    assert p != exact
    assert abs(p - exact) < 4 * (exact * (1 - exact) / resamples) ** 0.5


def test_resampled_means_come_to_those_of_all_resamples():
    scores = np.array([0.0, 1.0, 3.0, 10.0])
    every = np.array([np.mean(drawn) for drawn in product(scores, repeat=4)]) - scores.mean()
    (found,) = bootstrap([sample_of_scores(scores)], 50_000, seed=0)
    assert set(np.round(found, 4)) == set(np.round(every, 4))
    assert found.std() == pytest.approx(every.std(), rel=0.02)
    assert np.quantile(found, 0.9) == pytest.approx(np.quantile(every, 0.9), abs=0.26)


@pytest.mark.parametrize("chunk", [1, 100, 2**22])
def test_chunks_change_no_draw(monkeypatch: pytest.MonkeyPatch, chunk: int):
    samples = random_samples(3, 17)
    expected = bootstrap(samples, 101, seed=5)
    monkeypatch.setattr(resampling, "CHUNK_WEIGHTS", chunk)
    np.testing.assert_allclose(bootstrap(samples, 101, seed=5), expected, rtol=1e-4, atol=1e-6)


def test_a_sample_does_not_depend_on_its_company():
    samples = [*random_samples(3, 17), *random_samples(2, 23), *random_samples(1, 5)]
    mixed = [samples[i] for i in (3, 0, 5, 1, 4, 2)]
    assert randomize(mixed, 997, seed=2) == [randomize([each], 997, seed=2)[0] for each in mixed]
    for each, found in zip(mixed, bootstrap(mixed, 997, seed=2), strict=True):
        alone = bootstrap([each], 997, seed=2)[0]
        np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("test", [bootstrap, randomize])
def test_one_resample_is_the_least(test: Callable[..., list[Any]]):
    sample = sample_of_scores([0.3, 0.1, -0.2])
    assert len(test([sample], 1, seed=0)) == 1
    with pytest.raises(InputError, match=r"^resamples: expected 1 or more, found 0$"):
        test([sample], 0, seed=0)


def test_memory_does_not_grow_with_the_resamples():
    # Weights of 20,000 resamples of 3,001 documents are 240 MB in float32.
    samples = random_samples(7, 3_001)
    tracemalloc.start()
    bootstrap(samples, 20_000, seed=0)
    randomize(samples, 20_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


THREE, FIVE = np.split(np.random.default_rng(0).normal(size=(8, 11)), [3])


def test_one_seed_is_taken_as_it_is():
    documents, *of_seeds = sample_of_scores([0.5, 0.25])
    assert (documents.tolist(), of_seeds) == ([0.5, 0.25], [0, 0, 0])


def test_standard_error_over_seeds_is_scipys():
    found = sample_of_scores(THREE)
    assert found.error == pytest.approx(stats.sem(THREE.mean(1)))
    assert found.freedom == 2


def test_degrees_of_freedom_are_welchs():
    found = sample_of_differences(THREE, FIVE)
    theirs: Any = stats.ttest_ind(THREE.mean(1), FIVE.mean(1), equal_var=False)
    assert found.freedom == pytest.approx(theirs.df)
    assert found.mean / found.error == pytest.approx(theirs.statistic)


def test_a_system_without_seeds_adds_no_error():
    for found in (sample_of_differences(THREE, FIVE[0]), sample_of_differences(FIVE[0], THREE)):
        assert (found.error, found.freedom) == pytest.approx((sample_of_scores(THREE).error, 2))
    assert (
        sample_of_differences(FIVE[0], FIVE[1]).error
        == sample_of_differences([THREE[0]] * 3, FIVE[1]).error
        == 0
    )


def test_luck_is_what_is_left_by_seeds_and_documents():
    # An analysis of variance without replication, with distinct effects of 3 seeds and 4 documents.
    seeds, documents = np.array([[0.0], [1.0], [5.0]]), np.array([0.0, 2.0, 3.0, 7.0])
    assert sample_of_scores(seeds + documents).luck == pytest.approx(0)
    assert sample_of_scores(seeds + documents).share == pytest.approx(1)
    crossed = np.outer([1, -1, 0], [1, -1, 0, 0])  # sums to 0 over seeds and over documents
    found = sample_of_scores(seeds + documents + crossed)
    assert found.documents.tolist() == (documents + 2).tolist()
    assert found.luck == pytest.approx(4 / (3 * 4) / (3 - 1))
    assert found.share == pytest.approx((1 - found.luck / documents.var()) ** 0.5)


def test_more_seeds_would_leave_nothing_of_documents_that_are_all_luck():
    luck = np.random.default_rng(0).normal(size=(5, 1_009))
    assert sample_of_scores(luck).share < 0.3
    assert sample_of_scores(np.outer([1, -1], [1, -1])).share == 0


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
        sample_of_scores(scores)  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)


def test_the_message_says_which_system():
    with pytest.raises(InputError, match=r"scores of the second system: .* found nan"):
        sample_of_differences([0.1], [float("nan")])
    with pytest.raises(InputError, match=r"scores of the first system: .* found nan"):
        sample_of_differences([float("nan")], [0.1])
    with pytest.raises(InputError, match="same documents, in the same order; found 2 and 3 scores"):
        sample_of_differences([0.1, 0.2], [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
