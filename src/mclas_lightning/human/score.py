"""Preferences and agreement of one scenario from a folder of filled sheets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.files import sha256
from mclas_lightning.human.judgements import Judgement, not_returned, read_judgements, sheet_files
from mclas_lightning.human.results import (
    GOLD,
    PERSPECTIVES,
    FleissAgreement,
    HumanResults,
    not_returned_sentence,
)
from mclas_lightning.human.sheet import KEY_FILE, SheetKey
from mclas_lightning.runs.results import MODELS

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
    judgements = read_judgements(folder, key)
    return HumanResults(
        dataset=key.dataset,
        scenario=key.scenario,
        documents=len({judgement.document for judgement in judgements}),
        annotators=len({judgement.annotator for judgement in judgements}),
        preferences=preferences(judgements, key.systems),
        agreement=fleiss(label_counts(judgements, key.systems)),
        provenance={
            "seed": key.seed,
            **key.provenance,
            "not_returned": not_returned(key, judgements),
            "key_sha256": sha256(folder / KEY_FILE),
            "sheets_sha256": {path.name: sha256(path) for path in sheet_files(folder)},
        },
    )


def draw_results(results: HumanResults) -> Group:
    """Preferences and agreement as a table for a terminal."""
    title = (
        f"{results.dataset}, {results.scenario}: times best minus times worst "
        f"({results.documents} documents, {results.annotators} annotators)"
    )
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for name in PERSPECTIVES:
        table.add_column(name.capitalize(), justify="right")
    for system, row in results.preferences.items():
        name = "Gold" if system == GOLD else MODELS.get(system, system)
        table.add_row(name, *(f"{row[perspective]:+.3f}" for perspective in PERSPECTIVES))
    agreement = results.agreement
    shown = f"Fleiss' kappa {agreement.kappa:.2f}, overall agreement {agreement.overall:.2%}\n"
    if missing := not_returned_sentence(results):
        shown += f"{missing}\n"
    return Group(table, Text(shown))
