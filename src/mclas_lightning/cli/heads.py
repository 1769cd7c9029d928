"""``mclas heads RUN``: what the heads of a trained decoder do (section 6)."""

import argparse
from pathlib import Path

from mclas_lightning.cli.arguments import positive


def add_heads(commands: argparse._SubParsersAction) -> None:
    """Add ``heads``."""
    heads = commands.add_parser("heads", help="what each attention head of a trained decoder does")
    heads.add_argument("folder", type=Path, metavar="RUN", help="a trained run's folder")
    heads.add_argument("--num", type=positive, default=100, help="documents (100)")
    heads.add_argument(
        "--documents", type=Path, metavar="FILE", help="jsonl of examples (default: the test set)"
    )
    heads.add_argument(
        "--id", nargs="+", default=[], help="documents that are drawn (default: the first)"
    )
    heads.add_argument(
        "--ablate", action="store_true",
        help="silence each head in turn, by zero and by its mean, and measure loss and ROUGE",
    )  # fmt: skip
    heads.add_argument(
        "--beside", type=Path, metavar="OTHER", help="an analyzed run, such as of another seed"
    )
    heads.add_argument("--out", type=Path, metavar="DIR", help="for heads.json (default: RUN)")
    heads.add_argument(
        "--page", type=Path, metavar="FILE", help="an interactive page of the heads, as HTML"
    )
    heads.set_defaults(run=_heads)


def _heads(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.files import whole_file
    from mclas_lightning.heads.analysis import analyze
    from mclas_lightning.heads.config import heads_config
    from mclas_lightning.report.heads_agreement import agreement_sheet
    from mclas_lightning.report.heads_page import heads_page
    from mclas_lightning.report.heads_table import heads_sheets
    from mclas_lightning.report.render import terminal
    from mclas_lightning.runs.heads import HeadsResults
    from mclas_lightning.runs.run import Run

    other = HeadsResults.read(arguments.beside) if arguments.beside else None
    found = analyze(
        Run(arguments.folder), heads_config(), num=arguments.num, documents=arguments.documents,
        ids=arguments.id, out=arguments.out, ablation=arguments.ablate,
    )  # fmt: skip
    sheets = heads_sheets(found)
    if other is not None:
        sheets.append(agreement_sheet(found, other))
    terminal.show(Console(), sheets)
    folder = arguments.out or arguments.folder
    print(f"written: {folder / 'heads.json'}")
    if arguments.page:
        with whole_file(arguments.page) as file:
            file.write(heads_page(folder))
        print(f"written: {arguments.page}")
