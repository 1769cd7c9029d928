"""``mclas data fetch``, ``mclas data import`` and ``mclas data check``.

Modules are imported by the command that needs them.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mclas_lightning.corpora.readers.formats import FORMATS

PROBLEMS_EXIT = 1  # exit code of a check that found problems


def add_commands(commands: Any) -> None:
    """Add the three commands to the subparsers of ``mclas data``."""
    _add_fetch(commands)
    _add_import(commands)
    _add_check(commands)


def _add_fetch(commands: Any) -> None:
    fetch = commands.add_parser("fetch", help="download an open corpus from a Hugging Face hub")
    fetch.add_argument(
        "corpus", help="crosssum, xlsum, wikilingua, xwikis or xscitldr; of others, how to get them"
    )
    add_languages(fetch)
    fetch.add_argument("--out", type=Path, help="folder to write (default: data/raw/CORPUS)")
    fetch.set_defaults(run=_fetch)


def _add_import(commands: Any) -> None:
    importing = commands.add_parser(
        "import", help="the paper's corpora, or your own, as they are downloaded",
        formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_formats(),
    )  # fmt: skip
    importing.add_argument("format", metavar="FORMAT", help="one of the formats below")
    importing.add_argument(
        "words", nargs="+", metavar="FILE", help="its files, or folders with them"
    )
    importing.add_argument(
        "--out", type=Path, required=True, help="a new folder, or an earlier import"
    )
    add_languages(importing)
    importing.add_argument(
        "--tokenizer",
        help="of released shards that hold ids without texts, or other ids than mBERT's",
    )
    importing.add_argument(
        "--mono", "--xlsum", "--scitldr", nargs="+", type=Path, default=[], metavar="FILE",
        help="the documents' own summaries, of crosssum, xscitldr or wikilingua",
    )  # fmt: skip
    importing.add_argument(
        "--triples", action="store_true",
        help="leave out documents without a mono summary, which only ncls can learn from",
    )  # fmt: skip
    importing.add_argument(
        "--apart", nargs="*", type=Path, metavar="CORPUS",
        help="leave out of train and valid what is nearly held-out, here or in these",
    )  # fmt: skip
    importing.set_defaults(run=_import)


def _add_check(commands: Any) -> None:
    check = commands.add_parser("check", help="is a corpus whole, and what it should be?")
    check.add_argument("corpus", type=Path, help="holds train, valid and test.jsonl")
    check.add_argument("--dataset", help="a name in conf/dataset (default: what fits the folder)")
    add_languages(check)
    check.add_argument(
        "--others", nargs="+", type=Path, default=[], metavar="CORPUS",
        help="is a document of this corpus nearly one of valid or test of these?",
    )  # fmt: skip
    check.add_argument("--json", action="store_true", help="the findings, as JSON")
    check.set_defaults(run=_check)


def _fetch(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora.fetch import fetch

    out = arguments.out or Path("data", "raw", arguments.corpus)
    for line in fetch(arguments.corpus, arguments.source, arguments.target, out):
        print(line, flush=True)


def _formats() -> str:
    names = ((name, f"{format.help}: {format.names}") for name, format in FORMATS.items())
    return "formats:\n" + "\n".join(f"  {name:<16} {text}" for name, text in names)


def _import(arguments: argparse.Namespace) -> None:
    from mclas_lightning.corpora.importing import describe_import, import_corpus

    manifest = import_corpus(
        arguments.format,
        [Path(word) for word in arguments.words],
        arguments.out,
        source=arguments.source,
        target=arguments.target,
        tokenizer=arguments.tokenizer,
        others=arguments.apart,
        mono=arguments.mono,
        triples_only=arguments.triples,
    )
    print("\n".join(describe_import(arguments.out, manifest)))


def _check(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.corpora.check import check_corpus

    report = check_corpus(
        arguments.corpus, arguments.dataset, arguments.source, arguments.target, arguments.others
    )
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in report.findings], indent=2))
    else:
        Console().print(report)
    if not report.ok:
        sys.exit(PROBLEMS_EXIT)


def add_languages(command: argparse.ArgumentParser) -> None:
    """Add the options for the languages of a corpus."""
    command.add_argument("--source", help="language of documents and mono summaries (ISO 639-1)")
    command.add_argument("--target", help="language of cross summaries")
