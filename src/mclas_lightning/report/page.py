"""The report: all tables, Figure 3, the runs and examples in one self-contained HTML file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mclas_lightning import paper
from mclas_lightning.errors import InputError
from mclas_lightning.human.results import judged_datasets as judged
from mclas_lightning.page_policy import rendered
from mclas_lightning.report import figure3, section6
from mclas_lightning.report.cases import LEGEND, Examples, pick_cases
from mclas_lightning.report.finished_runs import (
    SET_ASIDE,
    Aside,
    aside_in_words,
    with_own_predictions,
)
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.render import html
from mclas_lightning.report.sheet import MISSING, Column, Section, Sheet
from mclas_lightning.report.tables import TABLE_NUMBERS, TableRequest, paper_table
from mclas_lightning.runs.predictions import predictions_path
from mclas_lightning.runs.results import Results
from mclas_lightning.verification.verify import verify_all

HASH_LENGTH = 10  # characters of a hash that are shown

PROVENANCE_COLUMNS = (
    *("Verified", "Configuration", "Test set", "Subset", "Commit", "Python", "Packages"),
    *("Decoding", "Signatures"),
)


NOT_MATCHED = "Does not match: "  # begins a note


def provenance_sheet(runs: Sequence[Results], aside: Sequence[Aside] = ()) -> Sheet:
    """The table of the runs' provenance; a note names the files that were set ``aside``.

    Every run is verified: its scores are counted again, its files are hashed again.
    """
    found = verify_all([run.folder for run in runs if run.folder])
    rows = [
        (_run_place(run), one.in_words, *_row(run)) for run, one in zip(runs, found, strict=True)
    ]
    wrong = [
        finding
        for one in found
        for finding in one.of("mismatch")
        if not any(str(file.path) in finding.said for file in aside)
    ]
    return Sheet(
        name="runs",
        title=f"The {len(rows)} runs behind these numbers",
        corner="Run",
        columns=tuple(Column("", name) for name in PROVENANCE_COLUMNS),
        sections=[Section("", list(rows))],
        notes=[
            f"Hashes are SHA-256, their first {HASH_LENGTH} characters: of config.yaml, of "
            "test.jsonl, of the scenario's subset.json. "
            "A + after a commit: there were changes beside it, which are in the run's folder.",
            "Verified: scores counted again from predictions, and hashes of files, as "
            "`mclas verify` does.",
            *(f"{NOT_MATCHED}{finding.topic}: {finding.said}." for finding in wrong),
            *([f"{aside_in_words(aside)}."] if aside else []),
        ],
    )


def _run_place(run: Results) -> str:
    return f"{run.dataset}/{run.scenario}/{run.model}/seed={run.seed}"


def _row(run: Results) -> tuple[str, ...]:
    known = run.provenance
    commit = _short(known.get("git_commit")) + ("+" if known.get("git_changes") else "")
    packages = known.get("packages")
    named = packages.items() if isinstance(packages, dict) else ()
    return (
        *(_short(known.get(f"{name}_sha256")) for name in ("config", "test", "subset")),
        commit,
        str(known.get("python", MISSING)),
        ", ".join(f"{name} {version}" for name, version in named) or MISSING,
        ", ".join(f"{name} {value}" for name, value in run.decoding.items()) or MISSING,
        "; ".join(
            f"{side}: {signature}"
            for side, signatures in run.signatures.items()
            for signature in signatures.values()
        ),
    )


def _short(value: object) -> str:
    return str(value)[:HASH_LENGTH] if value else MISSING


PART_HEADINGS = {
    1: "Sizes of the scenarios",
    2: "ROUGE and BERTScore",
    3: "Human evaluation",
    4: "Agreement of annotators",
    5: "Lengths of summaries",
    6: "Monolingual summaries",
    7: "Recall, precision and lengths",
}

# Tables of other files than results.json.
OTHER_FILES = ("Table 1", "Table 3", "Table 4", "Section 6")

FIGURE3_LEGEND = (
    "Lines: initialized from MS. Columns: from scratch. Whiskers: standard deviation over seeds."
)

SECTION6_LEGEND = (
    "As Figures 5 and 6, of the first run below that has all kinds, or else of the first: the head "
    "with the highest score of each kind, its layer and number, and the score. As Figures 9 and "
    "10: all heads, the lowest layer at the bottom. A row is the word that was read last. Darker "
    "is stronger; the dotted line is [LSEP]."
)


class PaperPart(NamedTuple):
    """A table or figure of the paper: its sheets, and the SVG picture of a figure."""

    name: str
    heading: str
    sheets: list[Sheet]
    picture: str = ""
    legend: str = ""
    pages: Mapping[str, str] = MappingProxyType({})  # HTML by the name of its file


class Report(NamedTuple):
    """The content of the HTML page."""

    parts: list[PaperPart]
    runs: Sheet
    cases: list[tuple[str, Examples]]


def full_report(request: TableRequest) -> Report:
    """The report on the requested datasets, or on the paper's and all others that have runs."""
    runs = request.runs
    datasets = request.datasets
    used = [run for run in runs.all if not datasets or run.dataset in datasets]
    parts = [
        PaperPart(f"Table {num}", PART_HEADINGS[num], paper_table(num, _wider(request, num)))
        for num in TABLE_NUMBERS
    ]
    found = figure3.grids(datasets or figure3.drawable(runs), runs, request.profile)
    picture = PaperPart(
        "Figure 3", figure3.FIGURE3_LAYOUT.title, figure3.sheets(found, runs), figure3.svg(found),
        FIGURE3_LEGEND,
    )  # fmt: skip
    aside = runs.aside(datasets or runs.names)
    examples = list(_examples(with_own_predictions(used, aside)))
    return Report([*parts, picture, *_heads(used)], provenance_sheet(used, aside), examples)


def _heads(runs: Iterable[Results]) -> Iterator[PaperPart]:
    """Section 6, where the heads of a run were analyzed."""
    if folders := section6.analyzed(run.folder for run in runs if run.folder):
        sheets, picture, pages = section6.section6(folders)
        heading = "What the decoder's heads do"
        yield PaperPart("Section 6", heading, sheets, picture, SECTION6_LEGEND, pages)


def notes_on_files(found: Report) -> list[str]:
    """The notes on files that were set aside, and on results that do not match their files."""
    # Tables of scores name some of the results that the table of all runs names.
    others = [sheet for part in found.parts if part.name in OTHER_FILES for sheet in part.sheets]
    notes = [note for sheet in (found.runs, *others) for note in sheet.notes]
    examples = [f"{SET_ASIDE}{reason}" for _, cases in found.cases for reason in cases.aside]
    return [
        note
        for note in dict.fromkeys([*notes, *examples])
        if note.startswith((SET_ASIDE, NOT_MATCHED))
    ]


def page_html(found: Report, runs: Path, pages: str) -> str:
    """The report as an HTML page; ``pages`` is the folder beside it with all parts' pages."""
    missing = sum(sheet.missing for part in found.parts for sheet in part.sheets)
    words = {
        "found": found, "runs": runs, "pages": pages, "missing": missing, "legend": LEGEND,
        "table": html.table, "version": version("mclas-lightning"),
    }  # fmt: skip
    return rendered("mclas_lightning.report", "page.html", words)


def _wider(request: TableRequest, num: int) -> TableRequest:
    """The request with the table's default datasets: the paper's, and others that have runs."""
    if request.datasets or num == 1:
        return request
    if num in LAYOUTS:
        papers, others = LAYOUTS[num].datasets, request.runs.crossing()
    else:
        papers, others = tuple(paper.numbers().table3), judged(request.runs.folder)
    return request._replace(datasets=list(dict.fromkeys((*papers, *others))))


def _examples(runs: Iterable[Results]) -> Iterator[tuple[str, Examples]]:
    """Examples of each dataset and scenario, from each system's first seed with predictions."""
    groups: dict[tuple[str, str], dict[str, Results]] = {}
    for run in runs:
        if run.folder and predictions_path(run).exists() and "cross" in run.scores:
            groups.setdefault((run.dataset, run.scenario), {}).setdefault(run.model, run)
    for (dataset, scenario), systems in groups.items():
        try:
            yield f"{dataset}, {scenario}", pick_cases(list(systems.values()))
        except InputError as error:  # A damaged folder does not end the report.
            yield f"{dataset}, {scenario}", Examples([], [str(error)])
