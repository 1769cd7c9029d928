"""How far MCLAS is from other systems in the ROUGE-1 F of S^B, and how sure that is, in words."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.significance import (
    SIGNIFICANCE_LEVEL,
    Comparison,
    compare_all,
    holm_corrected,
)
from mclas_lightning.report.comparable import grouped
from mclas_lightning.runs.results import Results
from mclas_lightning.task import MODELS

MAIN = "cross/rouge1_f"

BASELINES = ("ncls", "ncls_ms")


class Place(NamedTuple):
    """A system in a scenario of a dataset."""

    dataset: str
    scenario: str
    model: str


class Gain(NamedTuple):
    """A system minus another one in one scenario, in points of ROUGE-1 from 0 to 100."""

    place: Place  # the other system's
    seeds: tuple[int, int]  # of the system and of the other
    compared: Comparison


def by_place(results: Sequence[Results]) -> dict[Place, list[Results]]:
    """Runs of each place, in the order of ``results``."""
    return grouped(results, lambda run: Place(run.dataset, run.scenario, run.model))


def documents(runs: Sequence[Results], name: str = MAIN) -> np.ndarray | None:
    """``[seeds, documents]`` of one score, 0 to 100; None where no run has it.

    InputError where some runs alone have it.
    """
    check_same_documents(runs)
    found = [each for run in runs if (each := run.documents([name]).get(name)) is not None]
    if found and len(found) < len(runs):
        lacks = next(run.folder for run in runs if name not in run.documents([name]))
        raise InputError(f"{lacks}: lacks {name} of single documents; evaluate it again")
    return 100 * np.stack(found) if found else None


def check_same_documents(runs: Sequence[Results]) -> None:
    """InputError unless the document scores of all ``runs`` are of one test set, in one order."""
    kept = [(run, found["ids"]) for run in runs if (found := run.documents(["ids"]))]
    for run, ids in kept[1:]:
        first, first_ids = kept[0]
        sets = {one.provenance.get("test_sha256") for one in (first, run)} - {None}
        if len(sets) > 1 or not np.array_equal(ids, first_ids):
            raise InputError(
                f"{run.folder}: its test documents are not those of {first.folder}, or in another "
                f"order, so that their scores cannot be compared; evaluate both on one test set"
            )


def gains(
    places: Mapping[Place, Sequence[Results]],
    model: str = "mclas",
    others: Sequence[str] = BASELINES,
) -> list[Gain]:
    """``model`` against ``others`` where both have runs; p by Holm's correction over all."""
    found = []
    for dataset, scenario in dict.fromkeys(place[:2] for place in places):
        first = documents(places.get(Place(dataset, scenario, model), ()))
        for other in others:
            place = Place(dataset, scenario, other)
            second = documents(places.get(place, ()))
            if first is not None and second is not None:
                check_same_documents([*places[place._replace(model=model)], *places[place]])
                found.append((place, first, second))
    compared = holm_corrected(compare_all([(first, second) for _, first, second in found]))
    return [
        Gain(place, (len(first), len(second)), each)
        for (place, first, second), each in zip(found, compared, strict=True)
    ]


def gain_lines(results: Sequence[Results]) -> Iterator[str]:
    """A line for each dataset and baseline, with all scenarios, and lines on how sure they are."""
    found = sorted(
        gains(by_place(results)), key=lambda gain: (gain.place.dataset, gain.place.model)
    )
    for (dataset, model), mine in groupby(found, lambda gain: (gain.place[0], gain.place[2])):
        said = "; ".join(f"{gain.place.scenario} {_said(gain.compared)}" for gain in mine)
        yield f"{dataset}, MCLAS against {MODELS[model]}: {said}."
    if found:
        yield (
            f"In brackets: 95 % bootstrap intervals. Sure: p < {SIGNIFICANCE_LEVEL} after Holm's "
            f"correction over these {len(found)} differences."
        )
        if all(gain.seeds == (1, 1) for gain in found):
            yield "Each system was trained once: another seed may change the order."


def _said(compared: Comparison) -> str:
    """Such as ``1.9 ROUGE-1 better [-0.2, +4.0], not sure``."""
    better = "better" if compared.difference >= 0 else "worse"
    sure = "sure" if compared.p < SIGNIFICANCE_LEVEL else "not sure"
    return (
        f"{abs(compared.difference):.1f} ROUGE-1 {better} "
        f"[{compared.low:+z.1f}, {compared.high:+z.1f}], {sure}"
    )
