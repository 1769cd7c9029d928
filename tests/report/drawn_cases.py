"""Predictions of made-up systems, and their cases as a terminal shows them."""

from rich.console import Console

from mclas_lightning.report.cases import Examples
from mclas_lightning.report.render.cases import draw_cases

MONO = {"hypotheses": {"mono": "a short one"}, "references": {"mono": "the mono reference"}}

CROSS = {"hypotheses": {"cross": "eine kurze"}, "references": {"cross": "die Referenz"}}

BOTH = {key: MONO[key] | CROSS[key] for key in MONO}


def drawn(found: Examples, width: int = 80, color: bool = False) -> str:
    console = Console(width=width, force_terminal=color, color_system="standard" if color else None)
    with console.capture() as captured:
        console.print(draw_cases(found))
    return captured.get()
