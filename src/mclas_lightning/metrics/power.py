"""The smallest difference of two systems that a test could have found.

    t(1 - level / 2, v) * sqrt(s^2 / n + e^2)

``s`` is the standard deviation of the n documents' differences without the seeds' part
(``Sample.share``). ``e`` is the standard error of the seeds' means, 0 for one seed. ``v`` are the
degrees of freedom of Welch and Satterthwaite for this sum, from those of ``e`` and n - 1.
"""

import numpy as np

from mclas_lightning.metrics.resampling import Sample

DENSITY_STEPS = 100_000


def detectable_difference(difference: Sample, level: float) -> float:
    """The difference of means that has a two-sided p of ``level``; infinite for one document."""
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
    """The quantile ``p`` of Student's t with v = ``freedom``.

    With t = sqrt(v) tan(a), the density of the angle a is proportional to cos(a)^(v - 1), which is
    summed numerically.
    """
    angles = (np.arange(DENSITY_STEPS) + 0.5) * (np.pi / 2 / DENSITY_STEPS)
    upper = np.cumsum(np.cos(angles) ** (freedom - 1))
    angle = np.interp((2 * p - 1) * upper[-1], upper, angles + np.pi / 4 / DENSITY_STEPS)
    return float(np.sqrt(freedom) * np.tan(angle))
