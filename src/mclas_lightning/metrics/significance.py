"""Intervals of systems' scores, and tests of the difference of two systems.

Scores are ``[documents]``, or ``[seeds, documents]`` of a system that was trained several times.
Two systems are scored on the same documents in the same order. Tests are two-sided, of the
difference of the means over documents and seeds:

    one seed        paired approximate randomization (Riezler and Maxwell 2005)
    several seeds   two-level bootstrap: both systems share the documents, each has its own seeds

A resample of the two-level bootstrap draws documents with replacement, the same for all seeds of
both systems. Seeds are not drawn, because two to five are too few: three seeds have 10 resamples,
whose variance is a third too small. Instead, a resample adds the standard error of the seeds' means
times a draw from Student's t with Welch's degrees of freedom, as for normal means. This error
contains that a seed is good or bad at single documents, so that the documents' deviations are
reduced by as much (``Sample.share``). A system with one seed has no such error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mclas_lightning.errors import check_range
from mclas_lightning.metrics.resampling import (
    Array,
    Sample,
    bootstrap,
    randomize,
    sample_of_differences,
    sample_of_scores,
)

RESAMPLES = 10_000

LEVEL = 0.95  # of intervals

SIGNIFICANCE_LEVEL = 0.05  # of tests

Interval = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """``a - b``: the difference of means, its 95 % interval, the p-value and the test's name."""

    difference: float
    low: float
    high: float
    p: float
    method: str


class PValue(NamedTuple):
    """A p-value and the name of its test."""

    p: float
    method: str


def compare_all(
    pairs: Iterable[tuple[ArrayLike, ArrayLike]], *, seed: int = 0, resamples: int = RESAMPLES
) -> list[Comparison]:
    """The first system of each pair against the second; InputError where scores do not fit.

    Pairs, of systems or of metrics, with equally many documents share the random draws, so that
    many cost little more than one. A pair's result does not depend on the others.
    """
    samples = [sample_of_differences(a, b) for a, b in pairs]
    deviations = bootstrap(samples, resamples, seed)
    flips = iter(randomize([each for each in samples if not each.error], resamples, seed))
    return [
        Comparison(
            each.mean,
            *_interval(each, row),
            *(_two_level(each, row) if each.error else next(flips)),
        )
        for each, row in zip(samples, deviations, strict=True)
    ]


def pvalues(
    pairs: Iterable[tuple[ArrayLike, ArrayLike]], *, seed: int = 0, resamples: int = RESAMPLES
) -> list[PValue]:
    """``compare_all`` without intervals: with one seed each, in a third of the time."""
    samples = [sample_of_differences(a, b) for a, b in pairs]
    seeds = [each for each in samples if each.error]
    two_level = map(_two_level, seeds, bootstrap(seeds, resamples, seed))
    flips = iter(randomize([each for each in samples if not each.error], resamples, seed))
    return [next(two_level) if each.error else PValue(*next(flips)) for each in samples]


def bootstrap_intervals(
    scores: Iterable[ArrayLike], *, resamples: int = RESAMPLES, seed: int = 0
) -> list[Interval]:
    """The 95 % percentile interval of each system's mean in a metric.

    Of a system with several seeds, it is the interval over documents and seeds.
    """
    samples = [sample_of_scores(each) for each in scores]
    deviations = bootstrap(samples, resamples, seed)
    return [_interval(each, row) for each, row in zip(samples, deviations, strict=True)]


def _interval(each: Sample, deviations: Array) -> Interval:
    low, high = np.quantile(deviations, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return each.mean + float(low), each.mean + float(high)


def _two_level(each: Sample, deviations: Array) -> PValue:
    method = f"two-level bootstrap over documents and seeds, {len(deviations):,} resamples"
    return PValue(_shifted(each, deviations), method)


def _shifted(each: Sample, deviations: Array) -> float:
    """p of a bootstrap (Koehn 2004), two-sided: ``(1 + #{|d* - d| >= |d|}) / (1 + resamples)``.

    d is the difference of means and d* that of a resample. Resamples lie around d; shifted by d,
    they follow the null hypothesis, a difference of 0. (The share with d* <= 0, often reported, is
    one-sided and not shifted.)
    """
    reached = each.reached_by(deviations * len(each.documents))
    return (1 + int(reached.sum())) / (1 + len(deviations))


def holm_adjusted(pvalues: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Holm 1979), in the order given.

    The k-th lowest of m is multiplied by m - k + 1, and is at least the adjusted (k - 1)-th.
    """
    for p in pvalues:
        check_range("p-value", p, 0, 1)
    order = np.argsort(pvalues)
    factors = np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(factors * np.asarray(pvalues, dtype=float)[order])
    return np.minimum(adjusted, 1).tolist()


def holm_corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of one table, with Holm's p-values."""
    adjusted = holm_adjusted([each.p for each in comparisons])
    over = f"Holm-corrected over {len(comparisons)} comparisons"
    return [
        replace(each, p=p, method=f"{each.method}, {over}")
        for each, p in zip(comparisons, adjusted, strict=True)
    ]
