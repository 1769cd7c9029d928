"""``mclas rescore``, and the options that name encoders which score."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mclas_lightning.cli_data import positive
from mclas_lightning.errors import InputError

SOME, NOTHING = 1, 2  # exit codes: of the runs some were skipped, or all

if TYPE_CHECKING:
    from mclas_lightning.metrics.neural import NeuralScores


def add_command(commands: argparse._SubParsersAction) -> None:
    """``rescore`` and its words."""
    again = commands.add_parser(
        "rescore", help="score finished runs again from their predictions, with BERTScore, too"
    )
    again.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a run's folder, or one with several"
    )
    add_options(again)
    again.set_defaults(run=_rescore)


def add_options(command: argparse.ArgumentParser) -> None:
    """What ``load`` reads."""
    command.add_argument(
        "--bertscore", metavar="MODEL", help="an encoder's name on a hub, or its folder"
    )
    command.add_argument(
        "--layer", type=positive, help="of that encoder (bert-score's, else three quarters of all)"
    )
    command.add_argument(
        "--rescale", action="store_true", help="BERTScore with bert-score's baseline"
    )
    command.add_argument(
        "--similarity", metavar="FOLDER", help="an e5 encoder: summaries against documents"
    )


def load(arguments: argparse.Namespace) -> "NeuralScores | None":
    """The encoders that were named, on a GPU where there is one; None, and no torch, for none."""
    if not any((arguments.bertscore, arguments.layer, arguments.rescale, arguments.similarity)):
        return None
    from mclas_lightning.metrics.neural import NeuralScores, ScoringConfig
    from mclas_lightning.ranks import device_of

    config = ScoringConfig(
        bertscore=arguments.bertscore,
        layer=arguments.layer,
        rescale=arguments.rescale,
        similarity=arguments.similarity,
    )
    return NeuralScores.load(config, device_of("auto", 1))


def _rescore(arguments: argparse.Namespace) -> None:
    from mclas_lightning.metrics.neural import NeuralScores
    from mclas_lightning.report.results import Results, headline
    from mclas_lightning.rescoring import lost, rescore, runs_in

    runs = runs_in(arguments.runs)
    neural = load(arguments) or NeuralScores(bertscore=None, similarity=None)
    skipped = 0
    for run in runs:
        try:
            old = Results.read(run / "results.json")
            new = rescore(run, neural)
        except InputError as error:
            if len(runs) == 1:
                raise
            skipped += 1
            print(f"{run}\n  skipped: {error}", file=sys.stderr)
            continue
        print(f"{run}\n  {headline(new)}")
        if gone := lost(old, new):
            print(f"  could not be counted again, and is gone: {', '.join(gone)}")
    if skipped:
        print(f"{skipped} of {len(runs)} runs were skipped, see above", file=sys.stderr)
        sys.exit(NOTHING if skipped == len(runs) else SOME)
