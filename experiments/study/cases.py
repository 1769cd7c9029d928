"""Case studies: what the systems write where MCLAS gains least, the median, and most over NCLS.

Documents are chosen by the difference in ROUGE-1 F of S^B between the runs of the first seed, whose
summaries are shown. A cell's cases.json holds three documents.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.effects import Study
from mclas_lightning.example import SIDES
from mclas_lightning.files import read_json, write_json
from mclas_lightning.report.gains import MAIN, Place
from mclas_lightning.runs.predictions import PREDICTIONS
from mclas_lightning.runs.results import MODELS, SCENARIOS

CASES = "cases.json"

SYSTEMS = ("ncls", "ncls_ms", "mclas")


def write_cases(study: Study, runs: Path) -> None:
    """Write cases.json of each cell whose systems have all run; ``runs`` has their summaries."""
    for dataset in study.datasets:
        for scenario in SCENARIOS:
            scores = {m: study.documents(Place(dataset, scenario, m)) for m in SYSTEMS}
            if all(found is not None for found in scores.values()):
                folder = Path(dataset, scenario)
                write_json(study.folder / folder / CASES, _cases(scores, runs / folder))


def _cases(scores: dict[str, Any], cell: Path) -> list[dict[str, Any]]:
    gains = scores["mclas"][0] - scores["ncls"][0]
    order = np.argsort(gains, kind="stable")
    found = []
    for name, place in (("least", 0), ("median", len(order) // 2), ("most", -1)):
        at = int(order[place])
        lines = {model: _prediction(cell, model, at) for model in SYSTEMS}
        written = {
            model: {**line["hypotheses"], MAIN: float(scores[model][0, at])}
            for model, line in lines.items()
        }
        kept = {key: lines["mclas"][key] for key in ("id", "document", "references")}
        found.append({"gain": name, "points": float(gains[at]), **kept, "systems": written})
    return found


def _prediction(cell: Path, model: str, number: int) -> dict[str, Any]:
    """The first seed's line of a document, by its place in the test set."""
    folder = min((cell / model).glob("seed=*"), key=lambda path: int(path.name.split("=")[1]))
    return json.loads((folder / PREDICTIONS).read_text(encoding="utf-8").splitlines()[number])


def drawn(study: Study) -> Iterator[str]:
    """The cases as Markdown, of each dataset's largest scenario that has some."""
    for dataset in study.datasets:
        paths = [study.folder / dataset / scenario / CASES for scenario in SCENARIOS]
        if there := [path for path in paths if path.exists()]:
            yield f"## Three documents: {dataset}, {there[-1].parent.name}\n"
            yield (
                "Those on which MCLAS gains least, the median, and most over NCLS, in ROUGE-1 of "
                "S^B (in brackets) with the first seed.\n"
            )
            for case in read_json(there[-1], list):
                yield from _drawn(case)


def _drawn(case: dict[str, Any]) -> Iterator[str]:
    yield f"**{case['gain'].capitalize()}: {case['points']:+.1f}.** {case['document']}\n"
    rows = [("reference", case["references"]), *case["systems"].items()]
    for name, texts in rows:
        sides = "; ".join(
            f"S^{letter}: {texts[side]}"
            for side, letter in zip(SIDES, "AB", strict=True)
            if side in texts
        )
        points = f" ({texts[MAIN]:.1f})" if MAIN in texts else ""
        yield f"- {MODELS.get(name, name)}: {sides}{points}"
    yield ""
