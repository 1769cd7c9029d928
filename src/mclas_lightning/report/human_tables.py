"""Tables 3 and 4: human evaluation, the paper's beside ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mclas_lightning import paper
from mclas_lightning.config.overrides import command
from mclas_lightning.errors import InputError
from mclas_lightning.human.results import HumanResults, find, place, scenarios, without
from mclas_lightning.report.finished_runs import Aside, Runs, in_words
from mclas_lightning.report.layout import LOW_RESOURCE
from mclas_lightning.report.sheet import MISSING, Cell, Column, Entry, Section, Sheet, number
from mclas_lightning.runs.results import MODELS

SYSTEMS = ("mclas", "ncls", "ncls_ms", "gold")  # as in the paper

Found = Mapping[str, HumanResults | None]  # by scenario


class Measure(NamedTuple):
    """A column of Table 3 or 4, with the paper's digits."""

    name: str
    label: str
    digits: int
    scale: float = 1


TABLE3 = (
    Measure("informativeness", "IF", 3),
    Measure("conciseness", "CC", 3),
    Measure("fluency", "FL", 3),
)

TABLE4 = (Measure("kappa", "Fleiss' kappa", 2), Measure("agreement", "Agreement %", 2, 100))


def human_sheets(num: int, datasets: Sequence[str], runs: Runs) -> list[Sheet]:
    """Table 3 or 4 for each dataset; without names, for the paper's."""
    names = datasets or list(paper.numbers().table3)
    return [_sheet(num, name, runs) for name in names]


def _sheet(num: int, dataset: str, runs: Runs) -> Sheet:
    found, aside = _survey(runs, dataset)
    printed = dataset in paper.numbers().table3
    measures, sections = (TABLE3, _table3) if num == 3 else (TABLE4, _table4)
    lacking = [scenario for scenario, one in found.items() if one is None]
    corpus = paper.numbers().corpora.get(dataset)
    title = "Best-worst scaling by people" if num == 3 else "Agreement of the people who judged"
    cells = len(measures) * (len(SYSTEMS) if num == 3 else 1)
    return Sheet(
        name=f"table{num}-{dataset}",
        label=f"Table {num}",
        title=f"Table {num}. {title}, {corpus.name if corpus else dataset}",
        by="Scenario" if num == 3 else "",
        corner="System" if num == 3 else "Scenario",
        columns=tuple(_columns(measures, printed)),
        sections=list(sections(dataset, found, printed)),
        notes=[*_notes(num, found), *([f"{in_words(aside)}."] if aside else [])],
        commands=[line for scenario in lacking for line in _commands(dataset, scenario, runs)],
        missing=cells * len(lacking),
    )


def _survey(runs: Runs, dataset: str) -> tuple[Found, list[Aside]]:
    """The scenarios' human evaluations, and the files that cannot be read.

    The paper judged the low-resource scenarios; others are shown where they were judged.
    """
    found, aside = {}, []
    for scenario in dict.fromkeys((*LOW_RESOURCE, *scenarios(runs.folder, dataset))):
        try:
            found[scenario] = find(runs.folder, dataset, scenario)
        except InputError as error:
            path = place(runs.folder, dataset, scenario)
            found[scenario] = None
            aside.append(Aside(path, str(error).removeprefix(f"{path}: ")))
    return found, aside


def _columns(measures: Sequence[Measure], printed: bool) -> Iterator[Column]:
    for measure in measures:
        if printed:
            yield from (
                Column(measure.label, "paper"), Column(measure.label, "ours", True),
                Column(measure.label, "diff."),
            )  # fmt: skip
        else:
            yield Column(measure.label, "", True)


def _table3(dataset: str, found: Found, printed: bool) -> Iterator[Section]:
    for scenario, one in found.items():
        ours = one.preferences if one else {}
        papers = paper.numbers().table3.get(dataset, {}).get(scenario, {})
        further = [name for name in ours if name not in SYSTEMS]
        rows = []
        for name in (*SYSTEMS, *further):
            get = ours.get(name, {}).get
            cells = _cells(TABLE3, papers.get(name), get, printed)
            rows.append(("Gold" if name == "gold" else MODELS.get(name, name), *cells))
        yield Section(scenario, rows)


def _table4(dataset: str, found: Found, printed: bool) -> Iterator[Section]:
    rows = []
    for scenario, one in found.items():
        values = {}
        if one:
            values = {"kappa": one.agreement.kappa, "agreement": one.agreement.overall}
        papers = paper.numbers().table4.get(dataset, {}).get(scenario)
        rows.append((scenario, *_cells(TABLE4, papers, values.get, printed)))
    yield Section("", rows)


def _cells(
    measures: Sequence[Measure], papers: object, ours: Callable[[str], float | None], printed: bool
) -> Iterator[Entry]:
    for measure in measures:
        value = ours(measure.name)
        cell = None
        if value is not None:
            cell = Cell(mean=value * measure.scale, digits=measure.digits)
        if not printed:
            yield cell or MISSING
            continue
        known = getattr(papers, measure.name, None)
        yield MISSING if known is None else number(known, measure.digits)
        yield cell or MISSING
        if known is None or cell is None:
            yield ""
        else:
            yield number(float(cell.shown) - known, measure.digits, signed=True)


def _notes(num: int, found: Found) -> Iterator[str]:
    if num == 3:
        yield (
            "IF, CC, FL: informativeness, conciseness, fluency; times chosen as best minus times "
            "chosen as worst, from -1 to 1."
        )
    for scenario, one in found.items():
        if one:
            judged = f"{scenario}: {one.documents} documents, {one.annotators} annotators."
            yield f"{judged} {without(one)}".rstrip()


def _commands(dataset: str, scenario: str, runs: Runs) -> Iterator[str]:
    """Sheets for annotators; when they have come back, their scores."""
    more = [] if str(runs.folder) == "runs" else ["--runs", str(runs.folder)]
    place, out = ["--dataset", dataset, "--scenario", scenario], f"sheets/{dataset}-{scenario}"
    yield command("mclas human sheet", [*place, "--out", out, *more])
    yield command("mclas human score", [out, *more])
