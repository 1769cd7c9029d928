"""``mclas import-outputs``: an outside system's summaries enter the tables."""

import argparse
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side


def add_import_outputs(commands: argparse._SubParsersAction) -> None:
    """Add ``import-outputs``."""
    command = commands.add_parser(
        "import-outputs",
        help="score any system's outputs on a corpus, as a row of its tables",
        epilog="A file has a summary a line, in the order of test.jsonl, or is jsonl of "
        '{"id": ..., "text": ...}.',
    )
    command.add_argument(
        "words", nargs="*", metavar="FILE|WORD",
        help="its cross summaries (S^B); words for mclas-train, such as scenario=minimum seed=1",
    )  # fmt: skip
    command.add_argument("--mono", type=Path, metavar="FILE", help="its mono summaries (S^A)")
    command.add_argument("--model", required=True, metavar="NAME", help="the system, in tables")
    command.add_argument("--dataset", required=True, help="a name in conf/dataset")
    command.set_defaults(run=_import_outputs)


def _import_outputs(arguments: argparse.Namespace) -> None:
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.overrides import override
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.evaluation.outputs import import_outputs
    from mclas_lightning.runs.suspicion import with_suspicions

    words = [word for word in arguments.words if "=" in word and not Path(word).exists()]
    cross = [Path(word) for word in arguments.words if word not in words]
    if len(cross) > 1 or not (cross or arguments.mono):
        raise InputError("import-outputs: expected one FILE of cross summaries, or --mono FILE")
    given: dict[Side, Path | None] = {"cross": next(iter(cross), None), "mono": arguments.mono}
    files: dict[Side, Path] = {s: path for s, path in given.items() if path is not None}
    name = override("model.name", arguments.model)
    # The sides of the settings' own system are those whose scores are checked before.
    own = [f"dataset={arguments.dataset}", _MODELS["cross" in files, "mono" in files], name]
    settings, _ = read_settings(compose("train", [*own, *words]))
    results = import_outputs(settings, files)
    print(f"{results.folder}\n  {with_suspicions(results)}")


# A system that writes the sides that files are given for (cross, mono).
_MODELS = {(True, True): "model=mclas", (True, False): "model=ncls", (False, True): "model=ms"}
