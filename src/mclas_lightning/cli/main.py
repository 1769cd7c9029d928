"""``mclas``: all commands but ``mclas-train`` and ``mclas-evaluate``.

Modules are imported by the command that needs them: ``mclas --help`` and tables load no torch.
"""

import sys

if __name__ == "__main__":  # Ctrl-C is heard during the imports below, too.
    from mclas_lightning.errors import run_main
    from mclas_lightning.progress import bound_libraries

    bound_libraries()
    sys.exit(run_main("mclas_lightning.cli.main"))

import argparse
import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from mclas_lightning import __version__
from mclas_lightning.cli import (
    app,
    data,
    doctor,
    export,
    heads,
    human,
    new_dataset,
    outputs,
    report,
    score,
    summarize,
    sweep,
    verify,
    wandb,
)
from mclas_lightning.errors import InputError, exits_cleanly
from mclas_lightning.runs.preemption import TERMINATED


@exits_cleanly
def main() -> None:
    """The console script ``mclas``."""
    if "_ARGCOMPLETE" in os.environ:  # A shell asks what may follow the words typed so far.
        import argcomplete

        argcomplete.autocomplete(parser())
    arguments = parsed(sys.argv[1:])
    # An exception on the way out lets a command remove what it has half written.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        arguments.run(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)


def parsed(words: list[str]) -> argparse.Namespace:
    """The arguments in ``words``. Files and words of Hydra's may stand before and after options."""
    arguments, later = parser().parse_known_args(words)
    # argparse takes a list of positional arguments from one place; those after options are left.
    if later and (
        not hasattr(arguments, "words") or any(w.startswith("-") and w != "-" for w in later)
    ):
        OneLineParser(prog=arguments.prog).error(f"unrecognized arguments: {' '.join(later)}")
    if later:
        arguments.words += later
    return arguments


class OneLineParser(argparse.ArgumentParser):
    """A parser, and those of its commands, whose errors are one line; argparse prints its usage."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What argparse returns, with the name of the innermost command as ``prog``."""
        found, later = super().parse_known_args(args, namespace)
        found.prog = getattr(found, "prog", self.prog)
        return found, later

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the parser of each command sets ``run`` to its function."""
    parser = OneLineParser(
        prog="mclas",
        description="Cross-lingual summarization with MCLAS and its baselines.",
        epilog="Train with mclas-train, score again with mclas-evaluate; both take --help.",
    )
    parser.add_argument("--version", action="version", version=f"mclas-lightning {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data.add_commands(_group(commands, "data", "get, check and build corpora"))
    human.add_commands(_group(commands, "human", "human evaluation: sheets and their scores"))
    sweep.add_commands(_group(commands, "sweep", "many runs with one command"))
    wandb.add_commands(_group(commands, "wandb", "upload offline runs to W&B, compare runs there"))

    demo = commands.add_parser("demo", help="pretrain, fine-tune three systems, compare them")
    demo.add_argument(
        "--dataset", default="brief", help="a name in conf/dataset (default: %(default)s)"
    )
    demo.add_argument("words", nargs="*", help="further words for every mclas-train of it")
    demo.set_defaults(run=_demo)

    released = commands.add_parser(
        "import-checkpoint", help="a checkpoint of the authors' released code becomes a run"
    )
    released.add_argument("file", type=Path, metavar="FILE.pt", help="such as model_step_10000.pt")
    released.add_argument("out", type=Path, metavar="OUT", help="the run's folder, a new one")
    released.add_argument(
        "words", nargs="*", help="what it is, as for mclas-train: dataset=en2desum model=mclas ..."
    )
    released.set_defaults(run=_import_checkpoint)

    doctor.add_doctor(commands)
    new_dataset.add_new_dataset(commands)
    summarize.add_summarize(commands)
    app.add_app(commands)
    export.add_export(commands)
    heads.add_heads(commands)
    score.add_score(commands)
    score.add_rescore(commands)
    verify.add_verify(commands)
    outputs.add_import_outputs(commands)
    report.add_commands(commands)
    return parser


def _group(commands: Any, name: str, help: str) -> Any:
    """The subparsers of ``mclas <name>``."""
    group = commands.add_parser(name, help=help)
    return group.add_subparsers(required=True, metavar="COMMAND")


def _demo(arguments: argparse.Namespace) -> None:
    from mclas_lightning.cli.demo import demo

    demo(arguments.dataset, arguments.words)


def _import_checkpoint(arguments: argparse.Namespace) -> None:
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.overrides import command, override, quoted, uninterpolated
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.convert.released_run import import_checkpoint
    from mclas_lightning.task import Task

    run_dir = override("run_dir", uninterpolated(str(arguments.out)))
    words = [*map(quoted, arguments.words), run_dir]
    system = read_settings(compose("train", words))[0].system
    if not isinstance(system, Task) or system.source != "document":
        raise InputError(f"model '{system.name}' is none that the released code trains")
    # The released code writes a second [BOS] after [LSEP]; a target of one summary has no [LSEP].
    words = ["model.bos_after_lsep=true", *words]
    settings, config = read_settings(compose("train", words))
    network, tokenizer, vocabulary = import_checkpoint(arguments.file, settings, config)
    print(
        f"{arguments.out}: {settings.task.name} with {network.encoder['num_hidden_layers']} and "
        f"{network.decoder.layers} layers, {len(tokenizer):,} word pieces"
    )
    for side, ids in vocabulary.items():
        print(f"  {side} summaries may be written with {len(ids):,} of them")
    print(f"score it with: {command('mclas-evaluate', [str(arguments.out), 'decoding=released'])}")
    if settings.task.sides == ("mono",):
        init_from = override("init_from", uninterpolated(str(arguments.out)))
        print(f"start others from it with: {command('mclas-train ...', [init_from])}")
