"""Sheets as CSV; mean, deviation, seeds and significance of a cell have a column each.

Where a sheet has intervals, their ends have columns, too.
"""

import csv
import io
from collections.abc import Iterator, Sequence

from mclas_lightning.report.sheet import MISSING, ORIGIN, Cell, Sheet, SheetEntry, format_number


def write(sheets: Sequence[Sheet]) -> str:
    """The tables one below the other, without notes; an empty line before other columns.

    The last columns of a table of scores are test set, signature and decoding of each row.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    last: list[str] = []
    for sheet in sheets:
        header = ["Table", *sheet.labels, *_headings(sheet), *(ORIGIN if sheet.origins else ())]
        if header != last:
            file.write("\n" if last else "")
            writer.writerow(header)
            last = header
        rows = list(sheet.rows(repeat=True))
        origins = sheet.origins or [()] * len(rows)
        for row, origin in zip(rows, origins, strict=True):
            writer.writerow([sheet.name, *_values(sheet, row), *origin])
    return file.getvalue()


def _headings(sheet: Sheet) -> Iterator[str]:
    for column in sheet.columns:
        yield column.title
        if column.measured:
            ends = ("low", "high") if _has_intervals(sheet) else ()
            parts = ("deviation", "seeds", "significant", *ends)
            yield from (f"{column.group} {part}" for part in parts)


def _values(sheet: Sheet, row: Sequence[SheetEntry]) -> Iterator[str]:
    num, has_intervals = len(sheet.labels), _has_intervals(sheet)
    yield from map(str, row[:num])
    for column, entry in zip(sheet.columns, row[num:], strict=True):
        if not column.measured:
            yield "" if entry == MISSING else str(entry)
        elif isinstance(entry, Cell):
            spread = "" if entry.deviation is None else f"{entry.deviation:.{entry.digits}f}"
            yield from (entry.shown, spread, str(entry.seeds), "yes" if entry.significant else "")
            if has_intervals:
                ends = entry.interval or ()
                yield from (format_number(end, entry.digits) for end in ends)
                yield from [""] * (2 - len(ends))
        else:
            yield from ("" if entry == MISSING else entry, "", "", "", *[""] * 2 * has_intervals)


def _has_intervals(sheet: Sheet) -> bool:
    return any(isinstance(c, Cell) and c.interval for row in sheet.rows() for c in row)
