import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.significance import (
    Comparison,
    bootstrap_intervals,
    compare_all,
    holm_adjusted,
    holm_corrected,
    pvalues,
)

TENTHS = st.integers(0, 10).map(lambda k: k / 10)
PAIRS = st.lists(st.tuples(TENTHS, TENTHS), min_size=1, max_size=12).map(np.transpose)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def seeds_of(quality: float, num_seeds: int, documents: np.ndarray, rng: np.random.Generator):
    """Seeds that differ by 0.01, and documents that each seed does better or worse by 0.1."""
    seeds = rng.normal(quality, 0.01, size=(num_seeds, 1))
    return documents + seeds + rng.normal(0, 0.1, size=(num_seeds, len(documents)))


def compare(a: Any, b: Any, **settings: Any) -> Comparison:
    return compare_all([(a, b)], **settings)[0]


def interval(scores: Any, **settings: Any) -> tuple[float, float]:
    return bootstrap_intervals([scores], **settings)[0]


def paired_randomization(a: Any, b: Any, **settings: Any) -> float:
    """The test of systems with one seed."""
    return pvalues([(a, b)], **settings)[0].p


def paired_bootstrap(a: Any, b: Any, **settings: Any) -> float:
    """The test of systems with five seeds, which differ by nearly nothing: documents are left."""
    nearly_equal = 1e-12 * np.array([[-2], [-1], [0], [1], [2]])
    return pvalues([(a + nearly_equal, b + nearly_equal)], **settings)[0].p


def test_interval_is_scipys(rng: np.random.Generator):
    scores = rng.beta(2, 5, size=211)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert interval(scores, resamples=20_000) == pytest.approx(theirs, abs=0.02 * width)


def test_interval_of_a_large_sample_is_the_normal_one(rng: np.random.Generator):
    scores = rng.normal(0.3, 0.1, size=2_003)
    error = stats.sem(scores, ddof=0)
    expected = stats.norm.interval(0.95, loc=scores.mean(), scale=error)
    assert interval(scores) == pytest.approx(expected, abs=0.1 * error)


def test_interval_of_a_difference_is_that_of_the_differences(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 31))
    found = compare(a, b)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert (found.low, found.high) == interval(a - b)


def test_seeds_alone_give_welchs_t_test():
    # All documents of a seed score the same, so that only the seeds are left to chance.
    a = np.repeat([[0.31], [0.34], [0.32]], 13, axis=1)
    b = np.repeat([[0.29], [0.32], [0.28], [0.30]], 13, axis=1)
    theirs: Any = stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False)
    found = compare(a, b, resamples=50_000)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.005)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(0.95), abs=0.002)
    assert found.method == "two-level bootstrap over documents and seeds, 50,000 resamples"


def test_documents_alone_give_the_paired_bootstrap(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 31))
    seeds, alone = compare([a, a, a], [b, b], resamples=999), compare(a, b, resamples=999)
    assert (seeds.p, seeds.method) == (alone.p, alone.method)
    assert (seeds.low, seeds.high) == pytest.approx((alone.low, alone.high))


def test_a_seed_more_or_less_of_certainty(rng: np.random.Generator):
    documents = rng.normal(0.3, 0.1, size=1_009)
    a, b = (seeds_of(quality, 5, documents, rng) for quality in (0.01, 0.0))
    of_seeds, of_means = compare(a, b), compare(a.mean(0), b.mean(0))
    assert of_seeds.difference == pytest.approx(of_means.difference)
    assert of_seeds.high - of_seeds.low > of_means.high - of_means.low
    assert of_seeds.p > of_means.p


def only_p(pairs: list, resamples: int) -> np.ndarray:
    return np.array([test.p for test in pvalues(pairs, resamples=resamples)])


@pytest.mark.parametrize("num_seeds", [2, 3, 5])
def test_systems_that_differ_by_their_seeds_alone_are_rarely_told_apart(num_seeds: int):
    rng, documents = np.random.default_rng(0), np.random.default_rng(1).normal(size=499)
    pairs = [
        (seeds_of(0, num_seeds, documents, rng), seeds_of(0, num_seeds, documents, rng))
        for _ in range(400)
    ]
    found = only_p(pairs, 1_000)
    of_means = only_p([(a.mean(0), b.mean(0)) for a, b in pairs], 1_000)
    assert (found <= 0.05).mean() <= 0.07  # a standard error is 0.011
    assert (found <= 0.2).mean() >= 0.08  # and the test is not idle
    assert (of_means <= 0.05).mean() >= 0.15  # as if the documents were all that is left to chance


def test_equal_systems_are_told_apart_as_often_as_the_level_says():
    a, b = np.random.default_rng(0).gamma(2, size=(2, 1_000, 47))
    found = only_p(list(zip(a, b, strict=True)), 1_000)
    shifted = np.array([paired_bootstrap(*pair, resamples=300) for pair in zip(a, b, strict=True)])
    for level in (0.01, 0.05, 0.2):
        error = math.sqrt(level * (1 - level) / len(found))
        assert abs((found <= level).mean() - level) < 3 * error
        assert (shifted <= level).mean() < level + 3 * error + 0.01  # holds for many documents only


def test_a_clear_difference_is_found(rng: np.random.Generator):
    documents = rng.normal(0.3, 0.1, size=1_009)
    a, b = documents + 0.02 + rng.normal(0, 0.05, 1_009), documents
    assert paired_randomization(a, b) == paired_bootstrap(a, b) == 1 / 10_001
    low, high = interval(b)
    assert low < a.mean() < high + 0.02  # pairing finds what two intervals would not
    a, b = (seeds_of(quality, 3, documents, rng) for quality in (0.1, 0.0))
    assert compare(a, b).p < 0.01


def test_paired_bootstrap_is_the_share_of_all_shifted_resamples():
    a = np.array([0.5, 0.1, 0.4, 0.9])
    d = a - [0.2, 0.3, 0.4, 0.3]
    every = np.stack(np.meshgrid(*[d] * 4)).reshape(4, -1).mean(0) - d.mean()
    exact = (abs(every) >= abs(d.mean()) - 1e-12).mean()
    assert paired_bootstrap(a, a - d, resamples=40_000) == pytest.approx(exact, abs=0.01)


@given(PAIRS)
def test_p_is_a_probability_and_does_not_depend_on_who_comes_first(pair: np.ndarray):
    a, b = np.c_[pair, pair]
    for test in (paired_randomization, paired_bootstrap):
        for resamples in (50, 1_000):
            p = test(a, b, resamples=resamples)
            assert 0 < p <= 1
            assert p == test(b, a, resamples=resamples)
            assert test(a, a, resamples=resamples) == 1


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_documents_does_not_matter(pair: np.ndarray, random):
    order = random.sample(range(pair.shape[1]), pair.shape[1])
    shuffled = pair[:, order]
    assert paired_randomization(*shuffled) == paired_randomization(*pair)
    found = [paired_bootstrap(*np.c_[each, pair], resamples=1_000) for each in (pair, shuffled)]
    assert found[0] == pytest.approx(found[1], abs=0.12)  # five standard errors


def test_order_of_many_documents_matters_as_much_as_the_seed_of_the_draws(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 97))
    p, error = paired_randomization(a, b), 0.5 / math.sqrt(10_000)
    order = rng.permutation(97)
    assert paired_randomization(a[order], b[order]) == pytest.approx(p, abs=6 * error)
    assert paired_randomization(a, b, seed=1) == pytest.approx(p, abs=6 * error)


@given(st.lists(TENTHS, min_size=1, max_size=9), st.integers(0, 9))
def test_interval_lies_within_the_scores(scores: list[float], seed: int):
    low, high = interval(scores, resamples=99, seed=seed)
    assert min(scores) - 1e-6 <= low <= high <= max(scores) + 1e-6


def test_draws_follow_from_the_seed(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 3, 31))
    assert compare(a, b, seed=4) == compare(a, b, seed=4) != compare(a, b, seed=5)
    assert interval(a[0], seed=4) != interval(a[0], seed=5)


def test_one_document_proves_nothing():
    found = compare([0.9], [0.1])
    assert (found.p, found.low, found.high) == pytest.approx((1, 0.8, 0.8))
    assert compare([[0.9], [0.9]], [0.1]).p == 1


def test_many_comparisons_are_each_what_they_are_alone(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 5, 29))
    c, d = rng.normal(size=(2, 3, 31))
    pairs = [(a[0], b[0]), (c, d), (a[1], b[1]), (a, b), (a[2], a[2])]
    together = compare_all(pairs, resamples=999)
    for found, pair in zip(together, pairs, strict=True):
        alone = compare(*pair, resamples=999)
        assert (found.difference, found.p, found.method) == (
            alone.difference, alone.p, alone.method
        )  # fmt: skip
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=1e-5)
    alone = pvalues(pairs, resamples=999)
    assert alone == [(found.p, found.method) for found in together]
    assert compare_all([]) == bootstrap_intervals([]) == pvalues([]) == holm_corrected([]) == []


def test_holm_by_hand():
    # Ascending 0.005 0.01 0.03 0.04 times 4 3 2 1: 0.02 0.03 0.06 0.04; the last is raised to 0.06.
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_adjusted([0.02, 0.02, 0.02]) == pytest.approx([0.06, 0.06, 0.06])
    assert holm_adjusted([0.6, 0.5]) == [1, 1]
    assert holm_adjusted([0.3]) == [0.3]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_is_between_no_correction_and_bonferronis(found: list[float]):
    adjusted = holm_adjusted(found)
    for p, q in zip(found, adjusted, strict=True):
        assert min(p, 1) <= q <= min(1, len(found) * p)
    by_p = [q for _, q in sorted(zip(found, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_correction_is_said(rng: np.random.Generator):
    a, b = rng.normal(size=(2, 5))
    first, second = holm_corrected([compare(a, b), compare(b, a)])
    assert first.p == second.p == min(1, 2 * compare(a, b).p)
    assert first.method == "exact paired randomization, Holm-corrected over 2 comparisons"


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(InputError, match="found 2 and 1 scores"):
        compare([0.1, 0.2], [0.1])
    with pytest.raises(InputError, match=r"scores: .* found the shape"):
        interval([])
    with pytest.raises(InputError, match="resamples: expected 1 or more, found 0"):
        compare([0.1], [0.2], resamples=0)
    with pytest.raises(InputError, match="p-value: expected from 0 to 1, found nan"):
        holm_adjusted([0.1, float("nan")])
