"""Simulated annotators, for the demo; everything that they fill in says that they are simulated.

A simulated annotator likes summaries that share words with the reference: recall counts as
informativeness, precision as conciseness, shared pairs of words as fluency. Noise makes annotators
differ.
"""

import csv
import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import whole_file
from mclas_lightning.human.page import write_pages
from mclas_lightning.human.results import GOLD, PERSPECTIVES, HumanResults, human_results_path
from mclas_lightning.human.score import score_filled_sheets
from mclas_lightning.human.sheet import (
    CHOICE_COLUMNS,
    KEY_FILE,
    SheetItem,
    SheetKey,
    SheetTexts,
    write_sheets,
)
from mclas_lightning.runs.results import Results

ANNOTATORS = 3

NOISE = 0.2  # standard deviation, beside overlaps from 0 to 1

SIMULATED = {"simulated": True}


def simulate_evaluation(runs: Sequence[Results], out: Path, num: int) -> HumanResults:
    """Sheets, pages, simulated answers and scores in ``out``, in place of an earlier simulation.

    ``human.json`` lies in ``out/runs``, where no table of real judgements looks for it.
    """
    if out.exists():
        if not (out / KEY_FILE).exists() or not SheetKey.read(out).provenance.get("simulated"):
            raise InputError(f"{out}: holds no simulated evaluation; choose another folder")
        shutil.rmtree(out)
    key = write_sheets(runs, out, num, seed=0, annotators=ANNOTATORS)
    replace(key, provenance=key.provenance | SIMULATED).write(out)
    write_pages(out, mark=" (simulated)")
    _write_answers(out, key, SheetTexts.read(out, key))
    results = score_filled_sheets(out)
    results.write(human_results_path(out / "runs", results.dataset, results.scenario))
    return results


def _write_answers(folder: Path, key: SheetKey, texts: SheetTexts) -> None:
    for annotator in key.annotators:
        draw = random.Random(annotator)
        with whole_file(folder / f"annotator{annotator}-answers.csv") as file:
            rows = csv.DictWriter(file, ["item", *CHOICE_COLUMNS, "notes"], lineterminator="\n")
            rows.writeheader()
            for name, item in key.items.items():
                if item.annotator == annotator:
                    choices = _choices(item, texts.documents[item.document], draw)
                    rows.writerow({"item": name, **choices, "notes": "simulated annotator"})


def _choices(item: SheetItem, texts: dict[str, str], draw: random.Random) -> dict[str, str]:
    chosen = {}
    for perspective in PERSPECTIVES:
        liked = [
            _overlap(perspective, texts[system], texts[GOLD]) + draw.gauss(0, NOISE)
            for system in item.order
        ]
        for end, value in (("best", max(liked)), ("worst", min(liked))):
            chosen[f"{perspective}_{end}"] = ascii_uppercase[liked.index(value)]
    return chosen


def _overlap(perspective: str, summary: str, reference: str) -> float:
    mine: list[Any] = summary.split()
    theirs: list[Any] = reference.split()
    if perspective == "fluency":
        mine, theirs = list(pairwise(mine)), list(pairwise(theirs))
    whole = theirs if perspective == "informativeness" else mine
    return len(set(mine) & set(theirs)) / max(1, len(set(whole)))
