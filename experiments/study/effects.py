"""What the study's results say: gains, what an idea is worth, S^A beside S^B.

Scores are ROUGE-1 F of S^B from 0 to 100, arrays ``[seeds, documents]`` of the test set.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from mclas_lightning.metrics.significance import bootstrap_intervals
from mclas_lightning.report.gains import MAIN, Place, by_place, documents
from mclas_lightning.runs.results import SCENARIOS, Results, find_results
from mclas_lightning.task import MODELS

LOW_RESOURCE = SCENARIOS[:3]

# The paper's gain of MCLAS over NCLS in En2DeSum, minimum (table 2), in ROUGE-1.
PAPER_GAIN = 1.6


@dataclass(frozen=True)
class Study:
    """The study's results below a folder."""

    folder: Path

    @cached_property
    def results(self) -> dict[Place, list[Results]]:
        """Runs of each place, in the order of their seeds."""
        return by_place(find_results(self.folder))

    @property
    def datasets(self) -> list[str]:
        """Those with cross summaries."""
        return list(
            dict.fromkeys(
                p.dataset for p, (run, *_) in self.results.items() if "cross" in run.scores
            )
        )

    def documents(self, place: Place, name: str = MAIN) -> np.ndarray | None:
        """``[seeds, documents]`` of one score, 0 to 100; None where no run has it."""
        return documents(self.results.get(place, ()), name)

    def size(self, dataset: str, scenario: str) -> int:
        """Parallel summaries of a scenario, by what the runs trained on."""
        for place, (run, *_) in self.results.items():
            if place[:2] == (dataset, scenario) and (did := run.provenance.get("training")):
                seen = did["seen"]
                documents = did["updates"] * seen["documents_per_update"]
                return 10 * round(documents / seen["epochs"] / 10)
        raise LookupError(f"{dataset}/{scenario}: no trained run")


class Curve(NamedTuple):
    """ROUGE-1 of one system over the number of parallel summaries."""

    sizes: list[int]
    means: list[float]
    intervals: list[tuple[float, float]]


def curve(study: Study, dataset: str, model: str) -> Curve:
    """The learning curve, of the scenarios that have runs."""
    known = [
        (study.size(dataset, scenario), scores)
        for scenario in SCENARIOS
        if (scores := study.documents(Place(dataset, scenario, model))) is not None
    ]
    arrays = [scores for _, scores in known]
    means = [float(scores.mean()) for scores in arrays]
    return Curve([size for size, _ in known], means, bootstrap_intervals(arrays))


def needed(lower: Curve, score: float) -> float | None:
    """Parallel summaries at which ``lower`` reaches ``score``, over the logarithm of their number.

    None where the curve does not reach the score; the first size where it begins above.
    """
    if not lower.means or max(lower.means) < score:
        return None
    if lower.means[0] >= score:
        return float(lower.sizes[0])
    points = list(zip(lower.sizes, lower.means, strict=True))
    for (size, mean), (next_size, next_mean) in pairwise(points):
        if mean < score <= next_mean:
            share = (score - mean) / (next_mean - mean)
            return exp(log(size) + share * (log(next_size) - log(size)))
    return None


# Two systems that differ in one idea: the one with it, the one without it.
IDEAS = {
    "initialization from MS": [(m, f"{m}_scratch") for m in ("ncls", "ncls_ms", "mclas")],
    "S^A first": [("mclas", "ncls"), ("mclas", "ncls_ms"), ("mclas_scratch", "ncls_scratch")],
}


def worth(study: Study, dataset: str) -> Iterator[tuple[str, str, str, int, float | None]]:
    """(idea, with, without, summaries, summaries without it for the same score)."""
    for idea, pairs in IDEAS.items():
        for better, plain in pairs:
            upper, lower = (curve(study, dataset, model) for model in (better, plain))
            if len(lower.sizes) > 1:
                for size, mean in zip(upper.sizes, upper.means, strict=True):
                    yield idea, MODELS[better], MODELS[plain], size, needed(lower, mean)


def correlations(study: Study, place: Place) -> list[float]:
    """Spearman's correlation of S^A's and S^B's ROUGE-1 over documents, one for each seed."""
    mono, cross = (study.documents(place, f"{side}/rouge1_f") for side in ("mono", "cross"))
    if mono is None or cross is None:
        return []
    return [
        float(np.corrcoef(rankdata(a), rankdata(b))[0, 1]) for a, b in zip(mono, cross, strict=True)
    ]
