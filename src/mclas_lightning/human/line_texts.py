"""Lines of a returned sheet whose item stands beside the texts of another one.

A spreadsheet makes such lines where it sorts one column alone.
"""

from collections.abc import Mapping
from pathlib import Path

from mclas_lightning.errors import InputError
from mclas_lightning.human.sheet import TEXTS_FILE, SheetKey, SheetTexts, text_cell, text_cells


class LineTexts:
    """The cells that sheets show of each item, by column; none without ``texts.json``."""

    def __init__(self, folder: Path, key: SheetKey) -> None:
        self.cells: dict[str, dict[str, str]] = {}
        if (folder / TEXTS_FILE).exists():
            texts = SheetTexts.read(folder, key).documents
            self.cells = {name: text_cells(item, texts) for name, item in key.items.items()}
        self.known = {text for cells in self.cells.values() for text in cells.values()}

    def check(self, where: str, row: Mapping[str, str]) -> None:
        """InputError where an item stands beside a text of another item or letter.

        A text that no sheet shows, such as one read in a wrong encoding, is no mistake.
        """
        for column, text in self.cells.get(row["item"], {}).items():
            found = text_cell(row.get(column, text))
            if found != text and found in self.known:
                raise InputError(
                    f"{where}: column '{column}' has a text of another line or letter than item "
                    f"'{row['item']}'; undo the sorting of single columns"
                )
