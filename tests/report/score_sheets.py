"""Tables of scores for tests: drawn from runs, read by headings, changed in one key."""

import json
from pathlib import Path

from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.score_tables import score_table_sheets
from mclas_lightning.report.sheet import Sheet
from mclas_lightning.runs.results import CONTENT, content_sha256

NUM = 41
TABLE2 = [(system.scenario, system.model) for system in LAYOUTS[2].systems]


def table(num: int, runs: Path, *datasets: str, profile: str = "standard") -> list[Sheet]:
    return score_table_sheets(num, list(datasets), Runs(runs), profile)


def rows(sheet: Sheet) -> dict[tuple[str, ...], dict[str, str]]:
    """Cells by scenario and system, then by heading."""
    num, found = len(sheet.labels), {}
    for row in sheet.rows(repeat=True):
        cells = dict(zip(sheet.headings[num:], map(str, row[num:]), strict=True))
        found[tuple(map(str, row[:num]))] = cells
    return found


def change(path: Path, **keys: object) -> None:
    """Write other values into a results.json; ``scores__cross__num`` names an inner one."""
    record = json.loads(path.read_text())
    for name, value in keys.items():
        *outer, last = name.split("__")
        inner = record
        for key in outer:
            inner = inner[key]
        inner[last] = value
    if CONTENT in record:
        record[CONTENT] = content_sha256(record)
    path.write_text(json.dumps(record))


def at(runs: Path, model: str, seed: int = 0, scenario: str = "minimum") -> Path:
    return runs / "en2desum" / scenario / model / f"seed={seed}" / "results.json"
