"""A table's numbers for one dataset: what runs scored, and whether it may be compared.

Scores are compared where they have one signature and one test set. Where they have not, they are
shown, nothing is ranked, no difference is taken, and a note names the runs that do not fit. Seeds
that differ in recipe or decoding have no mean; systems that differ in decoding are not ranked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev

from mclas_lightning.report.comparable import (
    kinds,
    tests,
    unlike_decodings,
    unlike_recipes,
    unlike_seeds,
    writes_accents,
)
from mclas_lightning.report.finished_runs import Aside
from mclas_lightning.report.layout import ELSEWHERE, Layout, Score, System
from mclas_lightning.report.sheet import Cell
from mclas_lightning.runs.results import MODELS, Results


@dataclass(frozen=True, kw_only=True)
class Grid:
    """``runs`` are those of the dataset; ``profile`` is the one of ROUGE that is asked for.

    A ``closed`` one has the layout's systems alone, others all that have runs.
    """

    layout: Layout
    dataset: str
    profile: str
    runs: Sequence[Results]
    aside: Sequence[Aside] = ()  # files that are no results of the dataset
    closed: bool = False

    @cached_property
    def scores(self) -> list[Score]:
        """The layout's; of the optional ones those that a run has."""
        return [
            score
            for score in self.layout.scores
            if not score.optional or any(self.value(run, score) is not None for run in self.used)
        ]

    @cached_property
    def systems(self) -> list[System]:
        """The layout's, each scenario followed by further systems that have runs there."""
        known = {(system.scenario, system.model) for system in self.layout.systems}
        found: list[System] = []
        for section in dict.fromkeys(system.section for system in self.layout.systems):
            own = [system for system in self.layout.systems if system.section == section]
            further = {
                (run.scenario, run.model): None
                for run in self.runs
                if not self.closed
                and run.scenario == own[-1].scenario
                and self.layout.side in run.scores
                and (run.scenario, run.model) not in known
                and run.model not in ELSEWHERE
                and not (run.model in MODELS and not section)
            }
            found += [*own, *(System(*place, section) for place in further)]
        return found

    def seeds(self, system: System) -> list[Results]:
        """The runs of a system, all its seeds."""
        return self._placed.get((system.scenario, system.model), [])

    @cached_property
    def _placed(self) -> dict[tuple[str, str], list[Results]]:
        found: dict[tuple[str, str], list[Results]] = {}
        for run in self.runs:
            if self.layout.side in run.scores:
                found.setdefault((run.scenario, run.model), []).append(run)
        return found

    @cached_property
    def used(self) -> list[Results]:
        """All runs that are in the table."""
        return [run for system in self.systems for run in self.seeds(system)]

    @cached_property
    def unaccented(self) -> list[Results]:
        """Runs of networks that cannot write accents, where accents would count."""
        standard = self.profile == "standard"
        return [run for run in self.used if standard and not writes_accents(run, self.layout.side)]

    @property
    def counted(self) -> str:
        """ROUGE's profile by which all are compared: without accents where one lacks them."""
        return "folded" if self.unaccented else self.profile

    def family(self, score: Score) -> str:
        """Whose signature the score has: that of ROUGE's profile, or its own."""
        own = self.counted != "standard" and score.name.startswith("rouge")
        return f"{self.counted}_rouge" if own else score.family

    def key(self, score: Score) -> str:
        """The score's name in ``results.json``."""
        own = self.family(score).endswith("_rouge")
        return f"{self.counted}_{score.name}" if own else score.name

    def value(self, run: Results, score: Score) -> float | None:
        """What a run scored, in the table's unit."""
        found = run.scores[self.layout.side]
        if score.name == "difference":
            return found["length"] - found["reference_length"]
        value = found.get(self.key(score))
        return None if value is None else value * score.scale

    def reference(self, score: Score) -> Cell | None:
        """The same of the references, which are all runs' alike."""
        found = [run.scores[self.layout.side][score.reference] for run in self.used]
        if not found or not self.comparable(score):
            return None
        return Cell(mean=fmean(found) * score.scale, digits=score.digits)

    def cell(self, system: System, score: Score) -> Cell | None:
        """The mean over seeds; None where no seed has it, or where they may not be averaged."""
        runs = self.seeds(system)
        values = [v for run in runs if (v := self.value(run, score)) is not None]
        if not values or system in self.mixed(score):
            return None
        spread = stdev(values) if len(values) > 1 else None
        return Cell(
            mean=fmean(values), deviation=spread, seeds=len(values), digits=score.digits,
            signed=score.signed, partial=self.partial(system, score),
        )  # fmt: skip

    def partial(self, system: System, score: Score) -> str:
        """Where only some seeds have the score, how many: ``2 of 3``."""
        runs = self.seeds(system)
        have = sum(self.value(run, score) is not None for run in runs)
        return f"{have} of {len(runs)}" if 0 < have < len(runs) else ""

    def mixed(self, score: Score) -> set[System]:
        """Systems whose own seeds have several signatures, test sets, recipes or decodings."""
        return self._mixed[score]

    @cached_property
    def _mixed(self) -> dict[Score, set[System]]:
        side = self.layout.side
        several = {s for s in self.systems if len(tests(self.seeds(s), side)) > 1} | {*self.unlike}
        return {
            score: several
            | {s for s in self.systems if len(kinds(self.seeds(s), self._signature(score))) > 1}
            for score in self.layout.scores
        }

    @cached_property
    def unlike(self) -> dict[System, list[str]]:
        """Systems whose seeds differ in more than their seed, with the differences."""
        found = {system: unlike_seeds(self.seeds(system)) for system in self.systems}
        return {system: words for system, words in found.items() if words}

    @cached_property
    def unranked(self) -> dict[str, list[str]]:
        """Sections whose systems differ in decoding, with the differences."""
        found = {
            section: unlike_decodings(
                run for s in systems if s not in self.unlike for run in self.seeds(s)
            )
            for section, systems in self.sections.items()
        }
        return {section: words for section, words in found.items() if words}

    @cached_property
    def recipes(self) -> dict[str, list[str]]:
        """Scenarios whose systems differ in recipe, with the differences."""
        scenarios = dict.fromkeys(system.scenario for system in self.systems)
        found = {
            name: unlike_recipes(run for run in self.used if run.scenario == name)
            for name in scenarios
        }
        return {name: words for name, words in found.items() if words}

    @cached_property
    def sections(self) -> dict[str, list[System]]:
        """Who competes with whom."""
        found: dict[str, list[System]] = {}
        for system in self.systems:
            found.setdefault(system.section, []).append(system)
        return found

    @cached_property
    def tests(self) -> dict[str, list[Results]]:
        """All runs of the table by their test set."""
        return tests(self.used, self.layout.side)

    def comparable(self, score: Score) -> bool:
        """Whether all that is shown in this score has one signature and one test set."""
        return len(self.tests) < 2 and len(self.signatures(score)) < 2

    def signatures(self, score: Score) -> dict[str, list[Results]]:
        """The runs by the signature of their score."""
        return kinds(self.used, self._signature(score))

    def _signature(self, score: Score) -> Callable[[Results], str | None]:
        family = self.family(score)
        return lambda run: run.signatures[self.layout.side].get(family)
