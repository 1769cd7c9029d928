"""Significance marks: systems better than every other of their section, and not by chance.

In each score the best system is tested against each other system of its section, on the scores of
single documents over all seeds (``metrics.significance``). Holm's correction is over all tests of
a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mclas_lightning.errors import InputError, first_few
from mclas_lightning.metrics.power import detectable_difference
from mclas_lightning.metrics.resampling import sample_of_differences
from mclas_lightning.metrics.significance import SIGNIFICANCE_LEVEL, holm_adjusted, pvalues
from mclas_lightning.report.comparable import grouped
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import Layout, TableScore, TableSystem
from mclas_lightning.report.ranking import leaders
from mclas_lightning.report.sheet import format_number
from mclas_lightning.runs.documents import DOCUMENT_SCORES
from mclas_lightning.runs.results import Results

RESAMPLES = 5_000

SheetPlace = tuple[str, Layout]  # a dataset and its layout: one sheet of the table

MarkedPlace = tuple[SheetPlace, TableSystem, TableScore]  # where, who is marked, in what


class Contest(NamedTuple):
    """The best system of a section in a score, and its rivals: ``[seeds, documents]`` each."""

    place: MarkedPlace
    best: np.ndarray
    others: list[np.ndarray]


@dataclass(frozen=True)
class Marks:
    """The places that get ``*``, with the notes on the tests and on what was not tested."""

    marked: frozenset[MarkedPlace] = frozenset()
    tests: str = ""  # a description: level, methods, seeds, correction
    one_seed: bool = False  # every system has one seed, so that outputs are compared, not systems
    detectable: Mapping[SheetPlace, str] = field(default_factory=dict)  # a note
    untested: Mapping[SheetPlace, Sequence[str]] = field(default_factory=dict)  # reasons

    def marks(self, grid: Grid, system: TableSystem, score: TableScore) -> bool:
        """Whether a cell of the grid gets ``*``."""
        return (_sheet(grid), system, score) in self.marked

    def note(self, grid: Grid) -> Iterator[str]:
        """The notes below a grid."""
        sheet = _sheet(grid)
        if sheet in self.detectable:
            yield self._verdict(sheet)
            yield self.detectable[sheet]
        if names := self.untested.get(sheet):
            yield f"Not tested for significance: {first_few(names, separator='; ')}."

    def _verdict(self, sheet: SheetPlace) -> str:
        what = "output" if self.one_seed else "system"
        of_all = "every other of its part of the table"
        if any(place[0] == sheet for place in self.marked):
            text = f"*: this {what} is better than {of_all} in this score, {self.tests}."
        else:
            text = f"No {what} is better than {of_all} in a score, {self.tests}."
        if not self.one_seed:
            return text
        return f"{text} With one seed these outputs are compared, and other seeds may differ."


def significance_marks(grids: Sequence[Grid]) -> Marks:
    """The marks of one table with all its datasets."""
    contests, untested = [], {}
    for grid in grids:
        read, reasons = _Reader(grid), {}
        for score in grid.scores:
            for first, others in leaders(grid, score) if score.aim == 1 else ():
                reason = _contest(read, score, first, others)
                if isinstance(reason, Contest):
                    contests.append(reason)
                else:
                    reasons[reason] = None
        untested[_sheet(grid)] = [*reasons]
    return _tested(contests, untested)


def _contest(
    read: "_Reader", score: TableScore, best: TableSystem, others: Sequence[TableSystem]
) -> Contest | str:
    """The best system against its rivals, or the reason why they cannot be tested."""
    for system in (best, *others):
        if partial := read.grid.partial(system, score):
            return f"{system.scenario}, {system.name} has {score.label} of {partial} seeds alone"
    found = {system: read.documents(system, score) for system in (best, *others)}
    for system, documents in found.items():
        if damage := read.damage(system):
            return f"{system.scenario}, {system.name}: {damage}"
        if documents is None:
            lacks = (
                f"lacks {score.label} in a {DOCUMENT_SCORES}"
                if read.any(system)
                else f"has no {DOCUMENT_SCORES}"
            )
            return f"{system.scenario}, {system.name} {lacks}"
    (ids, first), *rest = (one for one in found.values() if one is not None)
    if not all(np.array_equal(ids, other) for other, _ in rest):
        return f"{best.scenario}, the systems' {DOCUMENT_SCORES} have different documents"
    place = (_sheet(read.grid), best, score)
    return Contest(place, first, [scores for _, scores in rest])


def _tested(contests: Sequence[Contest], untested: Mapping[SheetPlace, Sequence[str]]) -> Marks:
    pairs = [(contest.best, other) for contest in contests for other in contest.others]
    if not pairs:
        return Marks(untested=untested)
    # The smallest possible p is about 1 / resamples. Times the number of tests, p must stay well
    # below SIGNIFICANCE_LEVEL.
    tests = pvalues(pairs, resamples=max(RESAMPLES, 2 * int(len(pairs) / SIGNIFICANCE_LEVEL)))
    corrected = iter(holm_adjusted([test.p for test in tests]))
    marked = {
        contest.place
        for contest in contests
        if max([next(corrected) for _ in contest.others]) < SIGNIFICANCE_LEVEL
    }
    methods = " or ".join(sorted({test.method for test in tests}))
    seeds = sorted({len(scores) for pair in pairs for scores in pair})
    range_ = "-".join(map(str, {seeds[0]: 0, seeds[-1]: 0}))
    return Marks(
        frozenset(marked),
        f"p < {SIGNIFICANCE_LEVEL} ({methods}; {range_} seed{'s' * (seeds[-1] > 1)} a system; "
        f"Holm's correction over the {len(tests)} tests of the table)",
        seeds[-1] == 1,
        {sheet: _detectable(alike, len(tests)) for sheet, alike in _by_sheet(contests).items()},
        untested,
    )


def _sheet(grid: Grid) -> SheetPlace:
    return grid.dataset, grid.layout


def _by_sheet(contests: Sequence[Contest]) -> dict[SheetPlace, list[Contest]]:
    return grouped(contests, lambda contest: contest.place[0])


def _detectable(contests: Sequence[Contest], num: int) -> str:
    """A note: the smallest difference detectable at Holm's first step, for each score."""
    least: dict[TableScore, list[float]] = {}
    for (_, _, score), best, others in contests:
        found = (
            detectable_difference(sample_of_differences(best, other), SIGNIFICANCE_LEVEL / num)
            for other in others
        )
        least.setdefault(score, []).extend(found)
    named = (
        f"{score.label} {format_number(min(values) * score.scale, score.digits)}"
        for score, values in least.items()
    )
    return f"Smallest difference that could have been found (docs/metrics.md): {', '.join(named)}."


class _Reader:
    """Scores of single documents for one grid; each file is read once, for the table's scores."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.names = [self._name(score) for score in grid.scores if score.aim == 1]
        self.read: dict[int, dict[str, np.ndarray]] = {}
        self.damaged: dict[int, str] = {}

    def documents(
        self, system: TableSystem, score: TableScore
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Document ids, and scores ``[seeds, documents]``; None where seeds lack or mix them."""
        runs = [run for run in self.grid.seeds(system) if self.grid.value(run, score) is not None]
        found, name = [self._of(run) for run in runs], self._name(score)
        if any(name not in one or not np.array_equal(found[0]["ids"], one["ids"]) for one in found):
            return None
        return found[0]["ids"], np.stack([one[name] for one in found])

    def any(self, system: TableSystem) -> bool:
        """Whether any seed of the system has scores of single documents."""
        return any(self._of(run) for run in self.grid.seeds(system))

    def damage(self, system: TableSystem) -> str | None:
        """The error of the first seed whose file of documents' scores is damaged, if any."""
        found = [self.damaged.get(id(run)) for run in self.grid.seeds(system)]
        return next(filter(None, found), None)

    def _of(self, run: Results) -> dict[str, np.ndarray]:
        if id(run) not in self.read:
            try:
                self.read[id(run)] = run.documents(self.names)
            except InputError as error:
                self.read[id(run)], self.damaged[id(run)] = {}, str(error)
        return self.read[id(run)]

    def _name(self, score: TableScore) -> str:
        return f"{self.grid.layout.side}/{self.grid.key(score)}"
