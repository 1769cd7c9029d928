"""Section 6 in the report: tables and a page of every analyzed run, and figures of one."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.errors import InputError
from mclas_lightning.report.finished_runs import SET_ASIDE
from mclas_lightning.report.head_maps import has_kinds, lsep_place, maps_svg, panels
from mclas_lightning.report.heads_page import heads_page
from mclas_lightning.report.heads_table import heads_sheets
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.heads import HEADS, HeadsResults

REPORT_FIGURES = (5, 6, 9, 10)


def analyzed(folders: Iterable[Path]) -> list[Path]:
    """The runs' folders that hold an analysis of heads."""
    return [folder for folder in folders if (folder / HEADS).exists()]


class Section6(NamedTuple):
    """What the report shows of heads."""

    sheets: list[Sheet]
    picture: str
    pages: dict[str, str]  # HTML by the name of its file


def section6(folders: Iterable[Path]) -> Section6:
    """The tables and the interactive page of each analyzed run, and figures of one.

    Figures are of the first run that has heads of all kinds, else of the first. Of a file that
    cannot be read, an empty table has a note.
    """
    sheets, pages, drawn = [], {}, []
    for folder in folders:
        try:
            found = HeadsResults.read(folder)
            sheets += heads_sheets(found)
            if found.shown:
                pages[f"{found.name.replace('/', '-')}.html"] = heads_page(folder)
                drawn.append((folder, found))
        except InputError as error:
            sheets.append(_set_aside(folder, error))
    whole = [one for one in drawn if all(has_kinds(number, one[1]) for number in REPORT_FIGURES)]
    picture = "".join(_pictures(*one) for one in (whole or drawn)[:1])
    return Section6(sheets, picture, pages)


def _set_aside(folder: Path, error: InputError) -> Sheet:
    return Sheet(
        name=f"section6-{folder}",
        title=str(folder),
        corner="",
        columns=(),
        sections=[],
        notes=[f"{SET_ASIDE}{error}"],
    )


def _pictures(folder: Path, found: HeadsResults) -> str:
    shown = found.maps(folder)
    return "".join(
        maps_svg(number, panels(number, found, shown), lsep_place(shown.of))
        for number in REPORT_FIGURES
        if has_kinds(number, found)
    )
