"""``mclas app RUN...``: a page on which texts are summarized."""

import argparse

from mclas_lightning.cli.arguments import port
from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES


def add_app(commands: argparse._SubParsersAction) -> None:
    """Add ``app``."""
    command = commands.add_parser(
        "app", help="a page in your browser on which trained runs summarize documents",
        epilog="The page is served to this machine alone. It needs the extra 'app': "
        "pip install 'mclas-lightning[app]'.",
    )  # fmt: skip
    command.add_argument(
        "words", nargs="+", metavar="RUN", help="runs, exported folders, or user/name; side by side"
    )
    command.add_argument("--side", choices=SIDES, help="only this summary (default: all)")
    command.add_argument("--port", type=port, default=7860, help="(default: 7860)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.set_defaults(run=_app)


def _app(arguments: argparse.Namespace) -> None:
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise InputError(
            "mclas app: gradio is not installed; install it: pip install 'mclas-lightning[app]'"
        ) from error
    from mclas_lightning.webapp.page import check_port, serve
    from mclas_lightning.webapp.systems import example_documents, load_systems

    check_port(arguments.port)
    systems = load_systems(arguments.words, arguments.side, arguments.device)
    serve(systems, example_documents(arguments.words[0]), arguments.port)
