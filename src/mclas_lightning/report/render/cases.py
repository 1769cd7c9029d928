"""Cases drawn for a terminal: n-grams that a summary shares with its reference are underlined."""

from collections.abc import Iterator

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mclas_lightning.report.cases import LEGEND, Case, Examples, Piece

SHOWN = 400  # terminal cells shown of a document: about 60 English words or 200 Chinese characters


def draw_cases(found: Examples) -> Group:
    """The cases, the legend and the runs set aside, for a terminal."""
    shown = (part for case in found.cases for part in (_drawn(case), ""))
    aside = (Text(f"Set aside: {reason}") for reason in found.aside)
    return Group(*shown, Text(LEGEND, style="dim"), *aside)


def shorten(text: str, cells: int = SHOWN) -> str:
    """The start of ``text`` that ``cells`` of a terminal hold, cut between words if it has any."""
    text = " ".join(text.split())
    if cell_len(text) <= cells:
        return text
    start = set_cell_size(text, cells)
    space = start.rfind(" ", len(start) - 30)
    return (start if space < 0 else start[:space]).rstrip() + " ..."


def _drawn(case: Case) -> Table:
    table = Table(
        title=Text(f"Document {case.id}"),
        title_justify="left",
        box=box.ROUNDED,
        show_header=False,
        expand=True,
    )
    table.add_column(style="bold", max_width=16, overflow="fold")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_row("Document", case.language, Text(shorten(case.document)))
    last = ""
    for name, language, text in _lines(case):
        if name != last:
            table.add_section()
        table.add_row(Text("" if name == last else name), language, text)
        last = name
    return table


def _lines(case: Case) -> Iterator[tuple[str, str, Text]]:
    for language, reference in case.references:
        yield "Reference", language, Text(reference.strip())
    for summary in case.summaries:
        text = Text.assemble(*((piece.text, _style(piece)) for piece in summary.pieces))
        yield summary.system, summary.language, text or Text("(empty)", style="dim italic")
        if summary.lacks and summary.pieces:
            yield summary.system, "", Text(f"lacks: {', '.join(summary.lacks)}", style="dim italic")


def _style(piece: Piece) -> str:
    """Underlined where the reference has the piece, bold too where it has two words or more."""
    return "bold underline" if piece.size > 1 else "underline" if piece.size else ""
