"""The smallest difference of two systems that a test could have found.

    t(1 - level / 2, v) * sqrt(s^2 / n + e^2)

``s`` is the standard deviation of the n documents' differences, less what seeds add to it; ``e`` is
the standard error of the seeds' means, 0 of one seed. Student's t has the degrees of freedom ``v``
of Welch and Satterthwaite for this sum: those of ``e``, and n - 1 of the documents.
"""

import numpy as np

from mclas_lightning.metrics.resampling import Sample

DENSITY_STEPS = 100_000


def detectable_difference(difference: Sample, level: float) -> float:
    """How far apart the means must be for a two-sided p of ``level``."""
    num = len(difference.documents)
    if num < 2:
        return float("inf")
    documents = difference.documents.var(ddof=1) * difference.share**2 / num
    seeds = difference.error**2
    variance = documents + seeds
    if not variance:
        return 0.0
    terms = documents**2 / (num - 1) + (seeds**2 / difference.freedom if seeds else 0.0)
    return student_t_quantile(1 - level / 2, variance**2 / terms) * float(np.sqrt(variance))


def student_t_quantile(p: float, freedom: float) -> float:
    """The quantile of Student's t, by summing its density: t = sqrt(v) tan(a), cos(a)^(v - 1)."""
    angles = (np.arange(DENSITY_STEPS) + 0.5) * (np.pi / 2 / DENSITY_STEPS)
    upper = np.cumsum(np.cos(angles) ** (freedom - 1))
    angle = np.interp((2 * p - 1) * upper[-1], upper, angles + np.pi / 4 / DENSITY_STEPS)
    return float(np.sqrt(freedom) * np.tan(angle))
