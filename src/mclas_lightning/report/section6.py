"""Section 6 in the report: the kinds of heads of every analyzed run, and figures of the first."""

from collections.abc import Iterable
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


def sheets_and_pictures(folders: Iterable[Path]) -> tuple[list[Sheet], str]:
    """The tables of each analyzed run, and Figures 5 and 6 of the first run that has their heads.

    Of a file that cannot be read, an empty table has a note.
    """
    sheets, pictures = [], ""
    for folder in folders:
        try:
            found = HeadsResults.read(folder)
            sheets += heads_sheets(found)
            pictures = pictures or _pictures(folder, found)
        except InputError as error:
            sheets.append(_set_aside(folder, error))
    return sheets, pictures


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
    if not found.scores("cross"):  # Without S^A no head is of a kind of Figure 6.
        return ""
    shown = found.maps(folder)
    drawn = [(number, panels(number, found, shown)) for number in REPORT_FIGURES]
    return "".join(maps_svg(number, each, lsep_place(shown.of)) for number, each in drawn)
