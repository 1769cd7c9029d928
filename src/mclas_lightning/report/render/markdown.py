"""Sheets as Markdown, in GitHub's flavor."""

from collections.abc import Iterator, Sequence

from mclas_lightning.report.sheet import Cell, Sheet, SheetEntry


def write(sheets: Sequence[Sheet]) -> str:
    """One table below the other, each under a heading."""
    return "\n".join(map(_table, sheets))


def _table(sheet: Sheet) -> str:
    num = len(sheet.labels)
    rule = ["---"] * num + ["---:"] * len(sheet.columns)
    lines = [sheet.headings, rule, *([_styled(e) for e in row] for row in sheet.rows())]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"### {sheet.title}\n\n{table}" + "".join(_below(sheet))


def _below(sheet: Sheet) -> Iterator[str]:
    if sheet.notes:
        yield "\n" + "".join(f"- {note}\n" for note in sheet.notes)
    if sheet.commands:
        yield "\nWhat is missing is made by:\n\n```bash\n" + "\n".join(sheet.commands) + "\n```\n"


def _styled(entry: SheetEntry) -> str:
    text = str(entry).replace("*", r"\*").replace("|", r"\|")
    return f"**{text}**" if isinstance(entry, Cell) and entry.best else text
