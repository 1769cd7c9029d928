"""A comparison of two systems as a sentence."""

from mclas_lightning.metrics.significance import LEVEL, Comparison

LEVEL_OF_P = 0.05


def in_words(comparison: Comparison, a: str, b: str, metric: str) -> str:
    """Which system is better, by how many points (0.01 of a score), and how sure that is.

    No winner is named where p is above 0.05.
    """
    sign = 1 if comparison.difference >= 0 else -1
    first, second = (a, b)[::sign]
    low, high = sorted(100 * sign * bound for bound in (comparison.low, comparison.high))
    points = f"{100 * abs(comparison.difference):.1f} {metric} points"
    interval = f"{100 * LEVEL:.0f} % interval {low:.1f} to {high:.1f}"
    evidence = f"({interval}; {_p(comparison.p)}, {comparison.method})"
    if comparison.p <= LEVEL_OF_P:
        return f"{first} is better than {second} by {points} {evidence}"
    return f"no significant difference between {a} and {b}: {first} is ahead by {points} {evidence}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
