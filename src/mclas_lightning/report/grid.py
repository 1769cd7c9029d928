"""A table's numbers for one dataset: what runs scored, and whether it may be compared.

Scores are comparable where they share one signature and one test set. Scores that do not are
shown without ranks and without differences, and a note names the runs that do not fit. Seeds that
differ in recipe or decoding have no mean. Systems that differ in decoding are not ranked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev

from mclas_lightning.metrics.counting import l_kind
from mclas_lightning.report.comparable import (
    by_test_set,
    grouped,
    unlike_decodings,
    unlike_recipes,
    unlike_seeds,
    writes_accents,
)
from mclas_lightning.report.finished_runs import Aside, Runs
from mclas_lightning.report.layout import MODELS_ELSEWHERE, Layout, TableScore, TableSystem
from mclas_lightning.report.pretrained import MS_PLACE, with_pretraining
from mclas_lightning.report.sheet import Cell
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import Run
from mclas_lightning.runs.suspicion import suspicions
from mclas_lightning.task import MODELS

SUSPECT = "(suspect)"  # stands after a system's name


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The numbers of ``layout`` for one dataset; ``profile`` is the requested one of ROUGE.

    A ``closed`` grid has the layout's systems only, any other grid also further systems with runs.
    """

    layout: Layout
    dataset: str
    profile: str
    runs: Sequence[Results]
    aside: Sequence[Aside] = ()  # files that could not be used as results
    closed: bool = False
    folder: Path | None = None  # of the dataset's runs

    @cached_property
    def scores(self) -> list[TableScore]:
        """The layout's scores; an optional score only where a run has it."""
        return [
            score
            for score in self.layout.scores
            if not score.optional or any(self.value(run, score) is not None for run in self.used)
        ]

    @cached_property
    def systems(self) -> list[TableSystem]:
        """The layout's systems; after each scenario, further systems that have runs there."""
        known = {(system.scenario, system.model) for system in self.layout.systems}
        found: list[TableSystem] = []
        for section in dict.fromkeys(system.section for system in self.layout.systems):
            own = [system for system in self.layout.systems if system.section == section]
            further = {
                (run.scenario, run.model): None
                for run in self.runs
                if not self.closed
                and run.scenario == own[-1].scenario
                and self.layout.side in run.scores
                and (run.scenario, run.model) not in known
                and run.model not in MODELS_ELSEWHERE
                and not (run.model in MODELS and not section)
            }
            found += [*own, *(TableSystem(*place, section) for place in further)]
        return found

    def seeds(self, system: TableSystem) -> list[Results]:
        """The runs of a system, one for each seed."""
        return self._placed.get((system.scenario, system.model), [])

    @cached_property
    def _placed(self) -> dict[tuple[str, str], list[Results]]:
        runs = [run for run in self.runs if self.layout.side in run.scores]
        return grouped(runs, lambda run: (run.scenario, run.model))

    @cached_property
    def used(self) -> list[Results]:
        """All runs of the table's systems."""
        return [run for system in self.systems for run in self.seeds(system)]

    @cached_property
    def suspect(self) -> list[tuple[Results, list[str]]]:
        """Runs whose summaries look like those of a collapsed system, each with the reasons."""
        found = ((run, suspicions(run, self.layout.side)) for run in self.used)
        return [(run, reasons) for run, reasons in found if reasons]

    def name(self, system: TableSystem) -> str:
        """The system's name in the table, with a mark where one of its runs is suspect."""
        place = system.scenario, system.model
        marked = any((run.scenario, run.model) == place for run, _ in self.suspect)
        return f"{system.name} {SUSPECT}" if marked else system.name

    @cached_property
    def unfinished(self) -> list[Run]:
        """Further seeds of the table's systems: begun, but without results."""
        folders = [
            config.parent
            for system in self.systems
            if self.folder
            for config in (self.folder / system.scenario / system.model).glob("seed=*/config.yaml")
        ]
        return [run for run in map(Run, sorted(folders)) if not run.finished]

    @cached_property
    def unaccented(self) -> list[Results]:
        """Runs whose network cannot write accents, if the profile of ROUGE counts accents."""
        standard = self.profile == "standard"
        return [run for run in self.used if standard and not writes_accents(run, self.layout.side)]

    @property
    def counted(self) -> str:
        """The profile of ROUGE of the whole table: folded where a network cannot write accents."""
        return "folded" if self.unaccented else self.profile

    def family(self, score: TableScore) -> str:
        """The family whose signature the score has; ROUGE has one for each profile."""
        own = self.counted != "standard" and score.name.startswith("rouge")
        return f"{self.counted}_rouge" if own else score.family

    def key(self, score: TableScore) -> str:
        """The score's name in ``results.json``."""
        if not self.family(score).endswith("_rouge"):
            return score.name
        languages = [run.language(self.layout.side) for run in self.used]
        kind = l_kind(self.counted, languages[0] if languages else "")
        return f"{self.counted}_{score.name.replace('rougeL', kind)}"

    def value(self, run: Results, score: TableScore) -> float | None:
        """A run's score in the table's unit; None where the run lacks it."""
        found = run.scores[self.layout.side]
        if score.name == "difference":
            return found["length"] - found["reference_length"]
        value = found.get(self.key(score))
        return None if value is None else value * score.scale

    def reference(self, score: TableScore) -> Cell | None:
        """The score of the references, such as their length; None if runs are not comparable."""
        found = [run.scores[self.layout.side][score.reference] for run in self.used]
        if not found or not self.comparable(score):
            return None
        return Cell(mean=fmean(found) * score.scale, digits=score.digits)

    def cell(self, system: TableSystem, score: TableScore) -> Cell | None:
        """The mean over seeds; None where no seed has the score or seeds may not be averaged."""
        runs = self.seeds(system)
        values = [v for run in runs if (v := self.value(run, score)) is not None]
        if not values or system in self.mixed(score):
            return None
        spread = stdev(values) if len(values) > 1 else None
        return Cell(
            mean=fmean(values), deviation=spread, seeds=len(values), digits=score.digits,
            signed=score.signed, partial=self.partial(system, score),
        )  # fmt: skip

    def partial(self, system: TableSystem, score: TableScore) -> str:
        """How many seeds have the score, such as ``2 of 3``; empty where all or none have it."""
        runs = self.seeds(system)
        have = sum(self.value(run, score) is not None for run in runs)
        return f"{have} of {len(runs)}" if 0 < have < len(runs) else ""

    def mixed(self, score: TableScore) -> set[TableSystem]:
        """Systems whose seeds differ in signature, test set, recipe or decoding."""
        return self._mixed[score]

    @cached_property
    def _mixed(self) -> dict[TableScore, set[TableSystem]]:
        side, found = self.layout.side, dict[TableScore, set[TableSystem]]()
        several = {s for s in self.systems if len(by_test_set(self.seeds(s), side)) > 1}
        for score in self.layout.scores:
            signed = {s: grouped(self.seeds(s), self._signature(score)) for s in self.systems}
            differ = {s for s, signatures in signed.items() if len(signatures) > 1}
            found[score] = {*several, *self.unlike, *differ}
        return found

    @cached_property
    def unlike(self) -> dict[TableSystem, list[str]]:
        """Systems whose seeds differ in recipe or decoding, with the differences."""
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
    def sections(self) -> dict[str, list[TableSystem]]:
        """Systems by section; systems of one section compete."""
        return grouped(self.systems, lambda system: system.section)

    @cached_property
    def test_sets(self) -> dict[str, list[Results]]:
        """All runs of the table by their test set."""
        return by_test_set(self.used, self.layout.side)

    def comparable(self, score: TableScore) -> bool:
        """Whether all runs of the table have one signature of this score and one test set."""
        return len(self.test_sets) < 2 and len(self.signatures(score)) < 2

    def signatures(self, score: TableScore) -> dict[str, list[Results]]:
        """The table's runs by the signature of their score."""
        return grouped(self.used, self._signature(score))

    def _signature(self, score: TableScore) -> Callable[[Results], str | None]:
        family = self.family(score)
        return lambda run: run.signatures[self.layout.side].get(family)


def layout_grids(
    layout: Layout, datasets: Sequence[str], runs: Runs, profile: str, closed: bool = False
) -> list[Grid]:
    """The grid of ``layout`` for each dataset; without datasets, for those of the layout."""
    pretraining = any((system.scenario, system.model) == MS_PLACE for system in layout.systems)
    return [
        Grid(
            layout=layout, dataset=name, profile=profile,
            runs=with_pretraining(name, runs) if pretraining else runs.of(name),
            aside=runs.found(name).aside, closed=closed, folder=runs.folder / name,
        )
        for name in datasets or layout.datasets
    ]  # fmt: skip
