"""From sheets to text, one module a format; ``terminal`` draws, the others write."""

from collections.abc import Callable, Sequence

from mclas_lightning.errors import one_of
from mclas_lightning.report.render import csv, latex, markdown
from mclas_lightning.report.sheet import Sheet

WRITERS: dict[str, Callable[[Sequence[Sheet]], str]] = {
    "markdown": markdown.write,
    "latex": latex.write,
    "csv": csv.write,
}

SHORT = {"md": "markdown", "tex": "latex"}

ENDINGS = {"markdown": "md", "latex": "tex", "csv": "csv"}


def written(sheets: Sequence[Sheet], form: str) -> str:
    """``sheets`` in the format ``form``, one below the other."""
    name = SHORT.get(form, form)
    if name not in WRITERS:
        raise one_of("format", form, ["terminal", *WRITERS, *SHORT])
    return WRITERS[name](sheets)
