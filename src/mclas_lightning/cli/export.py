"""``mclas export``: a trained run as a folder that a model hub keeps."""

import argparse
from pathlib import Path


def add_export(commands: argparse._SubParsersAction) -> None:
    """Add ``export``."""
    command = commands.add_parser("export", help="a trained run as a model to share")
    command.add_argument("run_folder", type=Path, metavar="RUN", help="the folder of a run")
    command.add_argument("out", type=Path, metavar="OUT", help="the folder to write")
    command.add_argument("--float16", action="store_true", help="weights in half the size, rounded")
    command.add_argument(
        "--license", default="other", help="of the weights, as a hub names it (default: other)"
    )
    command.add_argument("--push", metavar="USER/NAME", help="upload the folder to a hub, too")
    command.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    from mclas_lightning.config.overrides import command
    from mclas_lightning.inference.export import check_hub_name, export_run, push
    from mclas_lightning.runs.run import Run

    run, out = Run(arguments.run_folder), arguments.out
    if arguments.push is not None:
        check_hub_name(arguments.push)
    place = arguments.push or str(out)
    export_run(run, out, half=arguments.float16, place=place, license=arguments.license)
    print(f"{out}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file()):,} bytes")
    print(f"summarize with: {command('mclas summarize', [str(out)])}")
    if arguments.push:
        print(f"uploaded to {push(out, arguments.push)}")
