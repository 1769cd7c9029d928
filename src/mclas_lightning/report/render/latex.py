r"""Sheets as LaTeX tables; they need ``\usepackage{booktabs}`` and no other package."""

import re
from collections.abc import Iterator, Sequence

from mclas_lightning.report.sheet import PLUS_MINUS, Cell, Sheet, SheetEntry

SPECIAL = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": "$<$", ">": "$>$", "|": "$|$", PLUS_MINUS: r"$\pm$", "*": "$^{*}$"},
    # At the start of a row, a bare bracket would be an argument of the \\ or \midrule before it.
    **{"[": "{[}", "]": "{]}"},
    "--": "-{}-",  # LaTeX sets two hyphens as a dash
}

_SPECIAL = re.compile("|".join(map(re.escape, SPECIAL)))

_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_.:-]")


def write(sheets: Sequence[Sheet]) -> str:
    """One table environment below the other; a sheet's commands are comments above its table."""
    return "\n".join("\n".join(_table(sheet)) + "\n" for sheet in sheets)


def _table(sheet: Sheet) -> Iterator[str]:
    if sheet.commands:
        yield "% What is missing is made by:"
        yield from (f"%   {line}" for command in sheet.commands for line in command.splitlines())
    num = len(sheet.labels)
    yield r"\begin{table*}[t]\centering\footnotesize\setlength{\tabcolsep}{3pt}"
    yield rf"\begin{{tabular}}{{{'l' * num}{'r' * len(sheet.columns)}}}"
    yield r"\toprule"
    yield from _head(sheet)
    start = True
    for section in sheet.sections:
        yield r"\midrule"
        for i, row in enumerate(section.rows):
            name = [section.name if i == 0 else ""] if sheet.by else []
            yield _line([*name, *row])
        start = False
    if start:
        yield r"\midrule"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield rf"\caption{{{escaped(' '.join([f'{sheet.caption}.', *sheet.notes]))}}}"
    yield rf"\label{{tab:{label(sheet.name)}}}"
    yield r"\end{table*}"


def label(name: str) -> str:
    r"""``name`` as an argument of ``\label``: special characters become hexadecimal code points."""
    return _NOT_IN_LABELS.sub(lambda found: f"-{ord(found[0]):x}-", name)


def _head(sheet: Sheet) -> Iterator[str]:
    if any(column.group for column in sheet.columns):
        at, spans, rules = len(sheet.labels) + 1, [], []
        for name, size in sheet.groups():
            spans.append(rf"\multicolumn{{{size}}}{{c}}{{{escaped(name)}}}")
            if name and size > 1:
                rules.append(rf"\cmidrule(lr){{{at}-{at + size - 1}}}")
            at += size
        yield " & ".join([*[""] * len(sheet.labels), *spans]) + r" \\"
        if rules:
            yield "".join(rules)
    yield _line([*sheet.labels, *(column.name for column in sheet.columns)])


def _line(row: Sequence[SheetEntry]) -> str:
    return " & ".join(map(_styled, row)) + r" \\"


def _styled(entry: SheetEntry) -> str:
    text = escaped(str(entry))
    if re.fullmatch(r"-\d.*", text):
        text = f"${text[:1]}${text[1:]}"
    return rf"\textbf{{{text}}}" if isinstance(entry, Cell) and entry.best else text


def escaped(text: str) -> str:
    """``text`` with LaTeX's special characters escaped."""
    return _SPECIAL.sub(lambda found: SPECIAL[found[0]], text)
