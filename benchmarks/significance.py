"""Seconds and memory of tests and intervals beside scipy's, and their false positives."""

import tracemalloc
from collections.abc import Callable
from itertools import combinations, product

import numpy as np
from scipy import stats

from benchmarks.measure import arguments, peak_memory, show, timed
from mclas_lightning.metrics.significance import bootstrap_intervals, compare_all, pvalues

Array = np.ndarray
TABLE_COMPARISONS, TABLE_METRICS, TABLE_DOCUMENTS = 40, 4, 3_000
# Standard deviations of simulated scores: over documents, of a seed on one document, over seeds.
OF_DOCUMENTS, OF_BOTH = 0.10, 0.08
OF_SEEDS = (0.004, 0.016)
NUM_SIMULATED = 500


def scores(*shape: int) -> Array:
    """Random scores; the last axis is documents."""
    return np.random.default_rng(0).beta(2, 5, size=shape)


def measured(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Time of ``call``, and peak memory of its arrays in one call more."""
    found = timed(call, repeats)
    tracemalloc.start()
    call()
    found["arrays_MB"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found


def of_scipy(a: Array, b: Array, resamples: int) -> None:
    """One comparison: interval and p-value."""

    def mean(x: Array, axis: int) -> Array:
        return np.mean(x, axis=axis)

    batch = 100  # Without batches, 10,000 resamples of 5,000 documents take 400 MB or more.
    stats.bootstrap((a - b,), mean, n_resamples=resamples, method="percentile", batch=batch)
    stats.permutation_test(
        (a - b,), mean, permutation_type="samples", n_resamples=resamples, batch=batch
    )


def simulated(num_seeds: int, deviation: float, trials: int) -> list[tuple[Array, Array]]:
    """Pairs of systems ``[seeds, documents]`` of equal quality, with random seeds."""
    rng = np.random.default_rng(num_seeds)

    def system(of_documents: Array) -> Array:
        of_seeds = rng.normal(0, deviation, size=(num_seeds, 1))
        return of_documents + of_seeds + rng.normal(0, OF_BOTH, size=(num_seeds, NUM_SIMULATED))

    drawn = (rng.normal(0.3, OF_DOCUMENTS, size=NUM_SIMULATED) for _ in range(trials))
    return [(system(each), system(each)) for each in drawn]


def drawn_seeds(a: Array, b: Array, resamples: int) -> float:
    """p of the two-level bootstrap that draws seeds, as documents, with replacement."""
    rng = np.random.default_rng(0)
    size = a.shape[1]
    counts = rng.multinomial(size, np.full(size, 1 / size), size=resamples) / size
    means = []
    for system in (a, b):
        seeds = len(system)
        shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
        means.append(((counts @ system.T) * shares).sum(1))
    found = a.mean() - b.mean()
    reached = np.abs(means[0] - means[1] - found) >= abs(found)
    return (1 + reached.sum()) / (1 + resamples)


def false_positives(num_seeds: int, deviation: float, trials: int) -> dict[str, float]:
    """The shares of pairs of equal systems with p <= 0.05."""
    pairs, resamples = simulated(num_seeds, deviation, trials), 1_000
    means = [(a.mean(0), b.mean(0)) for a, b in pairs]
    found = {
        "ours": [test.p for test in pvalues(pairs, resamples=resamples)],
        "seeds_drawn": [drawn_seeds(*pair, resamples) for pair in pairs],
        "documents_only": [test.p for test in pvalues(means, resamples=resamples)],
    }
    return {name: float(np.mean(np.array(each) <= 0.05)) for name, each in found.items()}


def main() -> None:
    """Print the report."""
    asked = arguments(
        __doc__ or "",
        documents=5_000,
        systems=4,
        metrics=3,
        resamples=10_000,
        seeds=5,
        trials=1_000,
    )
    resamples, repeats = asked.resamples, asked.repeats

    def everything(of_systems: Array) -> None:
        pairs = [(a[m], b[m]) for a, b in combinations(of_systems, 2) for m in range(asked.metrics)]
        compare_all(pairs, resamples=resamples)
        bootstrap_intervals([row for each in of_systems for row in each], resamples=resamples)

    plain = scores(asked.systems, asked.metrics, asked.documents)
    seeded = scores(asked.systems, asked.metrics, asked.seeds, asked.documents)
    table = list(scores(TABLE_COMPARISONS * TABLE_METRICS, 2, TABLE_DOCUMENTS))
    report: dict[str, object] = {
        "all pairs and intervals": measured(lambda: everything(plain), repeats),
        f"the same, {asked.seeds} seeds": measured(lambda: everything(seeded), repeats),
        "table, p-values": measured(lambda: pvalues(table, resamples=resamples), repeats),
        "table, and intervals": measured(lambda: compare_all(table, resamples=resamples), repeats),
        "scipy, one pair": measured(lambda: of_scipy(plain[0, 0], plain[1, 0], resamples), 1),
        "peak memory, GB": peak_memory(),
    }
    for num_seeds, deviation in product((2, 3, 5), OF_SEEDS):
        name = f"false positives, {num_seeds} of {deviation}"
        report[name] = false_positives(num_seeds, deviation, asked.trials)
    show(report, asked.json)


if __name__ == "__main__":
    main()
