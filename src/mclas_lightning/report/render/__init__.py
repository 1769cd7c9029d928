"""Sheets as text, one module for each format; ``terminal`` draws, the others return text."""

from collections.abc import Callable, Sequence

from mclas_lightning.report.render import csv, latex, markdown
from mclas_lightning.report.sheet import Sheet

WRITERS: dict[str, Callable[[Sequence[Sheet]], str]] = {
    "markdown": markdown.write,
    "latex": latex.write,
    "csv": csv.write,
}

FORMAT_ALIASES = {"md": "markdown", "tex": "latex"}

FILE_ENDINGS = {"markdown": "md", "latex": "tex", "csv": "csv"}


def sheets_as_text(sheets: Sequence[Sheet], form: str) -> str:
    """``sheets`` in the format ``form``, one below the other."""
    return WRITERS[FORMAT_ALIASES.get(form, form)](sheets)
