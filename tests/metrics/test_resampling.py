import tracemalloc
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mclas_lightning.metrics import resampling
from mclas_lightning.metrics.resampling import bootstrap, randomize
from mclas_lightning.metrics.sample import Sample, sample

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
    return [sample(row) for row in np.random.default_rng(0).normal(size=(num, documents))]


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
    ((p, method),) = randomize([sample([float(each) for each in differences])], 2**11, seed=0)
    assert p == share_of_all_signs(differences)
    assert method == f"exact {PAIRED}"


def test_documents_without_a_difference_do_not_keep_the_test_from_being_exact():
    few = [0.3, 0.1, -0.2, 0.7]
    ((p, method),) = randomize([sample([*few, *[0.0] * 1000])], 2**4, seed=0)
    assert p == share_of_all_signs([Fraction(each) for each in few])
    assert method == f"exact {PAIRED}"
    assert randomize([sample(few)], 2**4 - 1, seed=0)[0][1] == f"{PAIRED}, 15 resamples"


def test_random_signs_come_to_the_share_of_all_of_them():
    # 13 differences of a few sizes: many patterns tie with what was found.
    differences = [Fraction(k, 7) for k in (1, 1, 1, -1, 2, 2, -1, 3, 1, 1, -2, 1, 1)]
    exact, resamples = share_of_all_signs(differences), 2**13 - 1
    ((p, _),) = randomize([sample([float(each) for each in differences])], resamples, seed=0)
    assert p != exact
    assert abs(p - exact) < 4 * (exact * (1 - exact) / resamples) ** 0.5


def test_resampled_means_come_to_those_of_all_resamples():
    scores = np.array([0.0, 1.0, 3.0, 10.0])
    every = np.array([np.mean(drawn) for drawn in product(scores, repeat=4)]) - scores.mean()
    (found,) = bootstrap([sample(scores)], 50_000, seed=0)
    assert set(np.round(found, 4)) == set(np.round(every, 4))
    assert found.std() == pytest.approx(every.std(), rel=0.02)
    assert np.quantile(found, 0.9) == pytest.approx(np.quantile(every, 0.9), abs=0.26)


@pytest.mark.parametrize("chunk", [1, 100, 2**22])
def test_chunks_change_no_draw(monkeypatch: pytest.MonkeyPatch, chunk: int):
    samples = random_samples(3, 17)
    expected = bootstrap(samples, 101, seed=5)
    monkeypatch.setattr(resampling, "CHUNK", chunk)
    np.testing.assert_allclose(bootstrap(samples, 101, seed=5), expected, rtol=1e-4, atol=1e-6)


def test_a_sample_does_not_depend_on_its_company():
    samples = [*random_samples(3, 17), *random_samples(2, 23), *random_samples(1, 5)]
    mixed = [samples[i] for i in (3, 0, 5, 1, 4, 2)]
    assert randomize(mixed, 997, seed=2) == [randomize([each], 997, seed=2)[0] for each in mixed]
    for each, found in zip(mixed, bootstrap(mixed, 997, seed=2), strict=True):
        alone = bootstrap([each], 997, seed=2)[0]
        np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-6)


def test_memory_does_not_grow_with_the_resamples():
    # Weights of 20,000 resamples of 3,001 documents are 240 MB in float32.
    samples = random_samples(7, 3_001)
    tracemalloc.start()
    bootstrap(samples, 20_000, seed=0)
    randomize(samples, 20_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6
