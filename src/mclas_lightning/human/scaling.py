"""Best-worst scaling (Kiritchenko and Mohammad 2017), and how far annotators agree.

The paper does not say what its kappa (Table 4) counts. Here an item is one summary from one
perspective, and every annotator labels it best, worst or neither. The table fits: as one of four
summaries is best and one worst, chance agrees on (1/4)^2 + (1/4)^2 + (2/4)^2 = 3/8 of the labels,
and (agreement - 3/8) / (1 - 3/8) gives all three of the printed kappas.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from mclas_lightning.human.judgements import Judgement
from mclas_lightning.human.results import PERSPECTIVES, Agreement

LABELS = ("best", "worst", "neither")


def preferences(
    judgements: Sequence[Judgement], systems: Iterable[str]
) -> dict[str, dict[str, float]]:
    """(times best - times worst) / judgements, by system and perspective; each column sums to 0."""
    best = Counter((judgement.best, judgement.perspective) for judgement in judgements)
    worst = Counter((judgement.worst, judgement.perspective) for judgement in judgements)
    num = Counter(judgement.perspective for judgement in judgements)
    return {
        system: {p: (best[system, p] - worst[system, p]) / num[p] for p in PERSPECTIVES}
        for system in systems
    }


def labels(judgements: Sequence[Judgement], systems: Iterable[str]) -> list[list[int]]:
    """Of each summary from each perspective: how many annotators labeled it with each of LABELS."""
    counts = Counter(
        (judgement.document, judgement.perspective, system, label)
        for judgement in judgements
        for label, system in (("best", judgement.best), ("worst", judgement.worst))
    )
    judged = Counter((judgement.document, judgement.perspective) for judgement in judgements)
    rows: list[list[int]] = []
    for (document, perspective), num in judged.items():
        for system in systems:
            best, worst = (counts[document, perspective, system, end] for end in LABELS[:2])
            rows.append([best, worst, num - best - worst])
    return rows


def fleiss(counts: Sequence[Sequence[int]]) -> Agreement:
    """Fleiss' kappa (1971) of ``counts[item][label]``, each item labeled by the same number n.

        P  = mean over items of sum_j n_ij (n_ij - 1) / (n (n - 1))     overall agreement
        Pe = sum_j p_j^2, with p_j the share of label j                 agreement by chance
        kappa = (P - Pe) / (1 - Pe)

    Where only one label was ever given this is 0/0; all agree, so kappa is 1.
    """
    n = sum(counts[0])
    assert n > 1, "agreement needs two annotators"
    assert all(sum(row) == n for row in counts), "every item is labeled by all"
    overall = sum(k * (k - 1) for row in counts for k in row) / (len(counts) * n * (n - 1))
    shares = [sum(column) / (len(counts) * n) for column in zip(*counts, strict=True)]
    chance = sum(share**2 for share in shares)
    kappa = 1.0 if chance == 1 else (overall - chance) / (1 - chance)
    return Agreement(kappa=kappa, overall=overall)
