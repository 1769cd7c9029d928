"""Lines of a returned sheet whose item stands beside the texts of another one.

A spreadsheet makes such lines where it sorts one column alone.
"""

from collections.abc import Mapping
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.human.sheet import TEXTS_FILE, SheetKey, SheetTexts, text_cell, text_cells

OLDER_ENCODINGS = ("gb18030", "gbk", "big5", "cp1252", "mac_roman", "utf-8")


class LineTexts:
    """The cells that sheets show of each item, by column; none without ``texts.json``."""

    def __init__(self, folder: Path, key: SheetKey) -> None:
        self.cells: dict[str, dict[str, str]] = {}
        if (folder / TEXTS_FILE).exists():
            documents = SheetTexts.read(folder, key).documents
            self.cells = {name: text_cells(item, documents) for name, item in key.items.items()}
        texts = {text for cells in self.cells.values() for text in cells.values()}
        self.spellings = {text: _spellings(text) for text in texts}
        self.known = set[str]().union(*self.spellings.values())

    def check(self, where: str, row: Mapping[str, str]) -> None:
        """InputError where an item stands beside a text of another item or letter.

        A text that no sheet shows, such as one that a person has changed, is no mistake.
        """
        for column, text in self.cells.get(row["item"], {}).items():
            found = text_cell(row.get(column, text))
            if found in self.known and found not in self.spellings[text]:
                raise InputError(
                    f"{where}: column '{column}' has a text of another line or letter than item "
                    f"'{row['item']}'; give the columns their order of the sheet as sent"
                )


def _spellings(text: str) -> set[str]:
    """``text``, and how it is read as Latin-1 (``human.judgements``) in each older encoding.

    A spreadsheet writes ``?`` for a character that its encoding lacks.
    """
    older = (text.encode(name, "replace").decode("latin-1") for name in OLDER_ENCODINGS)
    return {text, *map(text_cell, older)}
