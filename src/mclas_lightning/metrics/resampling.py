"""Bootstrap and randomization of many samples at once.

Both are one matrix product, of documents' random weights and scores. The weights are shared by all
samples with the same number of documents, and made in chunks, so that memory does not grow with the
resamples.

Shape letters: C samples (systems or differences of two, by metric), N documents, R resamples,
B resamples of a chunk.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from mclas_lightning.errors import check_range
from mclas_lightning.metrics.sample import Array, Sample

# Weights of a chunk: 1 MB in float32, so that they stay in the cache.
CHUNK = 2**18
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
    weights_BN = np.empty((min(resamples, max(1, CHUNK // size)), size), np.float32)
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
