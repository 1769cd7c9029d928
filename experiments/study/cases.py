"""Case studies: what the systems write where MCLAS gains least, the median, and most over NCLS.

Documents are chosen by the difference in ROUGE-1 F of S^B between the runs of the first seed, whose
summaries are shown. A cell's cases.json holds three documents, of generated corpora alone: what
other people wrote is not committed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.effects import Study
from mclas_lightning.example import SIDES
from mclas_lightning.files import read_json, write_json
from mclas_lightning.report.gains import MAIN, Place, check_same_documents
from mclas_lightning.runs.predictions import read_predictions
from mclas_lightning.runs.results import SCENARIOS, Results
from mclas_lightning.task import MODELS

CASES = "cases.json"

SYSTEMS = ("ncls", "ncls_ms", "mclas")

GENERATED = "toy_"  # what the names of generated corpora begin with


def write_cases(study: Study, results: Path) -> None:
    """Write cases.json below ``results`` for each cell of a study whose systems have all run."""
    for dataset in (name for name in study.datasets if name.startswith(GENERATED)):
        for scenario in SCENARIOS:
            runs = {m: study.results.get(Place(dataset, scenario, m)) for m in SYSTEMS}
            first = {model: found[0] for model, found in runs.items() if found}
            if len(first) == len(SYSTEMS):
                write_json(results / dataset / scenario / CASES, _cases(first))


def _cases(runs: dict[str, Results]) -> list[dict[str, Any]]:
    """The three documents of a cell, from the first run of each system."""
    check_same_documents([*runs.values()])
    scores = {model: 100 * run.documents()[MAIN] for model, run in runs.items()}
    summaries = {model: read_predictions(run) for model, run in runs.items()}
    gains, ids = scores["mclas"] - scores["ncls"], runs["mclas"].documents()["ids"]
    order = np.argsort(gains, kind="stable")
    found = []
    for name, place in (("least", 0), ("median", len(order) // 2), ("most", -1)):
        at = int(order[place])
        of_system = {model: lines[str(ids[at])] for model, lines in summaries.items()}
        written = {
            model: {**line.hypotheses, MAIN: float(scores[model][at])}
            for model, line in of_system.items()
        }
        shown = of_system["mclas"]
        kept = {"id": shown.id, "document": shown.document, "references": shown.references}
        found.append({"gain": name, "points": float(gains[at]), **kept, "systems": written})
    return found


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
