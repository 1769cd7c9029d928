"""Bootstrap and randomization of many samples at once.

Both are one matrix product, of documents' random weights and scores. The weights are shared by all
samples with the same number of documents, and made in chunks, so that memory does not grow with the
resamples.

Shape letters: C samples (systems or differences of two, by metric), N documents, R resamples,
B resamples of a chunk.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mclas_lightning.errors import InputError, check_range

Array = NDArray[np.floating]


class Sample(NamedTuple):
    """Scores of one system, or differences of two, and what their mean owes to the seeds."""

    documents: Array  # every document's mean over seeds
    error: float  # standard error over seeds of the mean over documents; 0 of one seed
    freedom: float  # degrees of freedom of that error
    luck: float  # variance of a document's mean that is due to single seeds being good or bad at it

    @property
    def mean(self) -> float:
        """Over documents and seeds."""
        return float(self.documents.mean())

    @property
    def share(self) -> float:
        """The part of the documents' standard deviation that more seeds would leave.

        The rest is in the error over seeds, whose means are over these documents.
        """
        variance = float(self.documents.var())
        return (1 - self.luck / variance) ** 0.5 if variance > self.luck else 0.0

    def reached_by(self, sums: Array) -> Array:
        """Which sums over documents are at least as far from 0 as this sample's own.

        Sums of float32 products are rounded; one that is closer than rounding counts as equal.
        """
        rounding = 16 * np.finfo(np.float32).eps * np.abs(self.documents).sum()
        return np.abs(sums) >= abs(self.documents.sum()) - rounding


def sample_of_scores(scores: ArrayLike, what: str = "scores") -> Sample:
    """Of scores ``[documents]`` or ``[seeds, documents]``; InputError where they are no such."""
    checked = _checked(scores, what)
    documents, num_seeds = checked.mean(0), len(checked)
    if num_seeds == 1:
        return Sample(documents, error=0.0, freedom=0.0, luck=0.0)
    # Less the first, so that equal seeds have an error of exactly 0.
    means = checked.mean(1) - checked[0].mean()
    rest = checked - documents - (means - means.mean())[:, None]
    return Sample(
        documents,
        error=float(means.std(ddof=1) / np.sqrt(num_seeds)),
        freedom=num_seeds - 1,
        luck=float((rest**2).mean() / (num_seeds - 1)),
    )


def sample_of_differences(a: ArrayLike, b: ArrayLike) -> Sample:
    """Of ``a - b``, document by document; InputError where they have not the same documents."""
    first, second = (
        sample_of_scores(a, "scores of the first system"),
        sample_of_scores(b, "scores of the second system"),
    )
    if len(first.documents) != len(second.documents):
        raise InputError(
            "two systems are compared on the same documents, in the same order; found "
            f"{len(first.documents)} and {len(second.documents)} scores"
        )
    # Welch 1947: each system draws its own seeds, and its seeds may vary more than the other's.
    terms = [(part.error**2, part.freedom) for part in (first, second) if part.error]
    variance = sum(square for square, _ in terms)
    freedom = variance**2 / sum(square**2 / free for square, free in terms) if terms else 0.0
    return Sample(
        first.documents - second.documents,
        error=float(np.sqrt(variance)),
        freedom=freedom,
        luck=first.luck + second.luck,
    )


def _checked(scores: ArrayLike, what: str) -> Array:
    try:
        found = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: expected numbers, equally many of every seed; {error}") from None
    if found.ndim != 2 or not found.size:
        raise InputError(
            f"{what}: expected [documents] or [seeds, documents], at least one of each; found the "
            f"shape {list(np.shape(scores))}"
        )
    if not np.isfinite(found).all():
        seed, document = np.argwhere(~np.isfinite(found))[0]
        raise InputError(
            f"{what}: expected a number for every document, found {found[seed, document]} for "
            f"document {document + 1} of {found.shape[1]}, seed {seed + 1} of {len(found)}; "
            "score the documents again"
        )
    return found


# Weights of a chunk: 1 MB in float32, so that they stay in the cache.
CHUNK_WEIGHTS = 2**18

T = TypeVar("T")


def bootstrap(samples: Sequence[Sample], resamples: int, seed: int) -> list[Array]:
    """Of each sample, how far the means ``[R]`` of its resamples are from its own.

    Documents are drawn with replacement; seeds are not (see significance.py): to a resample they
    add their standard error times a draw from Student's t.
    """
    check_range("resamples", resamples, 1)

    def deviations(group: list[Sample]) -> list[Array]:
        # Centered, so that what float32 leaves out is small beside the deviations.
        centered_CN = np.stack([each.documents - each.mean for each in group])
        found_CR = _weighted_sums(centered_CN, _draw_counts, resamples, seed)
        found_CR /= centered_CN.shape[1]
        for each, found_R in zip(group, found_CR, strict=True):
            if each.error:
                # A stream of its own, so that it does not matter which samples come before.
                student = np.random.default_rng([seed, 1]).standard_t(each.freedom, resamples)
                found_R *= each.share
                found_R += each.error * student
        return list(found_CR)

    return _by_size(samples, deviations)


def randomize(samples: Sequence[Sample], resamples: int, seed: int) -> list[tuple[float, str]]:
    """Of each sample, the share of patterns of signs whose sum reaches its own, and their name.

    All patterns are tried where they are no more than ``resamples``; 0 has no sign.
    """
    check_range("resamples", resamples, 1)
    few = [np.count_nonzero(each.documents) < resamples.bit_length() for each in samples]
    many = [each for each, is_few in zip(samples, few, strict=True) if not is_few]
    random = iter(_by_size(many, lambda group: _random_signs(group, resamples, seed)))
    name = f"paired randomization, {resamples:,} resamples"
    return [
        (_all_signs(each), "exact paired randomization") if is_few else (next(random), name)
        for each, is_few in zip(samples, few, strict=True)
    ]


def _all_signs(sample: Sample) -> float:
    sums = np.zeros(1)
    for score in sample.documents[sample.documents != 0]:
        sums = np.concatenate([sums + score, sums - score])
    return float(sample.reached_by(sums).mean())


def _random_signs(group: list[Sample], resamples: int, seed: int) -> list[float]:
    """The signs that were found are one pattern more, so that a share is never 0."""
    scores_CN = np.stack([each.documents for each in group])
    sums_CR = _weighted_sums(scores_CN, _draw_signs, resamples, seed)
    reached = [each.reached_by(sums).sum() for each, sums in zip(group, sums_CR, strict=True)]
    return [(1 + int(count)) / (1 + resamples) for count in reached]


def _by_size(samples: Sequence[Sample], work: Callable[[list[Sample]], list[T]]) -> list[T]:
    """``work`` done for the samples of each number of documents together."""
    sizes = [len(each.documents) for each in samples]
    found: dict[int, T] = {}
    for size in set(sizes):
        places = [place for place, other in enumerate(sizes) if other == size]
        found |= zip(places, work([samples[place] for place in places]), strict=True)
    return [found[place] for place in range(len(samples))]


def _weighted_sums(
    scores_CN: Array, draw: Callable[[Array, np.random.Generator], None], resamples: int, seed: int
) -> Array:
    """Sums over documents ``[C, R]``; ``draw`` fills weights ``[B, N]`` of a chunk of resamples."""
    size, rng = scores_CN.shape[1], np.random.default_rng(seed)
    single_CN = scores_CN.astype(np.float32)
    sums_CR = np.empty((len(scores_CN), resamples), np.float32)
    # One buffer: new memory for each chunk would cost more than the draws.
    weights_BN = np.empty((min(resamples, max(1, CHUNK_WEIGHTS // size)), size), np.float32)
    for start in range(0, resamples, len(weights_BN)):
        chunk_BN = weights_BN[: resamples - start]
        draw(chunk_BN, rng)
        sums_CR[:, start : start + len(chunk_BN)] = single_CN @ chunk_BN.T
    return sums_CR


def _draw_counts(weights_BN: Array, rng: np.random.Generator) -> None:
    """How often each document is among N drawn with replacement."""
    size = weights_BN.shape[1]
    for weights_N in weights_BN:
        weights_N[:] = np.bincount(rng.integers(size, size=size), minlength=size)


def _draw_signs(weights_BN: Array, rng: np.random.Generator) -> None:
    """-1 or 1, by a random bit."""
    num, size = weights_BN.shape
    bits = rng.integers(256, size=(num, -(-size // 8)), dtype=np.uint8)
    weights_BN[:] = np.unpackbits(bits, axis=1, count=size)
    weights_BN *= 2
    weights_BN -= 1
