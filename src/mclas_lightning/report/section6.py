"""Section 6 in the report: the kinds of heads of every analyzed run, and figures of the first."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.report.finished_runs import SET_ASIDE
from mclas_lightning.report.head_maps import lsep_place, maps_svg, panels
from mclas_lightning.report.heads_table import heads_sheets
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.heads import HEADS, HeadsResults

REPORT_FIGURES = (5, 6)


def analyzed(folders: Iterable[Path]) -> list[Path]:
    """The runs' folders that hold an analysis of heads."""
    return [folder for folder in folders if (folder / HEADS).exists()]


def report_sheets(folders: Iterable[Path]) -> list[Sheet]:
    """The tables of each analyzed run; of a file that cannot be read, an empty one with a note."""
    return [sheet for folder in folders for sheet in _sheets(folder)]


def heads_pictures(folders: Iterable[Path]) -> str:
    """Figures 5 and 6 of the first of the analyzed runs that has heads of their kinds."""
    return next(filter(None, map(_pictures, folders)), "")


def _sheets(folder: Path) -> list[Sheet]:
    try:
        return heads_sheets(HeadsResults.read(folder))
    except InputError as error:
        notes = [f"{SET_ASIDE}{error}"]
        sheet = Sheet(
            name="section6", title=str(folder), corner="", columns=(), sections=[], notes=notes
        )
        return [sheet]


def _pictures(folder: Path) -> str:
    try:
        return "".join(_drawn(folder))
    except InputError:  # Without S^A no head is of a figure's kinds; the table says so.
        return ""


def _drawn(folder: Path) -> Iterator[str]:
    found = HeadsResults.read(folder)
    shown = found.maps(folder)
    for number in REPORT_FIGURES:
        yield maps_svg(number, panels(number, found, shown), lsep_place(shown.of))
