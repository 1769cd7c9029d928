import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from string import ascii_uppercase

import pytest

from mclas_lightning.human.judgements import Judgement, complete_sheets
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.sheet import SheetItem, SheetKey
from mclas_lightning.runs.results import Results

MODELS = ("ncls", "ncls_ms", "mclas")


def write_run(
    runs: Path, model: str, numbers=range(29), seed=0, text="{model} on {n}", **changes
) -> Results:
    """A run with a summary of each of the documents d0, d1, ... of ``numbers``."""
    results = Results(
        dataset="toy_en2de", scenario="minimum", model=model, seed=seed,
        languages={"source": "en", "target": "de"}, scores={}, signatures={}, decoding={},
        provenance={},
    )  # fmt: skip
    folder = runs / "toy_en2de" / "minimum" / model / f"seed={seed}"
    results.write(folder / "results.json")
    lines = [
        {
            "id": f"d{n}",
            "document": f"document {n}",
            "hypotheses": {"cross": text.format(model=model, n=n)},
            "references": {"cross": f"reference of {n}"},
        }
        | changes
        for n in numbers
    ]
    written = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "predictions.jsonl").write_text(written, encoding="utf-8")
    return Results.read(folder / "results.json")


@pytest.fixture
def run(tmp_path) -> Callable[..., Results]:
    """What ``write_run`` makes in ``runs``."""
    return partial(write_run, tmp_path / "runs")


@pytest.fixture
def runs(run) -> list[Results]:
    """A run of each of the paper's three systems."""
    return [run(model) for model in MODELS]


Choose = Callable[[SheetItem, str], tuple[str, str]]


def fill_sheets(folder: Path, choose: Choose) -> None:
    """Fill a folder's sheets: ``choose(item, perspective)`` names the best and worst system."""
    items = SheetKey.read(folder).items
    for path in folder.glob("*.csv"):
        names, rows = read_sheet(path)
        for row in rows:
            item = items[row["item"]]
            for perspective in PERSPECTIVES:
                for end, system in zip(("best", "worst"), choose(item, perspective), strict=True):
                    letter = ascii_uppercase[item.order.index(system)]
                    row[f"{perspective}_{end}"] = letter
        write_sheet(path, names, rows)


@pytest.fixture
def fill() -> Callable[[Path, Choose], None]:
    """What ``fill_sheets`` does."""
    return fill_sheets


def read_judgements(folder: Path, key: SheetKey) -> list[Judgement]:
    """All judgements of the sheets in ``folder``."""
    return [one for sheet in complete_sheets(folder, key) for one in sheet.judgements]


def read_sheet(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        return list(lines.fieldnames or ()), list(lines)


def write_sheet(path: Path, names: list[str], rows: list[dict[str, str]], delimiter=",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, names, delimiter=delimiter)
        lines.writeheader()
        lines.writerows(rows)
