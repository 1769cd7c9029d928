"""Notes below the tables of scores."""

from collections.abc import Iterator

from mclas_lightning.report.comparable import (
    first_differences,
    grouped,
    run_places,
    unlike_documents,
)
from mclas_lightning.report.finished_runs import aside_in_words
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import TableScore
from mclas_lightning.report.sheet import PLUS_MINUS
from mclas_lightning.runs.results import Results

PAPER_CAVEATS = {
    "rouge": (
        "The paper's ROUGE is ROUGE-1.5.5's on lower-cased word pieces without accents, stemmed; "
        "ours here is of profile {profile}: differences are of the measure, too (--profile paper)."
    ),
    "bertscore": "The paper does not say which encoder its BERTScore is of.",
}

PAPER_CAVEATS["folded_rouge"] = PAPER_CAVEATS["rouge"]

FAMILY_NAMES = {
    **{"rouge": "ROUGE", "folded_rouge": "ROUGE of profile folded"},
    **{"paper_rouge": "ROUGE of profile paper"},
    **{"bertscore": "BERTScore", "similarity": "Similarity"},
}


def score_notes(grid: Grid, printed: bool) -> Iterator[str]:
    """The notes of one table; ``printed`` says whether it shows the paper's numbers beside ours."""
    yield f"Ours: mean {PLUS_MINUS} standard deviation over seeds; bold is the best of its part."
    if grid.unaccented:
        yield (
            "ROUGE without case and accents for all (profile folded), because of networks that "
            f"cannot write them: {run_places(grid.unaccented)}."
        )
    if len(grid.test_sets) > 1:
        yield f"Not compared, no differences: test sets differ. {_groups(grid.test_sets)}"
    for family, score in _families(grid).items():
        if family not in FAMILY_NAMES:
            continue
        found = grid.signatures(score)
        if len(found) > 1:
            name = f"{FAMILY_NAMES[family]} has {len(found)} signatures"
            yield f"Not compared, no differences: {name}. {_groups(found)}"
        elif found and (family != "rouge" or grid.counted == "standard"):
            # With another profile of ROUGE, only the lengths have the family "rouge".
            yield f"{FAMILY_NAMES[family]}: {next(iter(found))}"
        if printed and found and family in PAPER_CAVEATS and score.name != "length":
            yield PAPER_CAVEATS[family].format(profile=grid.counted)
    yield from _notes_on_differences(grid)
    if others := [run for run in grid.used if run.dataset != grid.dataset]:
        places = ", ".join(str(run.folder) for run in others)
        yield f"Pretrained on another corpus, scored on this test set: {places}."
    diverged = [run for run in grid.unfinished if run.diverged_path.exists()]
    going_on = [run for run in grid.unfinished if run not in diverged]
    for state, runs in (("Diverged, not counted", diverged), ("Not finished", going_on)):
        if runs:
            yield f"{state}: {', '.join('/'.join(run.folder.parts[-3:]) for run in runs)}."
    if grid.aside:
        yield f"{aside_in_words(grid.aside)}."


def _notes_on_differences(grid: Grid) -> Iterator[str]:
    """Notes on seeds without a mean, on sections without a rank, and on different recipes."""
    mixed = {s for score in grid.scores for s in grid.mixed(score)} - grid.unlike.keys()
    if mixed:
        names = ", ".join(sorted(f"{s.scenario}/{s.model}" for s in mixed))
        yield f"No mean of seeds that differ in signature or test set: {names}."
    for system, words in grid.unlike.items():
        place = f"{system.scenario}/{system.model}"
        yield f"No mean, {place}: its seeds differ in {first_differences(words)}."
    for section, words in grid.unranked.items():
        where = f", {section}" if section else ""
        yield f"Not ranked{where}: systems differ in {first_differences(words)}."
    for scenario, words in grid.recipes.items():
        yield f"Trained in different ways, {scenario}: {first_differences(words)}."
    for scenario, runs in grouped(grid.used, lambda run: run.scenario).items():
        if words := unlike_documents(runs):
            yield f"Documents an update differ, {scenario}: {words}."
    for run, reasons in grid.suspect:
        yield f"Suspect, {run_places([run])}: {'; '.join(reasons)}."
    if leaking := [r for r in grid.used if r.provenance.get("training", {}).get("leaks")]:
        yield f"Trained on test documents, or nearly (dataset.leaks=allow): {run_places(leaking)}."
    if cut_off := [r for r in grid.used if r.provenance.get("training", {}).get("cut_off")]:
        yield f"Cut off, the last validation was the best: {run_places(cut_off)}."


def _families(grid: Grid) -> dict[str, TableScore]:
    """The first score of each family in the table."""
    found: dict[str, TableScore] = {}
    for score in grid.scores:
        found.setdefault(grid.family(score), score)
    return found


def _groups(found: dict[str, list[Results]]) -> str:
    """Test sets or signatures, each with the places of its runs."""
    return "; ".join(f"{kind}: {run_places(runs)}" for kind, runs in found.items()) + "."
