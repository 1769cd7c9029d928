"""``mclas human``: sheets for annotators, and their scores.

Modules are imported by the command that needs them.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mclas_lightning.cli.arguments import positive, seed
from mclas_lightning.config.overrides import command, runs_option
from mclas_lightning.errors import InputError

if TYPE_CHECKING:
    from mclas_lightning.human.results import HumanResults

MISTAKES_EXIT = 1  # exit code of ``mclas human status`` where a file that came back has a mistake

FOLDER: dict[str, Any] = {
    "type": Path, "metavar": "FOLDER", "help": "what `mclas human sheet` made",
}  # fmt: skip


def add_commands(commands: Any) -> None:
    """Add every command of ``mclas human`` to these subparsers."""
    sheet = commands.add_parser("sheet", help="sheets with anonymous summaries, one an annotator")
    sheet.add_argument("--dataset", required=True, help="of the runs")
    sheet.add_argument("--scenario", required=True, help="of the runs")
    sheet.add_argument("--models", default="ncls,ncls_ms,mclas", help="A,B,... (%(default)s)")
    sheet.add_argument("--num", type=positive, default=20, help="documents (default: %(default)s)")
    sheet.add_argument("--seed", type=seed, default=0, help="of sample and order (default: 0)")
    sheet.add_argument("--annotators", type=positive, default=7, help="(default: %(default)s)")
    sheet.add_argument("--runs", type=Path, default=Path("runs"), help="(default: %(default)s)")
    sheet.add_argument("--out", type=Path, required=True, help="a new folder")
    sheet.set_defaults(run=_sheet)

    page = commands.add_parser("page", help="pages to judge in, one HTML file an annotator")
    page.add_argument("folder", **FOLDER)
    page.set_defaults(run=_page)

    demo = commands.add_parser("demo", help="pages and scores of simulated annotators")
    demo.add_argument("--dataset", default="brief_en2de", help="(default: %(default)s)")
    demo.add_argument("--num", type=positive, default=20, help="documents (default: %(default)s)")
    demo.add_argument("--runs", type=Path, default=Path("runs/demo"), help="(default: %(default)s)")
    demo.add_argument(
        "--out", type=Path, default=Path("build/demo-human"), help="(default: %(default)s)"
    )
    demo.set_defaults(run=_demo)

    export = commands.add_parser("export", help="tasks for Label Studio or Potato")
    export.add_argument("folder", **FOLDER)
    export.add_argument(
        "--to", choices=["label-studio", "potato"], required=True, help="the program"
    )
    export.set_defaults(run=_export)

    imported = commands.add_parser("import", help="answers that were given there")
    imported.add_argument("folder", **FOLDER)
    imported.add_argument(
        "answers", type=Path, metavar="ANSWERS",
        help="Label Studio's JSON export, or Potato's annotation_output",
    )  # fmt: skip
    imported.set_defaults(run=_import)

    status = commands.add_parser("status", help="who has returned what, and what is wrong in it")
    status.add_argument("folder", **FOLDER)
    status.add_argument("--json", action="store_true", help="the same, as JSON")
    status.set_defaults(run=_status)

    plan = commands.add_parser("plan", help="documents and annotators that show a difference")
    plan.add_argument(
        "--effect", type=float, required=True, help="difference of two preferences, such as 0.2"
    )
    plan.set_defaults(run=_plan)

    score = commands.add_parser("score", help="best-worst scaling and agreement of filled sheets")
    score.add_argument("folder", **FOLDER)
    score.add_argument("--runs", type=Path, default=Path("runs"), help="(default: %(default)s)")
    score.add_argument(
        "--out", type=Path, help="(default: human.json in RUNS/<dataset>/<scenario>)"
    )
    score.set_defaults(run=_score)


def _sheet(arguments: argparse.Namespace) -> None:
    from mclas_lightning.human.results import counted_documents
    from mclas_lightning.human.sheet import first_runs, write_sheets
    from mclas_lightning.report.finished_runs import Runs

    models = [model.strip() for model in arguments.models.split(",")]
    dataset, *others = Runs(arguments.runs).datasets([arguments.dataset])
    if others:
        raise InputError(
            f"--dataset {arguments.dataset}: expected one direction; name one of "
            f"{', '.join([dataset, *others])}"
        )
    runs = first_runs(arguments.runs, dataset, arguments.scenario, models)
    if arguments.annotators < 2:
        raise InputError("--annotators: expected 2 or more, for there to be agreement")
    key = write_sheets(runs, arguments.out, arguments.num, arguments.seed, arguments.annotators)
    seeds = ", ".join(f"{run.model} seed={run.seed}" for run in runs)
    score = [str(arguments.out), *runs_option(arguments.runs)]
    print(
        f"{arguments.out}: {arguments.annotators} sheets of {counted_documents(arguments.num)}, "
        f"{len(key.systems)} summaries each ({seeds}, gold)\n"
        "give each annotator one sheet and instructions.txt, and keep key.json and texts.json\n"
        f"or make pages to judge in: {command('mclas human page', [str(arguments.out)])}\n"
        f"score what comes back with: {command('mclas human score', score)}"
    )


def _page(arguments: argparse.Namespace) -> None:
    from mclas_lightning.human.page import write_pages

    pages = write_pages(arguments.folder)
    print(
        f"{pages[0].parent}: {len(pages)} pages, one an annotator; each opens in any browser\n"
        f"put the files that come back, annotator<n>-answers.csv, into {arguments.folder}\n"
        f"who has returned what: {command('mclas human status', [str(arguments.folder)])}"
    )


def _demo(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.human.drawing import draw_results
    from mclas_lightning.human.sheet import first_runs
    from mclas_lightning.human.simulated import simulate_evaluation
    from mclas_lightning.report.layout import COMPARED_MODELS

    runs = first_runs(arguments.runs, arguments.dataset, "minimum", COMPARED_MODELS)
    results = simulate_evaluation(runs, arguments.out, arguments.num)
    Console().print(draw_results(results))
    words = ["--dataset", arguments.dataset, *runs_option(arguments.out / "runs")]
    print(
        "Every annotator here is SIMULATED: these numbers say nothing about the systems.\n"
        f"A page to try, as an annotator sees it: {arguments.out}/pages/annotator1.html\n"
        f"Tables 3 and 4: {command('mclas table', ['3', *words])}\n"
        f"                {command('mclas table', ['4', *words])}"
    )


def _export(arguments: argparse.Namespace) -> None:
    from mclas_lightning.human.exchange import write_tasks

    out = write_tasks(arguments.folder, arguments.to)
    place = [str(arguments.folder), "ANSWERS"]
    print(
        f"{out}: a project for each annotator\n"
        f"bring their answers back with: {command('mclas human import', place)}"
    )


def _import(arguments: argparse.Namespace) -> None:
    from mclas_lightning.human.exchange import import_answers

    for path in import_answers(arguments.folder, arguments.answers):
        print(path)
    place = [str(arguments.folder)]
    print(f"who has returned what: {command('mclas human status', place)}")


def _status(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.human.status import draw_status, folder_status, status_lines

    found = folder_status(arguments.folder)
    if arguments.json:
        annotators = [{**one._asdict(), "state": one.state} for one in found.annotators]
        print(json.dumps({"annotators": annotators, "strange": found.strange}, indent=2))
    else:
        Console().print(draw_status(found))
        print(*status_lines(found), sep="\n")
    if found.has_mistakes:
        sys.exit(MISTAKES_EXIT)


def _plan(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.human.plan import draw_plan, plan

    Console().print(draw_plan(plan(arguments.effect)))


def _score(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.human.drawing import draw_results
    from mclas_lightning.human.results import human_results_path
    from mclas_lightning.human.score import score_filled_sheets

    results = score_filled_sheets(arguments.folder)
    out = arguments.out or human_results_path(arguments.runs, results.dataset, results.scenario)
    if not arguments.out and not out.parent.is_dir():
        raise InputError(
            f"{out.parent}: no such folder, and it would hold the runs that were judged; give the "
            "folder of all runs with --runs, or a file for the scores with --out"
        )
    earlier = _earlier(out)
    results.write(out)
    Console().print(draw_results(results))
    judged = ("key_sha256", "sheets_sha256")
    if earlier and any(earlier.provenance.get(k) != results.provenance[k] for k in judged):
        print(f"{out}: held the scores of other judgements, which these replace")
    print(out)


def _earlier(out: Path) -> "HumanResults | None":
    """The scores of an earlier call in ``out``; InputError where it is something else."""
    from mclas_lightning.human.results import HumanResults

    try:
        if not out.exists():
            return None
        return HumanResults.read(out)
    except InputError:
        raise InputError(
            f"{out}: is there and holds no scores of `mclas human score`, so it is not replaced; "
            f"give another file with --out"
        ) from None
