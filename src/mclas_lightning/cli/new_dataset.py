"""``mclas new-dataset``: files of one's own become a dataset that every command knows."""

import argparse
from pathlib import Path

from mclas_lightning.cli.arguments import seed


def add_new_dataset(commands: argparse._SubParsersAction) -> None:
    """Add ``new-dataset``."""
    command = commands.add_parser(
        "new-dataset", help="a dataset of your own: its corpus in data/, its file in conf/dataset/",
        epilog="Files: jsonl; CSV or TSV with names in the first row; Arrow or parquet, also a "
        "saved Hugging Face dataset; or parallel files of a text a line, whose names end in "
        ".source, .target.ms and .target.cls, or as --fields says. Names of files, or of their "
        "folders, tell train, valid and test; where none does, a split is made.",
    )  # fmt: skip
    command.add_argument("name", metavar="NAME", help="of the dataset: letters, digits, - and _")
    command.add_argument("words", nargs="+", metavar="FILE", help="files, or folders with them")
    command.add_argument(
        "--source", required=True, help="language of documents and mono summaries (ISO 639-1)"
    )
    command.add_argument("--target", required=True, help="language of cross summaries")
    command.add_argument(
        "--fields", default="", metavar="FIELD=NAME,...",
        help="what id, document, mono and cross are called: document=dialogue,cross=summary.uk",
    )  # fmt: skip
    command.add_argument(
        "--tokenizer", help="a folder, or a name on a hub (default: one is trained)"
    )
    command.add_argument(
        "--clean", action="store_true",
        help="leave out repeated documents, and what training shares with valid and test",
    )  # fmt: skip
    command.add_argument("--seed", type=seed, default=0, help="of a split that is made (0)")
    command.set_defaults(run=_new_dataset)


def _new_dataset(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from mclas_lightning.corpora.own.build import NewDataset, new_dataset, next_commands
    from mclas_lightning.corpora.own.records import fields_named

    made = new_dataset(
        NewDataset(
            name=arguments.name,
            source=arguments.source,
            target=arguments.target,
            paths=[Path(word) for word in arguments.words],
            fields=fields_named(arguments.fields),
            tokenizer=arguments.tokenizer,
            clean=arguments.clean,
            seed=arguments.seed,
        )
    )
    Console().print(made.report)
    print(*made.said, sep="\n")
    chosen, sizes = made.proposal, made.proposal.sizes
    print(
        f"{made.file}: network={chosen.network}, optim={chosen.optim}, "
        f"decoding={chosen.decoding}; scenarios of {sizes['minimum']:,}, {sizes['medium']:,} and "
        f"{sizes['maximum']:,} examples, and full"
    )
    print("next:", *next_commands(made), sep="\n  ")
