"""Preferences and agreement of one scenario from a folder of filled sheets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mclas_lightning.files import sha256
from mclas_lightning.human.analysis import analyze
from mclas_lightning.human.judgements import Judgement, complete_sheets, not_returned
from mclas_lightning.human.results import PERSPECTIVES, FleissAgreement, HumanResults
from mclas_lightning.human.sheet import KEY_FILE, SheetKey

JUDGEMENT_LABELS = ("best", "worst", "neither")


def preferences(
    judgements: Sequence[Judgement], systems: Iterable[str]
) -> dict[str, dict[str, float]]:
    """(times best - times worst) / judgements, by system and perspective.

    From each perspective, the preferences of all systems sum to 0.
    """
    best = Counter((judgement.best, judgement.perspective) for judgement in judgements)
    worst = Counter((judgement.worst, judgement.perspective) for judgement in judgements)
    num = Counter(judgement.perspective for judgement in judgements)
    return {
        system: {p: (best[system, p] - worst[system, p]) / num[p] for p in PERSPECTIVES}
        for system in systems
    }


def label_counts(judgements: Sequence[Judgement], systems: Iterable[str]) -> list[list[int]]:
    """Counts [summary and perspective][label] of the annotators who gave the label."""
    counts = Counter(
        (judgement.document, judgement.perspective, system, label)
        for judgement in judgements
        for label, system in (("best", judgement.best), ("worst", judgement.worst))
    )
    judged = Counter((judgement.document, judgement.perspective) for judgement in judgements)
    rows: list[list[int]] = []
    for (document, perspective), num in judged.items():
        for system in systems:
            best, worst = (
                counts[document, perspective, system, end] for end in JUDGEMENT_LABELS[:2]
            )
            rows.append([best, worst, num - best - worst])
    return rows


def fleiss(counts: Sequence[Sequence[int]]) -> FleissAgreement:
    """Fleiss' kappa (1971) of ``counts[item][label]``, each item labeled by the same number n.

        P  = mean over items of sum_j n_ij (n_ij - 1) / (n (n - 1))     overall agreement
        Pe = sum_j p_j^2, with p_j the share of label j                 agreement by chance
        kappa = (P - Pe) / (1 - Pe)

    Where every label is the same, kappa is 0/0 by this formula; all agree, so it is set to 1.
    """
    n = sum(counts[0])
    assert n > 1, "agreement needs two annotators"
    assert all(sum(row) == n for row in counts), "every item is labeled by all"
    overall = sum(k * (k - 1) for row in counts for k in row) / (len(counts) * n * (n - 1))
    shares = [sum(column) / (len(counts) * n) for column in zip(*counts, strict=True)]
    chance = sum(share**2 for share in shares)
    kappa = 1.0 if chance == 1 else (overall - chance) / (1 - chance)
    return FleissAgreement(kappa=kappa, overall=overall)


def score_filled_sheets(folder: Path) -> HumanResults:
    """Read, check and score the filled sheets in ``folder``, which has their key."""
    key = SheetKey.read(folder)
    sheets = complete_sheets(folder, key)
    judgements = [one for sheet in sheets for one in sheet.judgements]
    seconds = {name: time for sheet in sheets for name, time in sheet.seconds.items()}
    return HumanResults(
        dataset=key.dataset,
        scenario=key.scenario,
        documents=len({judgement.document for judgement in judgements}),
        annotators=len({judgement.annotator for judgement in judgements}),
        preferences=preferences(judgements, key.systems),
        agreement=fleiss(label_counts(judgements, key.systems)),
        by_perspective={
            perspective: fleiss(label_counts(mine, key.systems))
            for perspective in PERSPECTIVES
            if (mine := [one for one in judgements if one.perspective == perspective])
        },
        analysis=analyze(key, judgements, seconds),
        provenance={
            "seed": key.seed,
            **key.provenance,
            "not_returned": not_returned(key, judgements),
            "key_sha256": sha256(folder / KEY_FILE),
            "sheets_sha256": {sheet.path.name: sha256(sheet.path) for sheet in sheets},
        },
    )
