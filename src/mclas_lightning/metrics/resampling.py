"""Bootstrap and approximate randomization of many samples at once.

Either is a product of two matrices: the scores of all samples with the same number of documents,
and random weights of the documents. Weights are drawn in chunks, so that memory does not grow with
the number of resamples.

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
    """Documents' scores of a system, or differences of two systems, with the seeds' variance."""

    documents: Array  # the mean over seeds of each document
    error: float  # standard error, over seeds, of the mean over documents; 0 for one seed
    freedom: float  # degrees of freedom of ``error``
    luck: float  # variance of a document's mean from the interaction of seed and document

    @property
    def mean(self) -> float:
        """The mean over documents and seeds."""
        return float(self.documents.mean())

    @property
    def share(self) -> float:
        """The share of the documents' standard deviation that is not due to ``luck``, 0 to 1.

        The seeds' means, and so ``error``, already contain the luck.
        """
        variance = float(self.documents.var())
        return (1 - self.luck / variance) ** 0.5 if variance > self.luck else 0.0

    def reached_by(self, sums: Array) -> Array:
        """Which ``sums`` over documents are at least as far from 0 as this sample's own.

        ``sums`` are of float32 products; a difference within their rounding counts as equality.
        """
        rounding = 16 * np.finfo(np.float32).eps * np.abs(self.documents).sum()
        return np.abs(sums) >= abs(self.documents.sum()) - rounding


def sample_of_scores(scores: ArrayLike, what: str = "scores") -> Sample:
    """The sample of scores ``[documents]`` or ``[seeds, documents]``; InputError for others."""
    checked = _checked(scores, what)
    documents, num_seeds = checked.mean(0), len(checked)
    if num_seeds == 1:
        return Sample(documents, error=0.0, freedom=0.0, luck=0.0)
    # The first seed's mean is subtracted, so that equal seeds have an error of exactly 0.
    means = checked.mean(1) - checked[0].mean()
    rest = checked - documents - (means - means.mean())[:, None]
    return Sample(
        documents,
        error=float(means.std(ddof=1) / np.sqrt(num_seeds)),
        freedom=num_seeds - 1,
        luck=float((rest**2).mean() / (num_seeds - 1)),
    )


def sample_of_differences(a: ArrayLike, b: ArrayLike) -> Sample:
    """The sample of ``a - b``, document by document; InputError for unequal numbers."""
    first, second = (
        sample_of_scores(a, "scores of the first system"),
        sample_of_scores(b, "scores of the second system"),
    )
    if len(first.documents) != len(second.documents):
        raise InputError(
            "two systems are compared on the same documents, in the same order; found "
            f"{len(first.documents)} and {len(second.documents)} scores"
        )
    # Welch 1947, Satterthwaite 1946: the variances over the two systems' seeds may differ.
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


# Weights of a chunk, 1 MB in float32, which fit into the processor's cache.
CHUNK_WEIGHTS = 2**18

T = TypeVar("T")


def bootstrap(samples: Sequence[Sample], resamples: int, seed: int) -> list[Array]:
    """For each sample, the means of its resamples minus its own mean: ``[R]``.

    A resample draws documents with replacement, and adds the seeds' standard error times a draw
    from Student's t (``metrics.significance`` says why).
    """
    check_range("resamples", resamples, 1)

    def deviations(group: list[Sample]) -> list[Array]:
        # Centered, because float32 rounds relative to the size of a number.
        centered_CN = np.stack([each.documents - each.mean for each in group])
        found_CR = _weighted_sums(centered_CN, _draw_counts, resamples, seed)
        found_CR /= centered_CN.shape[1]
        for each, found_R in zip(group, found_CR, strict=True):
            if each.error:
                # A generator of its own, so that the draws do not depend on the samples before.
                student = np.random.default_rng([seed, 1]).standard_t(each.freedom, resamples)
                found_R *= each.share
                found_R += each.error * student
        return list(found_CR)

    return _by_size(samples, deviations)


def randomize(samples: Sequence[Sample], resamples: int, seed: int) -> list[tuple[float, str]]:
    """For each sample, p of the paired randomization test (Riezler and Maxwell 2005), and its name.

    If the systems were the same, each document's difference d could as well have the other sign:
    ``p = (1 + #{|sum of +-d| >= |sum of d|}) / (1 + resamples)`` with random signs. Where there are
    no more than ``resamples`` patterns of signs (a difference of 0 has none), p is exact: the share
    of all patterns.
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
    """p of each sample; the observed signs count as one pattern, so that p is never 0."""
    scores_CN = np.stack([each.documents for each in group])
    sums_CR = _weighted_sums(scores_CN, _draw_signs, resamples, seed)
    reached = [each.reached_by(sums).sum() for each, sums in zip(group, sums_CR, strict=True)]
    return [(1 + int(count)) / (1 + resamples) for count in reached]


def _by_size(samples: Sequence[Sample], work: Callable[[list[Sample]], list[T]]) -> list[T]:
    """``work`` of all samples, called once for each number of documents."""
    sizes = [len(each.documents) for each in samples]
    found: dict[int, T] = {}
    for size in set(sizes):
        places = [place for place, other in enumerate(sizes) if other == size]
        found |= zip(places, work([samples[place] for place in places]), strict=True)
    return [found[place] for place in range(len(samples))]


def _weighted_sums(
    scores_CN: Array, draw: Callable[[Array, np.random.Generator], None], resamples: int, seed: int
) -> Array:
    """Weighted sums over documents ``[C, R]``; ``draw`` fills the weights ``[B, N]`` of a chunk."""
    size, rng = scores_CN.shape[1], np.random.default_rng(seed)
    single_CN = scores_CN.astype(np.float32)
    sums_CR = np.empty((len(scores_CN), resamples), np.float32)
    # One buffer serves all chunks: allocating a buffer for each takes longer than the draws.
    weights_BN = np.empty((min(resamples, max(1, CHUNK_WEIGHTS // size)), size), np.float32)
    for start in range(0, resamples, len(weights_BN)):
        chunk_BN = weights_BN[: resamples - start]
        draw(chunk_BN, rng)
        sums_CR[:, start : start + len(chunk_BN)] = single_CN @ chunk_BN.T
    return sums_CR


def _draw_counts(weights_BN: Array, rng: np.random.Generator) -> None:
    """Fill each row with how often each document is among N drawn with replacement."""
    size = weights_BN.shape[1]
    for weights_N in weights_BN:
        weights_N[:] = np.bincount(rng.integers(size, size=size), minlength=size)


def _draw_signs(weights_BN: Array, rng: np.random.Generator) -> None:
    """Fill the weights with -1 or 1, by random bits."""
    num, size = weights_BN.shape
    bits = rng.integers(256, size=(num, -(-size // 8)), dtype=np.uint8)
    weights_BN[:] = np.unpackbits(bits, axis=1, count=size)
    weights_BN *= 2
    weights_BN -= 1
