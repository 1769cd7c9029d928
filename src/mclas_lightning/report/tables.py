"""The paper's tables by their numbers."""

from pathlib import Path
from typing import NamedTuple

from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.human_tables import human_sheets
from mclas_lightning.report.score_tables import score_sheets
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.report.table1 import table1

NUMBERS = range(1, 8)


class Request(NamedTuple):
    """What a table is drawn from: no datasets are those that it has in the paper."""

    runs: Runs
    datasets: list[str]
    profile: str = "standard"
    data: Path = Path("data")


def tables(num: int, request: Request) -> list[Sheet]:
    """Table ``num``, a sheet for each dataset."""
    if num == 1:
        return table1(request.data)
    if num in (3, 4):
        return human_sheets(num, request.datasets, request.runs)
    return score_sheets(num, request.datasets, request.runs, request.profile)
