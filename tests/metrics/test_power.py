import numpy as np
import pytest
from scipy import stats

from mclas_lightning.metrics.power import detectable_difference, student_t_quantile
from mclas_lightning.metrics.resampling import sample_of_differences
from mclas_lightning.metrics.significance import pvalues

NUM = 211


@pytest.mark.parametrize("freedom", [1.0, 1.7, 2.0, 5.3, 40.0, 2000.0])
@pytest.mark.parametrize("p", [0.95, 0.975, 0.9995])
def test_the_quantiles_are_scipys(p, freedom):
    assert student_t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-3)


@pytest.mark.parametrize(("seeds", "luck"), [(1, 0.0), (3, 0.01), (5, 0.02)])
def test_systems_that_differ_by_it_have_just_this_p(seeds, luck):
    rng = np.random.default_rng(seeds)
    a, b = (
        rng.normal(0.3, 0.1, (seeds, NUM)) + luck * rng.normal(size=(seeds, 1)) for _ in range(2)
    )
    least = detectable_difference(sample_of_differences(a, b), 0.05)
    a += b.mean() - a.mean() + least
    (test,) = pvalues([(a, b)], resamples=20_000)
    assert test.p == pytest.approx(0.05, abs=0.012)


def test_equal_systems_and_one_document_have_bounds():
    same = np.full((1, NUM), 0.3)
    assert detectable_difference(sample_of_differences(same, same), 0.05) == 0
    assert detectable_difference(sample_of_differences([0.1], [0.3]), 0.05) == float("inf")
