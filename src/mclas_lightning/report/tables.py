"""The paper's tables by their numbers."""

from pathlib import Path
from typing import NamedTuple

from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.human_tables import human_table_sheets
from mclas_lightning.report.score_tables import score_table_sheets
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.report.table1 import table1_sheets

TABLE_NUMBERS = range(1, 8)


class TableRequest(NamedTuple):
    """The runs, datasets and corpora of a table; empty ``datasets`` are the paper's."""

    runs: Runs
    datasets: list[str]
    profile: str = "standard"
    data: Path = Path("data")


def paper_table(num: int, request: TableRequest) -> list[Sheet]:
    """Table ``num`` of the paper as one sheet for each dataset."""
    if num == 1:
        return table1_sheets(request.data)
    if num in (3, 4):
        return human_table_sheets(num, request.datasets, request.runs)
    return score_table_sheets(num, request.datasets, request.runs, request.profile)
