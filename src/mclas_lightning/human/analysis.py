"""Intervals and tests of one human evaluation.

Shape letters: P perspectives, D documents, A annotators, S systems, R resamples. A score is 1 where
an annotator chose a system as best, -1 as worst, 0 otherwise; a preference is a mean of scores.

Documents and annotators are both a sample. A resample therefore draws documents and, independently,
annotators with replacement (the pigeonhole bootstrap, Owen 2007). Of kappa, only documents are
drawn: an annotator who is drawn twice would agree with himself.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from mclas_lightning.human.annotators import Array, annotator_signs
from mclas_lightning.human.judgements import Judgement
from mclas_lightning.human.results import (
    FEWEST_DOCUMENTS,
    PERSPECTIVES,
    HumanAnalysis,
    SystemDifference,
)
from mclas_lightning.human.sheet import SheetKey
from mclas_lightning.metrics.significance import LEVEL, holm_adjusted

RESAMPLES = 10_000


def score_array(judgements: Sequence[Judgement], systems: Sequence[str]) -> Array:
    """Scores [P, D, A, S]; documents and annotators in sorted order."""
    documents = sorted({judgement.document for judgement in judgements})
    annotators = sorted({judgement.annotator for judgement in judgements})
    scores_PDAS = np.zeros((len(PERSPECTIVES), len(documents), len(annotators), len(systems)))
    for one in judgements:
        place = scores_PDAS[
            PERSPECTIVES.index(one.perspective),
            documents.index(one.document),
            annotators.index(one.annotator),
        ]
        place[systems.index(one.best)], place[systems.index(one.worst)] = 1, -1
    return scores_PDAS


def bootstrap_preferences(scores_PDAS: Array, resamples: int, seed: int) -> Array:
    """Preferences [R, P, S] of resamples that draw documents and annotators."""
    _, num_documents, num_annotators, _ = scores_PDAS.shape
    draw = np.random.default_rng(seed)
    weights_RD = _drawn(draw, num_documents, resamples)
    weights_RA = _drawn(draw, num_annotators, resamples)
    by_document_RPAS = np.tensordot(weights_RD, scores_PDAS, axes=(1, 1))
    return np.einsum("rpas,ra->rps", by_document_RPAS, weights_RA)


def _drawn(draw: np.random.Generator, num: int, resamples: int) -> Array:
    """Shares [R, num] of ``num`` draws with replacement."""
    return draw.multinomial(num, np.full(num, 1 / num), size=resamples) / num


def p_values(differences: Array) -> Array:
    """Two-sided, of resamples [R, ...]: twice the share on the other side of 0, never 0."""
    other = np.minimum((differences <= 0).sum(0), (differences >= 0).sum(0))
    return np.minimum(1, 2 * (other + 1) / (len(differences) + 1))


def kappa_interval(scores_PDAS: Array, resamples: int, seed: int) -> list[float]:
    """The bootstrap interval of Fleiss' kappa, over documents."""
    num_documents, num = scores_PDAS.shape[1:3]
    # Counts of the annotators who gave a label: one row for each document.
    counts = np.stack([(scores_PDAS == label).sum(2) for label in (1, -1, 0)], axis=-1)
    agreed_D = (counts * (counts - 1)).sum(-1).mean((0, 2)) / (num * (num - 1))
    shares_DL = counts.mean((0, 2)) / num
    weights_RD = _drawn(np.random.default_rng(seed), num_documents, resamples)
    chance_R = ((weights_RD @ shares_DL) ** 2).sum(1)
    return interval((weights_RD @ agreed_D - chance_R) / (1 - chance_R))


def interval(values: Array) -> list[float]:
    """The middle 95 % of resampled values."""
    tail = 50 * (1 - LEVEL)
    return [float(value) for value in np.percentile(values, [tail, 100 - tail])]


def alpha(judgements: Sequence[Judgement], systems: Sequence[str]) -> float:
    """Krippendorff's alpha of the labels best, worst and neither (NLTK's); 1 where all agree."""
    from nltk.metrics.agreement import AnnotationTask  # takes a second to import

    labels = [
        (str(one.annotator), f"{one.document} {one.perspective} {system}",
         "best" if system == one.best else "worst" if system == one.worst else "neither")
        for one in judgements
        for system in systems
    ]  # fmt: skip
    return float(AnnotationTask(data=labels).alpha())


def differences(
    resampled_RPS: Array, scores_PDAS: Array, systems: Sequence[str]
) -> list[SystemDifference]:
    """All pairs of systems from each perspective; p-values adjusted over all of them."""
    found = []
    for p, perspective in enumerate(PERSPECTIVES):
        mean_S = scores_PDAS[p].mean((0, 1))
        for a, b in combinations(range(len(systems)), 2):
            differing_R = resampled_RPS[:, p, a] - resampled_RPS[:, p, b]
            found.append(
                (perspective, systems[a], systems[b], float(mean_S[a] - mean_S[b]),
                 interval(differing_R), float(p_values(differing_R)))
            )  # fmt: skip
    adjusted = holm_adjusted([one[-1] for one in found])
    return [
        SystemDifference(
            perspective=where, a=a, b=b, difference=mean, interval=ends, p=p, holm=p_holm
        )
        for (where, a, b, mean, ends, p), p_holm in zip(found, adjusted, strict=True)
    ]


def analyze(
    key: SheetKey, judgements: Sequence[Judgement], seconds: Mapping[str, float]
) -> HumanAnalysis:
    """Everything about an evaluation besides its preferences and agreement."""
    scores_PDAS = score_array(judgements, key.systems)
    enough = scores_PDAS.shape[1] >= FEWEST_DOCUMENTS
    resampled_RPS = bootstrap_preferences(scores_PDAS, RESAMPLES, key.seed)
    intervals = {
        system: {
            perspective: interval(resampled_RPS[:, p, s])
            for p, perspective in enumerate(PERSPECTIVES)
        }
        for s, system in enumerate(key.systems)
    }
    return HumanAnalysis(
        intervals=intervals if enough else {},
        kappa_interval=kappa_interval(scores_PDAS, RESAMPLES, key.seed) if enough else None,
        alpha=alpha(judgements, key.systems),
        differences=differences(resampled_RPS, scores_PDAS, key.systems) if enough else [],
        annotators=annotator_signs(key, judgements, seconds, scores_PDAS),
    )
