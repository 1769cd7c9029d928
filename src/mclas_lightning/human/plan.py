"""Documents and annotators that a human evaluation needs, by simulation.

An annotator perceives the quality of a summary as (Thurstone 1927)

    q_s + x_ds + e_das,   x ~ N(0, spread^2), e ~ N(0, 1)

of system s on document d; the best is the largest, the worst the smallest. Of four systems, two
differ in q, the others lie in the middle. q and spread are fitted: the preferences of the two
differ by the effect that is asked for, and Fleiss' kappa is the mean of the paper's Table 4.
Power is the share of simulated evaluations whose bootstrap test finds the difference, after Holm's
correction over all tests of an evaluation (``human.analysis``).
"""

from collections.abc import Callable, Sequence
from math import comb
from statistics import fmean
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning import paper
from mclas_lightning.errors import InputError
from mclas_lightning.human.analysis import bootstrap_preferences, p_values
from mclas_lightning.human.annotators import Array
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.metrics.significance import SIGNIFICANCE_LEVEL

SYSTEMS = 4

TESTS = len(PERSPECTIVES) * comb(SYSTEMS, 2)  # of all pairs of systems from each perspective

DOCUMENTS = (10, 20, 40, 80, 160)

ANNOTATORS = (3, 5, 7, 10)

PAPER = (20, 7)  # documents and annotators of section 5.5

EFFECTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)

SIMULATIONS = 400

RESAMPLES = 5_000  # The smallest p-value, about 2 / 5,000, is below the level of one of 18 tests.

ENOUGH = 0.8  # of power

LARGEST_EFFECT = 1.0

FIT = (4_000, 4)  # documents and annotators of a simulation that parameters are fitted with


class Judges(NamedTuple):
    """Parameters of the model: q of the better of two systems, and the spread of documents."""

    quality: float
    spread: float


class Plan(NamedTuple):
    """Power by documents and annotators for one effect, and of the paper's size by effect."""

    effect: float
    kappa: float
    power: dict[tuple[int, int], float]
    of_papers_size: dict[float, float]


def simulate(judges: Judges, shape: Sequence[int], seed: int) -> Array:
    """Scores [..., D, A, S] of simulated annotators, for ``shape`` [..., D, A]."""
    draw = np.random.default_rng(seed)
    *more, documents, _ = shape
    quality_S = np.zeros(SYSTEMS)
    quality_S[0], quality_S[1] = judges.quality, -judges.quality
    of_document = draw.standard_normal((*more, documents, 1, SYSTEMS)) * judges.spread
    perceived = quality_S + of_document + draw.standard_normal((*shape, SYSTEMS))
    scores = np.zeros(perceived.shape)
    np.put_along_axis(scores, perceived.argmax(-1)[..., None], 1, -1)
    np.put_along_axis(scores, perceived.argmin(-1)[..., None], -1, -1)
    return scores


def fit(effect: float, kappa: float) -> Judges:
    """The model whose annotators show this difference of preferences, and this kappa.

    A large effect makes annotators agree more than ``kappa``; the spread is then 0.
    """
    judges = Judges(0.1, 1.0)
    for _ in range(4):
        judges = _bisect(judges, "quality", effect_of, effect)
        judges = _bisect(judges, "spread", kappa_of, kappa)
    return judges


def _bisect(judges: Judges, name: str, value: Callable[[Array], float], wanted: float) -> Judges:
    """The model whose parameter, from 0 to 8, gives simulated scores the wanted value."""
    low, high = 0.0, 8.0
    for _ in range(14):
        middle = (low + high) / 2
        judges = judges._replace(**{name: middle})
        low, high = (middle, high) if value(simulate(judges, FIT, 0)) < wanted else (low, middle)
    return judges


def effect_of(scores: Array) -> float:
    """The difference of the preferences of the first two systems."""
    return float((scores[..., 0] - scores[..., 1]).mean())


def kappa_of(scores_DAS: Array) -> float:
    """Fleiss' kappa of the labels best, worst and neither."""
    num = scores_DAS.shape[1]
    counts = np.stack([(scores_DAS == label).sum(1) for label in (1, -1, 0)], axis=-1)
    agreed = (counts * (counts - 1)).sum(-1).mean() / (num * (num - 1))
    chance = ((counts.mean((0, 1)) / num) ** 2).sum()
    return float((agreed - chance) / (1 - chance))


def power(judges: Judges, documents: int, annotators: int) -> float:
    """The share of simulated evaluations in which the two systems differ significantly."""
    scores = simulate(judges, (SIMULATIONS, documents, annotators), seed=1)
    differing = (scores[..., 0] - scores[..., 1])[..., None]
    found = p_values(bootstrap_preferences(differing, RESAMPLES, seed=2)[..., 0])
    # Holm's first step: the smallest p-value is multiplied by the number of tests.
    return float((TESTS * found < SIGNIFICANCE_LEVEL).mean())


def plan(effect: float) -> Plan:
    """Power for this difference of two preferences; InputError outside of 0 to 1."""
    if not 0 < effect <= LARGEST_EFFECT:
        raise InputError(f"--effect: expected more than 0, up to {LARGEST_EFFECT}, found {effect}")
    kappa = fmean(row.kappa for row in paper.numbers().table4["zh2ensum"].values())
    judges = fit(effect, kappa)
    grid = {(d, a): power(judges, d, a) for d in DOCUMENTS for a in ANNOTATORS}
    return Plan(effect, kappa, grid, {e: power(fit(e, kappa), *PAPER) for e in EFFECTS})


def draw_plan(found: Plan) -> Group:
    """Power as tables for a terminal."""
    title = (
        f"Power (%) to find that two systems' preferences differ by {found.effect:g}, "
        f"at kappa {found.kappa:.2f}"
    )
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Documents")
    for annotators in ANNOTATORS:
        table.add_column(f"{annotators} annotators", justify="right")
    for documents in DOCUMENTS:
        cells = (_percent(found.power[documents, a], (documents, a)) for a in ANNOTATORS)
        table.add_row(str(documents), *cells)
    enough = [place for place, share in found.power.items() if share >= ENOUGH]
    documents, annotators = PAPER
    said = f"No size of this table reaches {ENOUGH:.0%}."
    if enough:
        d, a = min(enough, key=lambda place: place[0] * place[1])
        said = f"{ENOUGH:.0%} with the fewest judgements: {d} documents, {a} annotators."
    curve = ", ".join(f"{effect:g}: {share:.0%}" for effect, share in found.of_papers_size.items())
    return Group(
        table,
        Text(f"* as in the paper. {said}"),
        Text(f"{documents} documents, {annotators} annotators, by effect: {curve}."),
        Text(f"Corrected for all {TESTS} tests of an evaluation, as mclas human score does."),
    )


def _percent(share: float, place: tuple[int, int]) -> Text:
    mark = "*" if place == PAPER else ""
    return Text(f"{100 * share:.0f}{mark}", style="bold" if share >= ENOUGH else "")
