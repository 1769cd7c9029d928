"""The runs behind the golden files, and how to write these anew: python -m tests.report.golden"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.runs import write_run, write_runs
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.render import FILE_ENDINGS, sheets_as_text
from mclas_lightning.report.tables import TableRequest, paper_table

GOLDEN = Path(__file__).parent / "golden"
NUM = 211
REQUESTS = {
    "table2": (2, ["en2desum", "toy_en2de"]),
    "table5": (5, ["en2desum"]),
    "table6": (6, ["en2desum", "toy_en2de"]),
    "table7": (7, ["en2desum"]),
}


def make(runs: Path) -> None:
    """En2DeSum whole but for NCLS+MS in the full scenario, with a guest; toy with one system."""
    places = [(s.scenario, s.model) for s in LAYOUTS[2].systems]
    places = [place for place in places if place != ("full", "ncls_ms")]
    write_runs(runs, ["en2desum"], [*places, ("full", "ms")], range(4), num=NUM)
    guest = write_run(runs, "en2desum", "medium", "mclas", 2, num=NUM)
    (runs / "en2desum" / "medium" / "mclas" / "seed=2").rename(runs / "moved")
    place = runs / "en2desum" / "medium" / "another_100%" / "seed=2"
    place.parent.mkdir(parents=True)
    (runs / "moved").rename(place)
    replace(guest, model="another_100%").write(place / "results.json")
    write_run(runs, "toy_en2de", "minimum", "mclas", 0, num=NUM, bertscore=False)


def golden_texts(runs: Path) -> Iterator[tuple[str, str]]:
    """File names, and what they should hold."""
    for name, (num, datasets) in REQUESTS.items():
        for form, ending in FILE_ENDINGS.items():
            text = sheets_as_text(paper_table(num, TableRequest(Runs(runs), datasets)), form)
            yield f"{name}.{ending}", text.replace(f" runs={runs}", "").replace(str(runs), "runs")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for name, text in golden_texts(Path(folder)):
            (GOLDEN / name).write_text(text, encoding="utf-8")
