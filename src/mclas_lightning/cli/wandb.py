"""``mclas wandb``: uploading offline runs, and the dashboard of W&B."""

import argparse
from pathlib import Path

from mclas_lightning.errors import InputError


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``sync`` and ``workspace``."""
    sync = commands.add_parser("sync", help="upload what was trained offline, once")
    sync.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs (runs)")
    sync.set_defaults(run=_sync)
    workspace = commands.add_parser("workspace", help="save the dashboard that compares runs")
    workspace.add_argument("--project", default="mclas-lightning", help="of W&B (mclas-lightning)")
    workspace.add_argument("--entity", help="a team (default: the account's own)")
    workspace.add_argument(
        "--print", action="store_true", dest="only_print", help="print it as JSON, save nothing"
    )
    workspace.set_defaults(run=_workspace)


def _sync(arguments: argparse.Namespace) -> None:
    from mclas_lightning.tracking.sync import sync

    sync(arguments.runs)


def _workspace(arguments: argparse.Namespace) -> None:
    try:
        from mclas_lightning.tracking import workspace
    except ModuleNotFoundError as error:
        raise InputError(
            "mclas wandb workspace: the package wandb-workspaces is missing; install it with: "
            "pip install 'mclas-lightning[dashboard]'"
        ) from error
    if arguments.only_print:
        found = workspace.build_workspace(arguments.project, arguments.entity or "")
        print(workspace.workspace_json(found))
    else:
        print(workspace.save_workspace(arguments.project, arguments.entity))
