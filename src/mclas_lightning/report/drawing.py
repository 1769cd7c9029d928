"""Figures as files and as ``<svg>`` elements."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from mclas_lightning.errors import InputError
from mclas_lightning.files import whole_path

INK = "#000000"

FIGURE_ENDINGS = (".svg", ".png", ".pdf")

# Text in an SVG stays text; the fixed salt makes equal figures equal files.
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "figure",
    "font.family": "sans-serif",
}

Draw = Callable[[], Figure]


def save_figure(path: Path, draw: Draw) -> None:
    """Draw into a file, whole or not at all; its ending is the format, else InputError."""
    if path.suffix not in FIGURE_ENDINGS:
        raise InputError(
            f"{path}: a figure is written as {', '.join(FIGURE_ENDINGS)}; end its name so"
        )
    with whole_path(path) as part, mpl.rc_context(SETTINGS):
        draw().savefig(part, format=path.suffix[1:], dpi=200, metadata=_undated(path.suffix))


def svg_element(draw: Draw) -> str:
    """The picture as an ``<svg>`` element that takes the color of the text around it."""
    file = io.StringIO()
    with mpl.rc_context(SETTINGS):
        draw().savefig(file, format="svg", transparent=True, metadata=_undated(".svg"))
    text = file.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")


def _undated(ending: str) -> dict[str, None]:
    return {} if ending == ".png" else {"Date" if ending == ".svg" else "CreationDate": None}
