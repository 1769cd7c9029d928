"""The commands that show results: tables, Figure 3, examples, the report. None loads torch."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mclas_lightning.cli.arguments import positive
from mclas_lightning.errors import InputError

if TYPE_CHECKING:
    from mclas_lightning.report.finished_runs import FoundResults
    from mclas_lightning.report.sheet import Sheet
    from mclas_lightning.report.tables import TableRequest

TABLE_FORMATS = ("terminal", "markdown", "md", "latex", "tex", "csv")

DATA = Path("data")

PROFILES = ("standard", "folded", "paper")


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``table``, ``figure``, ``report`` and ``show``."""
    table = commands.add_parser("table", help="a table of the paper, or the finished runs compared")
    table.add_argument(
        "number", nargs="?", type=int, choices=range(1, 8), metavar="{1..7}",
        help="a table of the paper; without it, all finished runs beside each other",
    )  # fmt: skip
    table.add_argument("--format", choices=TABLE_FORMATS, default="terminal", help="of the output")
    table.add_argument("--data", type=Path, default=DATA, help="where corpora lie (Table 1)")
    table.add_argument("--scenario", help="without a number: of this scenario alone")
    table.add_argument(
        "--side",
        choices=("cross", "mono"),
        help="without a number: which summaries (default: cross)",
    )
    table.set_defaults(run=_table)

    figure = _add_figure(commands)
    report = commands.add_parser("report", help="all tables, Figure 3, examples and runs as HTML")
    report.add_argument("--out", type=Path, default=Path("report.html"), help="HTML file to write")
    report.add_argument("--files", type=Path, help="a folder for each table as .md, .tex and .csv")
    report.add_argument("--data", type=Path, default=DATA, help="where corpora lie (Table 1)")
    report.set_defaults(run=_report)

    for command in (table, figure, report):
        command.add_argument(
            "--dataset", nargs="+", default=[],
            help="names in conf/dataset or of runs' folders (default: the paper's)",
        )  # fmt: skip
        command.add_argument("--profile", choices=PROFILES, default="standard", help="of ROUGE")
        command.add_argument("--strict", action="store_true", help="exit 1 where a cell is missing")

    show = commands.add_parser("show", help="documents beside each system's summaries")
    show.add_argument("--dataset", required=True, help="of the runs")
    show.add_argument("--scenario", help="of the runs (default: all)")
    show.add_argument("--num", type=positive, default=3, help="documents to show (3)")
    show.add_argument(
        "--id", nargs="+", default=[], help="these documents (default: --num of them)"
    )
    show.set_defaults(run=_show)
    for command in (table, figure, report, show):
        command.add_argument(
            "--runs", type=Path, default=Path("runs"), help="folder of all runs (runs)"
        )


def _add_figure(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    figure = commands.add_parser(
        "figure", help="Figure 3: initialization from MS; 5, 6, 9, 10: attention heads of a run"
    )
    figure.add_argument(
        "number", type=int, choices=(3, 5, 6, 9, 10), metavar="{3,5,6,9,10}", help="the paper's"
    )
    figure.add_argument("--out", type=Path, help=".svg, .png or .pdf (default: figure<number>.svg)")
    figure.add_argument("--run", type=Path, dest="of_run", metavar="RUN", help="of 5, 6, 9, 10")
    figure.add_argument("--id", help="of 5, 6, 9, 10: the document (default: the first)")
    figure.add_argument(
        "--head", nargs="+", default=[], metavar="L.H",
        help="of 5 and 6: these heads (default: the strongest of each kind)",
    )  # fmt: skip
    figure.set_defaults(run=_figure)
    return figure


def _leave_out(arguments: argparse.Namespace, what: str, *options: str) -> None:
    """InputError where one of these options was given, which ``what`` would pass over."""
    for option in options:
        if getattr(arguments, option) not in (None, [], False, DATA, PROFILES[0]):
            shown = f"--{option.removeprefix('of_')}"
            raise InputError(f"{shown}: is no option of {what}; leave it out")


def _table(arguments: argparse.Namespace) -> None:
    number = arguments.number
    if number is not None:
        _leave_out(arguments, f"table {number}, but of mclas table alone", "scenario", "side")
    if number == 1:
        _leave_out(arguments, "table 1, which is of the paper's corpora", "dataset")
    else:
        _leave_out(arguments, "any table but table 1", "data")
    if number in (1, 3, 4):
        _leave_out(arguments, f"table {number}, which has no ROUGE", "profile")
    if number is None:
        from mclas_lightning.report.comparison import comparison_sheets

        results, aside = _finished_runs(arguments)
        sheets = comparison_sheets(results, arguments.side or "cross", arguments.profile, aside)
    else:
        from mclas_lightning.report.tables import paper_table

        sheets = paper_table(number, _request(arguments))
    _print(sheets, arguments.format)
    _exit_strictly(sheets, arguments)


def _figure(arguments: argparse.Namespace) -> None:
    out = arguments.out or Path(f"figure{arguments.number}.svg")
    if arguments.number != 3:
        what = f"figure {arguments.number}, which is of one run"
        _leave_out(arguments, what, "dataset", "profile", "strict")
        _draw_heads(arguments, out)
        return
    _leave_out(arguments, "figure 3, which is of all runs", "of_run", "id", "head")
    from mclas_lightning.report import figure3

    request = _request(arguments)
    grids = figure3.grids(request.datasets, request.runs, request.profile)
    figure3.save(out, grids)
    sheets = figure3.sheets(grids, request.runs)
    _print(sheets, "terminal")
    print(f"drawn: {out}")
    _exit_strictly(sheets, arguments)


def _draw_heads(arguments: argparse.Namespace, out: Path) -> None:
    from mclas_lightning.report import head_maps
    from mclas_lightning.report.fonts import lacks_font
    from mclas_lightning.runs.heads import HeadsResults

    number, folder = arguments.number, arguments.of_run
    if folder is None:
        raise InputError(f"figure {number}: give a run that was analyzed, --run RUN")
    found = HeadsResults.read(folder)
    shown = found.maps(folder, arguments.id)
    named = [head_maps.head_named(text) for text in arguments.head]
    drawn = head_maps.panels(number, found, shown, named)
    head_maps.save_maps(out, number, drawn, head_maps.lsep_place(shown.of))
    if lacks_font(head_maps.drawn_words(number, drawn)):
        print("no font here has some of the letters, which are boxes: install one, such as Noto's")
    print(f"drawn: {out}, document {shown.of['id']}")


def _report(arguments: argparse.Namespace) -> None:
    from mclas_lightning.files import make_folder, whole_file
    from mclas_lightning.report import page

    request = _request(arguments)
    if arguments.files:
        make_folder(arguments.files)  # Before the report is written, not after it.
    found = page.full_report(request)
    with whole_file(arguments.out) as file:
        file.write(page.page_html(found, arguments.runs, f"{arguments.out.stem}-pages"))
    print(f"written: {arguments.out}")
    for part in found.parts:
        for name, text in part.pages.items():
            beside = arguments.out.with_name(f"{arguments.out.stem}-pages") / name
            with whole_file(beside) as file:
                file.write(text)
            print(f"written: {beside}")
    for note in page.notes_on_files(found):
        print(note, file=sys.stderr)
    if arguments.files:
        _write_files(found.parts, arguments.files)
    _exit_strictly([sheet for part in found.parts for sheet in part.sheets], arguments)


def _write_files(parts: Sequence, folder: Path) -> None:
    from mclas_lightning.files import whole_file
    from mclas_lightning.report.render import FILE_ENDINGS, sheets_as_text

    for part in parts:
        for form, ending in FILE_ENDINGS.items():
            path = folder / f"{part.name.lower().replace(' ', '')}.{ending}"
            with whole_file(path) as file:
                file.write(sheets_as_text(part.sheets, form))
            print(f"written: {path}")


def _show(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.report.cases import pick_cases
    from mclas_lightning.report.finished_runs import aside_in_words, with_own_predictions
    from mclas_lightning.report.render.cases import draw_cases

    found, aside = _finished_runs(arguments)
    runs = with_own_predictions(found, aside) or found
    Console().print(draw_cases(pick_cases(runs, arguments.num, ids=arguments.id)))
    if aside:
        print(aside_in_words(aside))


def _request(arguments: argparse.Namespace) -> "TableRequest":
    from mclas_lightning.report.finished_runs import Runs
    from mclas_lightning.report.tables import TableRequest

    runs = Runs(arguments.runs)
    datasets = runs.datasets(arguments.dataset)
    return TableRequest(runs, datasets, arguments.profile, getattr(arguments, "data", DATA))


def _finished_runs(arguments: argparse.Namespace) -> "FoundResults":
    from mclas_lightning.report.finished_runs import FoundResults, Runs, aside_in_words

    runs, asked = Runs(arguments.runs), arguments.dataset
    names = runs.datasets([asked] if isinstance(asked, str) else asked)
    found = [runs.found(name, arguments.scenario) for name in names or runs.names]
    results = [run for part in found for run in part.results]
    aside = [one for part in found for one in part.aside]
    if not results:
        place = arguments.runs / (names[0] if names else "*") / (arguments.scenario or "*")
        more = f". {aside_in_words(aside)}" if aside else ""
        raise InputError(f"{place}: no finished run here; mclas-train makes one{more}")
    return FoundResults(results, aside)


def _print(sheets: "Sequence[Sheet]", form: str) -> None:
    from mclas_lightning.report.render import sheets_as_text

    if form != "terminal":
        print(sheets_as_text(sheets, form), end="")
        return
    from rich.console import Console

    from mclas_lightning.report.render import terminal

    terminal.show(Console(), sheets)


def _exit_strictly(sheets: "Sequence[Sheet]", arguments: argparse.Namespace) -> None:
    missing = sum(sheet.missing for sheet in sheets)
    if arguments.strict and missing:
        print(f"{missing} cells are missing", file=sys.stderr)
        sys.exit(1)
