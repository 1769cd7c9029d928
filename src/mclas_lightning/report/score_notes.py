"""Notes below the tables of scores."""

from collections.abc import Iterator

from mclas_lightning.report.comparable import listed, places
from mclas_lightning.report.finished_runs import in_words
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import Score
from mclas_lightning.report.sheet import PLUS_MINUS

PAPERS = {
    "rouge": (
        "The paper's ROUGE is ROUGE-1.5.5's on lower-cased word pieces without accents, stemmed; "
        "ours here is of profile {profile}: differences are of the measure, too (--profile paper)."
    ),
    "bertscore": "The paper does not say which encoder its BERTScore is of.",
}

PAPERS["folded_rouge"] = PAPERS["rouge"]

NAMES = {
    **{"rouge": "ROUGE", "folded_rouge": "ROUGE of profile folded"},
    **{"paper_rouge": "ROUGE of profile paper"},
    **{"bertscore": "BERTScore", "similarity": "Similarity"},
}


def notes(grid: Grid, printed: bool) -> Iterator[str]:
    """The notes of one table; ``printed`` says whether the paper's numbers are beside ours."""
    yield f"Ours: mean {PLUS_MINUS} standard deviation over seeds; bold is the best of its part."
    if grid.unaccented:
        yield (
            "ROUGE without case and accents for all (profile folded), because of networks that "
            f"cannot write them: {places(grid.unaccented)}."
        )
    if len(grid.tests) > 1:
        yield "Not compared, no differences: test sets differ. " + _kinds(grid.tests)
    for family, score in _families(grid).items():
        if family not in NAMES:
            continue
        found = grid.signatures(score)
        if len(found) > 1:
            yield f"Not compared, no differences: {NAMES[family]} has {len(found)} signatures. " + (
                _kinds(found)
            )
        elif found and (family != "rouge" or grid.counted == "standard"):  # else of lengths alone
            yield f"{NAMES[family]}: {next(iter(found))}"
        if printed and found and family in PAPERS and score.name != "length":
            yield PAPERS[family].format(profile=grid.counted)
    yield from _unlike(grid)
    if grid.aside:
        yield f"{in_words(grid.aside)}."


def _unlike(grid: Grid) -> Iterator[str]:
    """Whose seeds have no mean, which systems are not ranked, and which had other recipes."""
    mixed = {s for score in grid.scores for s in grid.mixed(score)} - grid.unlike.keys()
    if mixed:
        names = ", ".join(sorted(f"{s.scenario}/{s.model}" for s in mixed))
        yield f"No mean of seeds that differ in signature or test set: {names}."
    for system, words in grid.unlike.items():
        yield f"No mean, {system.scenario}/{system.model}: its seeds differ in {listed(words)}."
    for section, words in grid.unranked.items():
        where = f", {section}" if section else ""
        yield f"Not ranked{where}: systems differ in {listed(words)}."
    for scenario, words in grid.recipes.items():
        yield f"Trained in different ways, {scenario}: {listed(words)}."


def _families(grid: Grid) -> dict[str, Score]:
    """A score of each family in the table."""
    found: dict[str, Score] = {}
    for score in grid.scores:
        found.setdefault(grid.family(score), score)
    return found


def _kinds(found: dict[str, list]) -> str:
    return "; ".join(f"{kind}: {places(runs)}" for kind, runs in found.items()) + "."
