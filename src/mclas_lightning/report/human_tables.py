"""Tables 3 and 4: the paper's human evaluation beside ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mclas_lightning import paper
from mclas_lightning.config.overrides import command, runs_option
from mclas_lightning.errors import InputError
from mclas_lightning.human.results import (
    HumanResults,
    find_human_results,
    human_results_path,
    judged_scenarios,
    not_returned_sentence,
)
from mclas_lightning.report.finished_runs import Aside, Runs, aside_in_words
from mclas_lightning.report.layout import LOW_RESOURCE
from mclas_lightning.report.sheet import (
    MISSING,
    Cell,
    Section,
    Sheet,
    SheetEntry,
    beside_paper,
    paper_columns,
)
from mclas_lightning.task import MODELS

JUDGED_SYSTEMS = ("mclas", "ncls", "ncls_ms", "gold")  # in the paper's order

FoundHumanResults = Mapping[str, HumanResults | None]  # by scenario; None: not judged


class HumanMeasure(NamedTuple):
    """A column of Table 3 or 4, rounded as in the paper."""

    name: str
    label: str
    digits: int
    scale: float = 1


TABLE3 = (
    HumanMeasure("informativeness", "IF", 3),
    HumanMeasure("conciseness", "CC", 3),
    HumanMeasure("fluency", "FL", 3),
)

TABLE4 = (
    HumanMeasure("kappa", "Fleiss' kappa", 2),
    HumanMeasure("agreement", "Agreement %", 2, 100),
)


def human_table_sheets(num: int, datasets: Sequence[str], runs: Runs) -> list[Sheet]:
    """Table 3 or 4 for each dataset; without datasets, for the paper's."""
    names = datasets or list(paper.numbers().table3)
    return [_sheet(num, name, runs) for name in names]


def _sheet(num: int, dataset: str, runs: Runs) -> Sheet:
    found, aside = _survey(runs, dataset)
    printed = dataset in paper.numbers().table3
    measures, sections = (TABLE3, _table3) if num == 3 else (TABLE4, _table4)
    lacking = [scenario for scenario, one in found.items() if one is None]
    corpus = paper.numbers().corpora.get(dataset)
    simulated = any(one and one.simulated for one in found.values())
    judges = "simulated annotators" if simulated else "people"
    title = (
        f"Best-worst scaling by {judges}" if num == 3 else f"Agreement of the {judges} who judged"
    )
    cells = len(measures) * (len(JUDGED_SYSTEMS) if num == 3 else 1)
    return Sheet(
        name=f"table{num}-{dataset}{'-simulated' if simulated else ''}",
        label=f"Table {num}",
        title=f"Table {num}. {title}, {corpus.name if corpus else dataset}",
        by="Scenario" if num == 3 else "",
        corner="System" if num == 3 else "Scenario",
        columns=tuple(c for one in measures for c in paper_columns(one.label, printed)),
        sections=list(sections(dataset, found, printed)),
        notes=[*_notes(num, found), *([f"{aside_in_words(aside)}."] if aside else [])],
        # A folder of simulated scores has no runs to make sheets of.
        commands=[
            line
            for scenario in lacking
            if not simulated
            for line in _commands(dataset, scenario, runs)
        ],
        missing=cells * len(lacking),
    )


def _survey(runs: Runs, dataset: str) -> tuple[FoundHumanResults, list[Aside]]:
    """Human evaluations by scenario, and the files that cannot be read.

    The low-resource scenarios, which the paper judged, are always listed; the full scenario only
    where a human evaluation of it exists.
    """
    found, aside = {}, []
    for scenario in dict.fromkeys((*LOW_RESOURCE, *judged_scenarios(runs.folder, dataset))):
        try:
            found[scenario] = find_human_results(runs.folder, dataset, scenario)
        except InputError as error:
            path = human_results_path(runs.folder, dataset, scenario)
            found[scenario] = None
            aside.append(Aside(path, str(error).removeprefix(f"{path}: ")))
    return found, aside


def _table3(dataset: str, found: FoundHumanResults, printed: bool) -> Iterator[Section]:
    for scenario, one in found.items():
        ours = one.preferences if one else {}
        papers = paper.numbers().table3.get(dataset, {}).get(scenario, {})
        further = [name for name in ours if name not in JUDGED_SYSTEMS]
        rows = []
        for name in (*JUDGED_SYSTEMS, *further):
            get = ours.get(name, {}).get
            ends = one.analysis.intervals.get(name, {}) if one and one.analysis else {}
            cells = _cells(TABLE3, papers.get(name), get, ends, printed)
            rows.append(("Gold" if name == "gold" else MODELS.get(name, name), *cells))
        yield Section(scenario, rows)


def _table4(dataset: str, found: FoundHumanResults, printed: bool) -> Iterator[Section]:
    rows = []
    for scenario, one in found.items():
        values, ends = {}, {}
        if one:
            values = {"kappa": one.agreement.kappa, "agreement": one.agreement.overall}
            if one.analysis and one.analysis.kappa_interval:
                ends = {"kappa": one.analysis.kappa_interval}
        papers = paper.numbers().table4.get(dataset, {}).get(scenario)
        rows.append((scenario, *_cells(TABLE4, papers, values.get, ends, printed)))
    yield Section("", rows)


def _cells(
    measures: Sequence[HumanMeasure],
    papers: object,
    ours: Callable[[str], float | None],
    intervals: Mapping[str, Sequence[float]],
    printed: bool,
) -> Iterator[SheetEntry]:
    for measure in measures:
        value, digits = ours(measure.name), measure.digits
        cell = None
        if value is not None:
            low, high = intervals.get(measure.name, (None, None))
            ends = None if low is None or high is None else (low, high)
            cell = Cell(mean=value * measure.scale, digits=digits, interval=ends)
        if printed:
            yield from beside_paper(getattr(papers, measure.name, None), cell, digits)
        else:
            yield cell or MISSING


def _notes(num: int, found: FoundHumanResults) -> Iterator[str]:
    if num == 3:
        yield (
            "IF, CC, FL: informativeness, conciseness, fluency; times chosen as best minus times "
            "chosen as worst, from -1 to 1."
        )
    if any(one and one.analysis and one.analysis.kappa_interval for one in found.values()):
        yield "In brackets: 95 % bootstrap intervals, " + (
            "over documents and annotators." if num == 3 else "over documents."
        )
    for scenario, one in found.items():
        if one:
            judged = f"{scenario}: {one.judged}."
            yield f"{judged} {not_returned_sentence(one)}".rstrip()


def _commands(dataset: str, scenario: str, runs: Runs) -> Iterator[str]:
    """The commands that write annotation sheets, and that score the filled sheets."""
    place, out = ["--dataset", dataset, "--scenario", scenario], f"sheets/{dataset}-{scenario}"
    more = runs_option(runs.folder)
    yield command("mclas human sheet", [*place, "--out", out, *more])
    yield command("mclas human score", [out, *more])
