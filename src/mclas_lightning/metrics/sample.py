"""What significance is computed of: documents' scores, checked, and how much seeds vary."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mclas_lightning.errors import InputError

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


def sample(scores: ArrayLike, what: str = "scores") -> Sample:
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


def difference(a: ArrayLike, b: ArrayLike) -> Sample:
    """Of ``a - b``, document by document; InputError where they have not the same documents."""
    first, second = (
        sample(a, "scores of the first system"),
        sample(b, "scores of the second system"),
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
