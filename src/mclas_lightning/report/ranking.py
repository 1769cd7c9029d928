"""Which systems of a grid are best, in the mean and as shown."""

from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import TableScore, TableSystem
from mclas_lightning.report.sheet import Cell
from mclas_lightning.task import BASELINES

WRONG_LANGUAGE = "wrong_language"


def leaders(grid: Grid, score: TableScore) -> list[tuple[TableSystem, list[TableSystem]]]:
    """For each section that may be ranked: the system with the best mean, and all others.

    Baselines, and translators of reference summaries, are in no ranking.
    """
    if score.aim is None or not grid.comparable(score):
        return []
    found = []
    for section, systems in grid.sections.items():
        if section in grid.unranked or not grid.unlike.keys().isdisjoint(systems):
            continue
        ranked = [system for system in systems if not _reads_references(grid, system)]
        cells = {s: cell for s in ranked if (cell := grid.cell(s, score))}
        if score.name == WRONG_LANGUAGE:
            cells = {s: cell for s, cell in cells.items() if _shares_words(grid, s)}
        if len(cells) > 1:
            first = max(cells, key=lambda system: _merit(cells[system], score))
            found.append((first, [system for system in cells if system != first]))
    return found


def _reads_references(grid: Grid, system: TableSystem) -> bool:
    """Whether the system is a baseline, two of which do, or reads S^A of the reference, as MT."""
    sources = (run.recipe.get("model.source") for run in grid.seeds(system))
    return system.model in (*BASELINES, "mt") or "mono" in sources


def _shares_words(grid: Grid, system: TableSystem) -> bool:
    """Whether the system's summaries share a word with their references.

    Language identification means nothing for empty or random text, so a share of wrong languages
    ranks only systems that write words of the references.
    """
    side = grid.layout.side
    return any(run.scores[side]["rouge1_f"] > 0 for run in grid.seeds(system))


def best_as_shown(grid: Grid, score: TableScore) -> set[TableSystem]:
    """The best systems by rounded scores: equal ones are best together, but never all of them."""
    found: set[TableSystem] = set()
    for first, others in leaders(grid, score):
        shown = {s: _shown(grid, s, score) for s in (first, *others)}
        if len(set(shown.values())) > 1:
            found |= {s for s, value in shown.items() if value == shown[first]}
    return found


def _shown(grid: Grid, system: TableSystem, score: TableScore) -> float:
    cell = grid.cell(system, score)
    assert cell is not None
    value = float(cell.shown)
    return value if score.aim else abs(value)


def _merit(cell: Cell, score: TableScore) -> float:
    """The mean as a number of which the highest is best."""
    return cell.mean if score.aim else -abs(cell.mean)
