"""``mclas``: corpora, the demo, tables. Beside it stand ``mclas-train`` and ``mclas-evaluate``.

Modules are imported by the command that needs them: ``mclas --help`` and tables load no torch.
"""

import argparse
from pathlib import Path

from mclas_lightning.errors import InputError, exits_cleanly


@exits_cleanly
def main() -> None:
    """Console script ``mclas``."""
    arguments = _parser().parse_args()
    arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mclas",
        description="Cross-lingual summarization with MCLAS and its baselines.",
        epilog="Train with mclas-train, score again with mclas-evaluate; both take --help.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="build a corpus")
    corpora = data.add_subparsers(required=True, metavar="CORPUS")
    toy = corpora.add_parser("toy", help="short trilingual news (en, de, zh), generated")
    toy.add_argument("--out", type=Path, default=Path("data/toy"))
    toy.add_argument("--seed", type=int, default=0)
    toy.set_defaults(run=_data_toy)
    debian = corpora.add_parser(
        "debian", help="Debian's package descriptions and synopses, translated by people"
    )
    debian.add_argument("--out", type=Path, default=Path("data/debian"))
    debian.add_argument("--seed", type=int, default=0)
    debian.add_argument("--suites", nargs="+", help="releases to read (default: four of them)")
    debian.set_defaults(run=_data_debian)

    tokenizer = corpora.add_parser("tokenizer", help="word pieces for a corpus of your own")
    tokenizer.add_argument("folder", type=Path, help="holds train.jsonl, or folders that do")
    tokenizer.add_argument("--size", type=_positive, default=16000)
    tokenizer.add_argument("--lowercase", action="store_true")
    tokenizer.set_defaults(run=_data_tokenizer)

    demo = commands.add_parser("demo", help="pretrain, fine-tune three systems, compare them")
    demo.add_argument("--dataset", default="toy", help="a name in conf/dataset (default: toy)")
    demo.add_argument("words", nargs="*", help="further words for every mclas-train of it")
    demo.set_defaults(run=_demo)

    table = commands.add_parser("table", help="compare the runs that are finished")
    show = commands.add_parser("show", help="documents beside each system's summaries")
    for command in (table, show):
        command.add_argument("--runs", type=Path, default=Path("runs"))
        command.add_argument("--scenario")
    table.add_argument("--dataset")
    table.add_argument("--side", choices=("cross", "mono"), default="cross")
    table.add_argument("--markdown", action="store_true")
    table.set_defaults(run=_table)
    show.add_argument("--dataset", required=True)
    show.add_argument("--num", type=_positive, default=3)
    show.set_defaults(run=_show)
    return parser


def _data_toy(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora import build_toy

    build_toy(arguments.out, arguments.seed)


def _data_debian(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora import build_debian

    build_debian(arguments.out, arguments.seed, arguments.suites)


def _data_tokenizer(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora import build_tokenizer

    build_tokenizer(arguments.folder, arguments.size, arguments.lowercase)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, found '{text}'")
    return int(text)


def _demo(arguments: argparse.Namespace) -> None:
    from mclas_lightning.demo import demo

    demo(arguments.dataset, arguments.words)


def _table(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.report import table

    results = _finished_runs(arguments)
    if arguments.markdown:
        print(table.markdown(results, arguments.side))
    else:
        Console().print(table.comparison(results, arguments.side))


def _show(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.report.cases import cases

    Console().print(cases(_finished_runs(arguments), arguments.num))


def _finished_runs(arguments: argparse.Namespace) -> list:
    from mclas_lightning.report.results import find

    results = find(arguments.runs, arguments.dataset, arguments.scenario)
    if not results:
        place = arguments.runs / (arguments.dataset or "*") / (arguments.scenario or "*")
        raise InputError(f"{place}: no finished run here; mclas-train makes one")
    return results


if __name__ == "__main__":
    main()
