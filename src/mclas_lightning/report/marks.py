"""Which system is better than every other of its section, and not by chance.

In each score the best system is tested against each other one on documents' scores, over all seeds
(``metrics.significance``). Holm's correction is over all tests of a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.power import detectable_difference
from mclas_lightning.metrics.resampling import sample_of_differences
from mclas_lightning.metrics.significance import holm, pvalues
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import Score, System
from mclas_lightning.report.ranking import best
from mclas_lightning.report.sheet import number
from mclas_lightning.runs.documents import NAME
from mclas_lightning.runs.results import Results

LEVEL = 0.05

RESAMPLES = 5_000

Place = tuple[str, System, Score]  # dataset, who is marked, in what

NAMED = 3  # reasons that a note gives


class Contest(NamedTuple):
    """The best system of a section in a score, and its rivals: ``[seeds, documents]`` each."""

    place: Place
    best: np.ndarray
    others: list[np.ndarray]


@dataclass(frozen=True)
class Marks:
    """The places that get ``*``, what to say of them, and who could not be tested."""

    marked: frozenset[Place] = frozenset()
    tests: str = ""  # which, and how many
    one_seed: bool = False  # of every system: outputs were compared, not systems
    found: Mapping[str, str] = field(default_factory=dict)  # detectable, by dataset with tests
    untested: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by dataset

    def note(self, dataset: str) -> Iterator[str]:
        """What stands below the table of a dataset."""
        if dataset in self.found:
            yield self._verdict(dataset)
            yield self.found[dataset]
        if names := self.untested.get(dataset):
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"Not tested for significance: {'; '.join(names[:NAMED])}{more}."

    def _verdict(self, dataset: str) -> str:
        what = "output" if self.one_seed else "system"
        of_all = "every other of its part of the table"
        if any(place[0] == dataset for place in self.marked):
            text = f"*: this {what} is better than {of_all} in this score, {self.tests}."
        else:
            text = f"No {what} is better than {of_all} in a score, {self.tests}."
        if not self.one_seed:
            return text
        return f"{text} With one seed these outputs are compared, and other seeds may differ."


def marks(grids: Sequence[Grid]) -> Marks:
    """The marks of one table, of all its datasets."""
    contests, untested = [], {}
    for grid in grids:
        read, reasons = _Reader(grid), {}
        for score in grid.scores:
            for first, others in best(grid, score) if score.aim == 1 else ():
                reason = _contest(read, score, first, others)
                if isinstance(reason, Contest):
                    contests.append(reason)
                else:
                    reasons[reason] = None
        untested[grid.dataset] = [*untested.get(grid.dataset, ()), *reasons]
    return _tested(contests, untested)


def _contest(
    read: "_Reader", score: Score, best: System, others: Sequence[System]
) -> Contest | str:
    """Or why it cannot be held."""
    for system in (best, *others):
        if partial := read.grid.partial(system, score):
            return f"{system.scenario}, {system.name} has {score.label} of {partial} seeds alone"
    found = {system: read.documents(system, score) for system in (best, *others)}
    for system, documents in found.items():
        if damage := read.damage(system):
            return f"{system.scenario}, {system.name}: {damage}"
        if documents is None:
            lacks = f"lacks {score.label} in a {NAME}" if read.any(system) else f"has no {NAME}"
            return f"{system.scenario}, {system.name} {lacks}"
    (ids, first), *rest = (one for one in found.values() if one is not None)
    if not all(np.array_equal(ids, other) for other, _ in rest):
        return f"{best.scenario}, the systems' {NAME} have different documents"
    place = (read.grid.dataset, best, score)
    return Contest(place, first, [scores for _, scores in rest])


def _tested(contests: Sequence[Contest], untested: Mapping[str, Sequence[str]]) -> Marks:
    pairs = [(contest.best, other) for contest in contests for other in contest.others]
    if not pairs:
        return Marks(untested=untested)
    # So many that the smallest p there is, times the tests of the table, is well below the level.
    tests = pvalues(pairs, resamples=max(RESAMPLES, 2 * int(len(pairs) / LEVEL)))
    corrected = iter(holm([test.p for test in tests]))
    marked = {
        contest.place
        for contest in contests
        if max([next(corrected) for _ in contest.others]) < LEVEL
    }
    methods = " or ".join(sorted({test.method for test in tests}))
    seeds = sorted({len(scores) for pair in pairs for scores in pair})
    range_ = "-".join(map(str, {seeds[0]: 0, seeds[-1]: 0}))
    return Marks(
        frozenset(marked),
        f"p < {LEVEL} ({methods}; {range_} seed{'s' * (seeds[-1] > 1)} a system; Holm's correction "
        f"over the {len(tests)} tests of the table)",
        seeds[-1] == 1,
        {dataset: _detectable(contests, dataset, len(tests)) for dataset in _datasets(contests)},
        untested,
    )


def _datasets(contests: Sequence[Contest]) -> list[str]:
    return list(dict.fromkeys(contest.place[0] for contest in contests))


def _detectable(contests: Sequence[Contest], dataset: str, num: int) -> str:
    """The least that the tests of a dataset could have found, by score, at Holm's first step."""
    least: dict[Score, list[float]] = {}
    for (name, _, score), first, others in contests:
        if name == dataset:
            found = (
                detectable_difference(sample_of_differences(first, other), LEVEL / num)
                for other in others
            )
            least.setdefault(score, []).extend(found)
    named = (
        f"{score.label} {number(min(values) * score.scale, score.digits)}"
        for score, values in least.items()
    )
    return f"Smallest difference that could have been found (docs/metrics.md): {', '.join(named)}."


class _Reader:
    """Documents' scores of one grid; every file is read once, and of it what the table shows."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.names = [self._name(score) for score in grid.scores if score.aim == 1]
        self.read: dict[int, dict[str, np.ndarray]] = {}
        self.damaged: dict[int, str] = {}

    def documents(self, system: System, score: Score) -> tuple[np.ndarray, np.ndarray] | None:
        """Ids and scores ``[seeds, documents]``; None where seeds lack them or differ in ids."""
        runs = [run for run in self.grid.seeds(system) if self.grid.value(run, score) is not None]
        found, name = [self._of(run) for run in runs], self._name(score)
        if any(name not in one or not np.array_equal(found[0]["ids"], one["ids"]) for one in found):
            return None
        return found[0]["ids"], np.stack([one[name] for one in found])

    def any(self, system: System) -> bool:
        """Whether a seed has documents' scores at all."""
        return any(self._of(run) for run in self.grid.seeds(system))

    def damage(self, system: System) -> str | None:
        """Why a seed's documents' scores cannot be used, where they cannot."""
        found = [self.damaged.get(id(run)) for run in self.grid.seeds(system)]
        return next(filter(None, found), None)

    def _of(self, run: Results) -> dict[str, np.ndarray]:
        if id(run) not in self.read:
            try:
                self.read[id(run)] = run.documents(self.names)
            except InputError as error:
                self.read[id(run)], self.damaged[id(run)] = {}, str(error)
        return self.read[id(run)]

    def _name(self, score: Score) -> str:
        return f"{self.grid.layout.side}/{self.grid.key(score)}"
