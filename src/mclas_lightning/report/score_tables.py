"""Tables 2, 5, 6 and 7: the paper's numbers, ours beside them, and the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mclas_lightning import paper
from mclas_lightning.report.comparable import by_test_set
from mclas_lightning.report.finished_runs import Runs, unscored
from mclas_lightning.report.gaps import OTHER_TEST_SET, OTHER_TRAINING, Gap, filling
from mclas_lightning.report.grid import Grid, layout_grids
from mclas_lightning.report.layout import LAYOUTS, TableScore, TableSystem
from mclas_lightning.report.marks import Marks, significance_marks
from mclas_lightning.report.ranking import best_as_shown
from mclas_lightning.report.score_notes import score_notes
from mclas_lightning.report.sheet import (
    MISSING,
    Cell,
    Column,
    Section,
    Sheet,
    SheetEntry,
    beside_paper,
    paper_columns,
)
from mclas_lightning.runs.results import Results

SEEDS_HEADING = "Seeds"


def score_table_sheets(num: int, datasets: Sequence[str], runs: Runs, profile: str) -> list[Sheet]:
    """Table ``num`` for each dataset; without datasets, for those of the paper's table."""
    grids = layout_grids(LAYOUTS[num], datasets, runs, profile)
    found = significance_marks(grids)
    return [paper_sheet(grid, found, runs, name=f"table{num}-{grid.dataset}") for grid in grids]


def paper_sheet(
    grid: Grid, found: Marks, runs: Runs, *, name: str, label: str | None = None
) -> Sheet:
    """One of the paper's tables, with the commands that fill its missing cells."""
    gaps, dataset = list(_gaps(grid)), grid.dataset
    corpus = paper.numbers().corpora.get(dataset)
    label = label or f"Table {grid.layout.number}"
    sheet, (commands, diverged) = grid_sheet(grid, found), filling(dataset, gaps, runs)
    return replace(
        sheet,
        name=name,
        label=label,
        title=f"{label}. {grid.layout.title}, {corpus.name if corpus else dataset}",
        notes=[*sheet.notes, *diverged],
        commands=commands,
        missing=sum(gap.cells for gap in gaps),
    )


def grid_sheet(grid: Grid, found: Marks) -> Sheet:
    """The table of one grid."""
    layout = grid.layout
    table = _ScoreTable(grid, found)
    return Sheet(
        name=grid.dataset,
        title=layout.title,
        by="Scenario" if any(s.section for s in grid.systems) else "",
        corner="Score" if layout.transposed else "System",
        columns=tuple(table.columns()),
        sections=list(table.sections()),
        origins=list(table.origins()),
        notes=[*score_notes(grid, table.printed), *found.note(grid)],
    )


def _gaps(grid: Grid) -> Iterator[Gap]:
    """Cells of the layout that lack scores; BERTScore of TLTran, which the paper lacks, is none."""
    seeds = {run.seed for system in grid.layout.systems for run in grid.seeds(system)}
    unusable = {(run.scenario, run.model) for run in unscored(grid.aside)}
    for system in grid.layout.systems:
        wanted = [
            score
            for score in grid.layout.scores
            if not score.optional and (system.model, score.family) != ("tltran", "bertscore")
        ]
        lacking = [s for s in wanted if grid.cell(system, s) is None or grid.partial(system, s)]
        if not grid.seeds(system):
            yield Gap(system.scenario, system.model, None, len(wanted))
            continue
        damaged = (system.scenario, system.model) in unusable
        if damaged or {run.seed for run in grid.seeds(system)} < seeds:
            yield Gap(system.scenario, system.model, None, 0)
        again = _work_to_repeat(grid, system)
        for family in dict.fromkeys(map(grid.family, lacking)):
            cells = sum(grid.family(score) == family for score in lacking)
            yield Gap(system.scenario, system.model, again or family, cells)


def _work_to_repeat(grid: Grid, system: TableSystem) -> str | None:
    """The work to repeat where the seeds' recipe, decoding or test set forbids a mean."""
    if any(not words.startswith("decoding.") for words in grid.unlike.get(system, ())):
        return OTHER_TRAINING
    several = len(by_test_set(grid.seeds(system), grid.layout.side)) > 1
    return OTHER_TEST_SET if several or system in grid.unlike else None


class _ScoreTable:
    """The rows and columns of one grid: systems by scores, or scores by systems."""

    def __init__(self, grid: Grid, found: Marks) -> None:
        self.grid, self.found, self.layout = grid, found, grid.layout
        self.best = {score: best_as_shown(grid, score) for score in grid.scores}
        known = (self._paper(system, score) for system in grid.systems for score in grid.scores)
        self.printed = any(value is not None for value in known)
        self.width = 3 if self.printed else 1  # columns for each score

    def columns(self) -> Iterator[Column]:
        """For each score, or for each system: the paper's number, ours, the difference."""
        names = [score.label for score in self.grid.scores]
        if self.layout.transposed:
            names = [*(self.grid.name(system) for system in self.grid.systems), self.layout.gold]
        for name in names:
            yield from paper_columns(name, self.printed)
        if not self.layout.transposed:
            yield Column("", SEEDS_HEADING)

    def sections(self) -> Iterator[Section]:
        """Rows of systems by scenario, then the references; or rows of scores, then the seeds."""
        if self.layout.transposed:
            yield Section("", [self._of_score(score) for score in self.grid.scores])
            yield Section("", [self._of_seeds()])
            return
        for name, systems in self.grid.sections.items():
            yield Section(name, [self._of_system(system) for system in systems])
        if self.layout.gold:
            cells = [entry for score in self.grid.scores for entry in self._gold(score)]
            yield Section("", [(self.layout.gold, *cells, "")])

    def origins(self) -> Iterator[tuple[str, ...]]:
        """Test set, signatures and decoding of each row, in the order of ``sections()``."""
        scores = self.grid.scores
        if self.layout.transposed:
            yield from (self._origin(self.grid.used, [score]) for score in scores)
            yield self._origin(self.grid.used, [])
            return
        for systems in self.grid.sections.values():
            yield from (self._origin(self.grid.seeds(system), scores) for system in systems)
        if self.layout.gold:
            yield (self._origin(self.grid.used, [])[0], "", "")

    def _origin(self, runs: Sequence[Results], scores: Sequence[TableScore]) -> tuple[str, ...]:
        families = dict.fromkeys(map(self.grid.family, scores))
        signed = [run.signatures[self.layout.side] for run in runs]
        found = (one[name] for name in families for one in signed if name in one)
        searched = (", ".join(f"{k} {v}" for k, v in run.decoding.items()) for run in runs)
        each = (by_test_set(runs, self.layout.side), found, filter(None, searched))
        return tuple("; ".join(dict.fromkeys(values)) for values in each)

    def _of_system(self, system: TableSystem) -> tuple[SheetEntry, ...]:
        cells = [e for score in self.grid.scores for e in self._entries(system, score)]
        return (self.grid.name(system), *cells, _seeds(self.grid.seeds(system)))

    def _of_score(self, score: TableScore) -> tuple[SheetEntry, ...]:
        cells = [e for system in self.grid.systems for e in self._entries(system, score)]
        return (score.label, *cells, *self._gold(score))

    def _of_seeds(self) -> tuple[SheetEntry, ...]:
        side = [""] * (self.width // 2)  # empty cells: the paper's number, the difference
        seeds = [_seeds(self.grid.seeds(system)) for system in self.grid.systems]
        return (SEEDS_HEADING, *(e for text in (*seeds, "") for e in (*side, text, *side)))

    def _entries(self, system: TableSystem, score: TableScore) -> list[SheetEntry]:
        ours = self.grid.cell(system, score)
        if ours is not None:
            ours = replace(
                ours,
                best=system in self.best[score],
                significant=self.found.marks(self.grid, system, score),
            )
        return self._beside(self._paper(system, score), ours, score)

    def _gold(self, score: TableScore) -> list[SheetEntry]:
        if not score.reference:
            return [""] * self.width
        printed = self.layout.printed_gold(self.grid.dataset, score.name)
        return self._beside(printed, self.grid.reference(score), score)

    def _beside(
        self, printed: float | None, ours: Cell | None, score: TableScore
    ) -> list[SheetEntry]:
        if not self.printed:
            return [ours or MISSING]
        comparable = self.grid.comparable(score)
        return beside_paper(printed, ours, score.digits, score.signed, comparable)

    def _paper(self, system: TableSystem, score: TableScore) -> float | None:
        return self.layout.printed(self.grid.dataset, system, score.name)


def _seeds(runs: Sequence[Results]) -> str:
    return str(len(runs)) if runs else MISSING
