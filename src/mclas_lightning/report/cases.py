"""A few documents with every system's summaries, laid out to be read."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.data.example import SIDES, Side
from mclas_lightning.errors import InputError
from mclas_lightning.report import predictions
from mclas_lightning.report.predictions import Prediction
from mclas_lightning.report.results import Results

SHOWN = 400  # terminal cells of a document: about 60 English words or 200 Chinese characters


def cases(runs: Sequence[Results], num: int = 3, seed: int = 0) -> Group:
    """``num`` documents that all ``runs`` (of one dataset) share, the same ones at every call."""
    if len({run.dataset for run in runs}) != 1:
        found = ", ".join(sorted({run.dataset for run in runs})) or "no runs"
        raise InputError(f"cases are drawn from the runs of one dataset; found: {found}")
    written = {name: predictions.read(run) for name, run in zip(_names(runs), runs, strict=True)}
    ids = predictions.shared(written, seed)[:num]
    return Group(
        *(_draw({name: found[id] for name, found in written.items()}, runs[0]) for id in ids)
    )


def shorten(text: str, cells: int = SHOWN) -> str:
    """The start of ``text``, as much as ``cells`` of a terminal hold, cut between words if any."""
    text = " ".join(text.split())
    if cell_len(text) <= cells:
        return text
    start = set_cell_size(text, cells)
    space = start.rfind(" ", len(start) - 30)
    return (start if space < 0 else start[:space]).rstrip() + " ..."


def _names(runs: Sequence[Results]) -> list[str]:
    """The systems' names, with scenario and seed where these tell runs apart."""
    scenarios, seeds = {run.scenario for run in runs}, {run.seed for run in runs}
    return [
        run.name
        + (f", {run.scenario}" if len(scenarios) > 1 else "")
        + (f", seed {run.seed}" if len(seeds) > 1 else "")
        for run in runs
    ]


def _draw(written: dict[str, Prediction], run: Results) -> Group:
    """One document, its references and what each system wrote."""
    first = next(iter(written.values()))
    references: dict[Side, str] = {}
    for prediction in written.values():
        references |= prediction.references
    texts: dict[str, dict[Side, str]] = {"Reference": references}
    texts |= {name: prediction.hypotheses for name, prediction in written.items()}
    table = Table(
        title=Text(f"Document {first.id}"),
        title_justify="left",
        box=box.ROUNDED,
        show_header=False,
        expand=True,
    )
    table.add_column(style="bold", max_width=16, overflow="fold")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_row("Document", run.languages["source"], Text(shorten(first.document)))
    for name, summaries in texts.items():
        table.add_section()
        for number, side in enumerate(sorted(summaries, key=SIDES.index)):
            shown = summaries[side].strip()
            text = Text(shown) if shown else Text("(empty)", style="dim italic")
            table.add_row(Text("" if number else name), run.language(side), text)
    return Group(table, "")
