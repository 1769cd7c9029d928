"""``mclas verify``: whether the results of runs are what their files give."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mclas_lightning.cli.arguments import positive

if TYPE_CHECKING:
    from mclas_lightning.verification.verify import Verification

MISMATCH = 1  # exit code

DEEP = 16  # documents that --deep decodes without a number


def add_verify(commands: argparse._SubParsersAction) -> None:
    """Add ``verify``."""
    check = commands.add_parser(
        "verify", help="recompute scores and hashes of finished runs; exit 1 where one differs"
    )
    check.add_argument(
        "words", nargs="+", metavar="RUN", help="a run's folder, or one with several"
    )
    check.add_argument(
        "--deep", nargs="?", type=positive, const=DEEP, metavar="NUM",
        help=f"decode a sample of documents again ({DEEP})",
    )  # fmt: skip
    check.add_argument("--json", action="store_true", help="all findings, as JSON")
    check.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> None:
    from mclas_lightning.runs.run import finished_folders
    from mclas_lightning.verification.verify import verify_all

    found = verify_all(finished_folders([Path(word) for word in arguments.words]))
    if arguments.deep:
        from mclas_lightning.evaluation.again import decode_again

        found = [one.plus(decode_again(one.folder, arguments.deep)) for one in found]
    if arguments.json:
        print(json.dumps([one.record() for one in found], indent=2))
    else:
        print("\n".join(line for one in found for line in _lines(one)))
    if wrong := sum(not one.matches for one in found):
        print(f"{wrong} of {len(found)} results do not match their files", file=sys.stderr)
        sys.exit(MISMATCH)


def _lines(found: "Verification") -> list[str]:
    """The findings on one run, for people."""
    return [
        f"{found.folder}",
        *(f"  DOES NOT MATCH  {one.topic}: {one.said}" for one in found.of("mismatch")),
        *(f"  not checked     {one.topic}: {one.said}" for one in found.of("unchecked")),
        f"  matches         {', '.join(found.topics) or 'nothing'}",
    ]
