"""Section 6 over the study's seeds: kinds of heads, what silencing costs, extracted alignments.

Read are the heads.json of MCLAS's runs (``mclas heads RUN --num 200 --ablate``).
"""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

from experiments.study.effects import Study
from mclas_lightning import paper
from mclas_lightning.example import SIDES
from mclas_lightning.report.gains import Place
from mclas_lightning.report.heads_table import PAPER_SECTIONS, rank_correlation
from mclas_lightning.runs.heads import ATTENTIONS, HEADS, HeadsResults, strongest
from mclas_lightning.runs.results import SCENARIOS


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Mean and, of several values, standard deviation."""
    deviation = f" ±{stdev(values):{form.removeprefix('+')}}" if len(values) > 1 else ""
    return f"{fmean(values):{form}}{deviation}"


class Measured(NamedTuple):
    """What one run's heads of one kind show; costs and correlations are of S^A and of S^B."""

    heads: int
    best: float
    costs: list[float]
    correlations: list[float]


def measured(found: HeadsResults, attention: str, kind: str) -> Measured | None:
    """None where the run has no score of the kind; costs are of the best head, by zero."""
    scores = found.scores(attention)
    if kind not in scores:
        return None
    (ablation,) = found.ablation.values()
    changes = [np.array(ablation["change"]["zero"][attention]["loss"][side]) for side in SIDES]
    layer, head, _, best = strongest(scores, kind)
    strength_LH = found.strength(attention, kind)
    return Measured(
        int(found.kinds(attention)[kind].sum()),
        best,
        [float(change_LH[layer, head]) for change_LH in changes],
        [rank_correlation(strength_LH, change_LH) for change_LH in changes],
    )


def analyzed(study: Study, place: Place) -> list[HeadsResults]:
    """The analyses of a place's runs."""
    folders = [run.folder for run in study.results.get(place, ()) if run.folder]
    return [HeadsResults.read(folder) for folder in folders if (folder / HEADS).exists()]


def kinds(all_of: Sequence[HeadsResults]) -> Iterator[tuple[str, ...]]:
    """A row for each kind: mean and deviation over runs, beside the paper's count."""
    for attention in ATTENTIONS:
        printed = paper.numbers().heads[PAPER_SECTIONS[attention]]["kinds"]
        for kind in all_of[0].thresholds[attention]:
            found = [one for each in all_of if (one := measured(each, attention, kind))]
            if not found:
                continue
            heads, best, costs, correlations = zip(*found, strict=True)
            yield (
                f"{attention}: {kind}",
                str(printed[kind]["num"]) if kind in printed else "-",
                spread(heads, ".1f"),
                spread(best),
                *(spread(side, "+.3f") for side in zip(*costs, strict=True)),
                *(spread(side, "+.2f") for side in zip(*correlations, strict=True)),
            )


def alignments(all_of: Sequence[HeadsResults]) -> Iterator[tuple[str, str]]:
    """The alignment error rate of each way, mean and deviation over runs."""
    for name in all_of[0].alignment:
        yield name, spread([each.alignment[name] for each in all_of], ".3f")


def places(study: Study) -> list[Place]:
    """Where MCLAS's runs have been analyzed."""
    every = [Place(d, scenario, "mclas") for d in study.datasets for scenario in SCENARIOS]
    return [place for place in every if analyzed(study, place)]
