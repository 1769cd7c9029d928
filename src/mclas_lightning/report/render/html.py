"""Sheets as HTML: each is a ``<figure>`` with its table in a scrolling box."""

from collections.abc import Iterator
from html import escape

from mclas_lightning.report.sheet import Cell, Sheet, SheetEntry


def table(sheet: Sheet) -> str:
    """``<figure>`` with title, table, notes and commands; text is escaped, in any script."""
    return "\n".join(_figure(sheet))


def _figure(sheet: Sheet) -> Iterator[str]:
    yield f'<figure class="sheet" id="{escape(sheet.name)}">'
    yield f"<figcaption>{escape(sheet.title)}</figcaption>"
    yield '<div class="scroll" tabindex="0"><table>'
    yield f"<thead>{''.join(_head(sheet))}</thead>"
    for section in sheet.sections:
        yield "<tbody>"
        for i, row in enumerate(section.rows):
            name = ""
            if sheet.by and i == 0:
                span = len(section.rows)
                name = (
                    f'<th scope="rowgroup" rowspan="{span}" dir="auto">{escape(section.name)}</th>'
                )
            label = f'<th scope="row" dir="auto">{escape(str(row[0]))}</th>'
            yield f"<tr>{name}{label}{''.join(map(_cell, row[1:]))}</tr>"
        yield "</tbody>"
    yield "</table></div>"
    if sheet.notes:
        yield '<ul class="notes">' + "".join(f"<li>{escape(n)}</li>" for n in sheet.notes) + "</ul>"
    if sheet.commands:
        lines = escape("\n".join(sheet.commands))
        yield f'<p class="notes">What is missing is made by:</p><pre class="scroll">{lines}</pre>'
    yield "</figure>"


def _head(sheet: Sheet) -> Iterator[str]:
    two = any(column.group and column.name for column in sheet.columns)
    span = ' rowspan="2"' if two else ""
    labels = "".join(
        f'<th class="label" scope="col"{span}>{escape(label)}</th>' for label in sheet.labels
    )
    if not two:
        names = (f'<th scope="col">{escape(column.title)}</th>' for column in sheet.columns)
        yield f"<tr>{labels}{''.join(names)}</tr>"
        return
    groups = (
        f'<th class="group" scope="colgroup" colspan="{size}">{escape(name)}</th>'
        for name, size in sheet.groups()
    )
    yield f"<tr>{labels}{''.join(groups)}</tr>"
    names = (f'<th scope="col">{escape(column.name)}</th>' for column in sheet.columns)
    yield f"<tr>{''.join(names)}</tr>"


def _cell(entry: SheetEntry) -> str:
    if isinstance(entry, Cell):
        text = escape(str(entry))
        return f'<td class="ours">{f"<strong>{text}</strong>" if entry.best else text}</td>'
    return f"<td>{escape(entry)}</td>"
