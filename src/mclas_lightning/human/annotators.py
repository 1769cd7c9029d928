"""Each annotator's agreement with the others, time, and signs of careless answers.

Shape letters: P perspectives, D documents, A annotators, S systems. ``human.analysis`` explains
scores.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from mclas_lightning.human.judgements import Judgement
from mclas_lightning.human.results import FEWEST_DOCUMENTS, AnnotatorSigns
from mclas_lightning.human.sheet import BEST_WORST, SheetKey

Array = NDArray[np.float64]

SHUFFLES = 2_000

ONE_SIDED = 0.001  # p-value from which positions count as chosen without reading

TOO_FAST = 1 / 3  # share of the annotators' middle time


def agreement_with_others(scores_PDAS: Array) -> Array:
    """For each annotator [A], the share of labels that are those of another one."""
    num = scores_PDAS.shape[2]
    same_AA = (scores_PDAS[:, :, :, None] == scores_PDAS[:, :, None]).mean((0, 1, 4))
    return (same_AA.sum(1) - 1) / (num - 1)


def one_sided_position(chosen_DE: NDArray[np.int64], num_systems: int) -> tuple[int, int, float]:
    """The position an annotator chose most, under which end, and the chance of as many.

    ``chosen_DE`` has a position for each document and column of choices. Systems stand in random
    order, so a careful annotator's choices would have stood elsewhere in another order with the
    same probability: every document's positions are shuffled together.
    """
    draw = np.random.default_rng(0)
    num_documents = len(chosen_DE)
    order = np.argsort(draw.random((SHUFFLES, num_documents, num_systems)), axis=-1)
    shuffled = np.take_along_axis(
        order, np.broadcast_to(chosen_DE, (SHUFFLES, *chosen_DE.shape)), 2
    )
    ends = np.arange(chosen_DE.shape[1]) % len(BEST_WORST)

    def counts(chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.stack([
            (chosen[..., ends == end] == position).sum((-1, -2))
            for end in range(len(BEST_WORST)) for position in range(num_systems)
        ], axis=-1)  # fmt: skip

    found = counts(chosen_DE)
    chance = (1 + (counts(shuffled).max(-1) >= found.max()).sum()) / (SHUFFLES + 1)
    end, position = divmod(int(found.argmax()), num_systems)
    return end, position, float(chance)


def _chance_agreement(num_systems: int) -> float:
    """The agreement of two annotators who choose at random: 3/8 of four systems."""
    return 2 / num_systems**2 + (1 - 2 / num_systems) ** 2


def annotator_signs(
    key: SheetKey, judgements: Sequence[Judgement], seconds: Mapping[str, float], scores_PDAS: Array
) -> list[AnnotatorSigns]:
    """Each annotator's agreement with the others, time and signs of careless answers."""
    annotators = sorted({judgement.annotator for judgement in judgements})
    times = {
        number: median(mine)
        for number in annotators
        if (
            mine := [
                seconds[n] for n, i in key.items.items() if i.annotator == number and n in seconds
            ]
        )
    }
    usual = median(times.values()) if len(times) > 1 else 0.0
    found = []
    for number, agreed in zip(annotators, agreement_with_others(scores_PDAS), strict=True):
        end, position, chance = one_sided_position(
            _positions(key, judgements, number), len(key.systems)
        )
        signs = []
        enough = scores_PDAS.shape[1] >= FEWEST_DOCUMENTS
        if enough and agreed <= _chance_agreement(len(key.systems)):
            signs.append("agrees with the others no more than by chance")
        if chance <= ONE_SIDED:
            signs.append(f"chooses {ascii_uppercase[position]} as {BEST_WORST[end]} too often")
        if number in times and times[number] < TOO_FAST * usual:
            signs.append(f"takes {times[number]:.0f} s a document, the middle is {usual:.0f} s")
        found.append(
            AnnotatorSigns(
                annotator=number, agreement=float(agreed), seconds=times.get(number), signs=signs
            )
        )
    return found


def _positions(key: SheetKey, judgements: Sequence[Judgement], annotator: int) -> NDArray[np.int64]:
    """Positions [D, columns of choices] that an annotator chose."""
    orders = {i.document: i.order for i in key.items.values() if i.annotator == annotator}
    chosen: dict[str, list[int]] = {document: [] for document in orders}
    for one in judgements:
        if one.annotator == annotator:
            order = orders[one.document]
            chosen[one.document] += [order.index(one.best), order.index(one.worst)]
    return np.array(list(chosen.values()))
