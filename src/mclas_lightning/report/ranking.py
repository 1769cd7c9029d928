"""Which systems of a grid are best, in the mean and as shown."""

from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import Score, System
from mclas_lightning.report.sheet import Cell

WRONG = "wrong_language"


def best(grid: Grid, score: Score) -> list[tuple[System, list[System]]]:
    """Of each section that may be ranked, who is ahead in the mean, and all others."""
    if score.aim is None or not grid.comparable(score):
        return []
    found = []
    for section, systems in grid.sections.items():
        if section in grid.unranked or not grid.unlike.keys().isdisjoint(systems):
            continue
        cells = {s: cell for s in systems if (cell := grid.cell(s, score))}
        if score.name == WRONG:
            cells = {s: cell for s, cell in cells.items() if _says_something(grid, s)}
        if len(cells) > 1:
            first = max(cells, key=lambda system: _merit(cells[system], score))
            found.append((first, [system for system in cells if system != first]))
    return found


def _says_something(grid: Grid, system: System) -> bool:
    """Whether its summaries share a word with their references.

    An empty summary is in no language, and of other letters an identifier names any.
    """
    side = grid.layout.side
    return any(run.scores[side]["rouge1_f"] > 0 for run in grid.seeds(system))


def ranked(grid: Grid, score: Score) -> set[System]:
    """Who is best as it is shown: what looks equal is best together, all equal is none."""
    found: set[System] = set()
    for first, others in best(grid, score):
        shown = {s: _shown(grid, s, score) for s in (first, *others)}
        if len(set(shown.values())) > 1:
            found |= {s for s, value in shown.items() if value == shown[first]}
    return found


def _shown(grid: Grid, system: System, score: Score) -> float:
    cell = grid.cell(system, score)
    assert cell is not None
    value = float(cell.shown)
    return value if score.aim else abs(value)


def _merit(cell: Cell, score: Score) -> float:
    """The higher the better."""
    return cell.mean if score.aim else -abs(cell.mean)
