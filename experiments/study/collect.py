"""Copy the scores of the study's finished runs to where tables and figures are drawn from.

    python -m experiments.study.collect runs experiments/study/results

Copied are results.json, scores.npz without what no table of the study reads, search.json
(``benchmarks.search``) and heads.json; of the summaries, those of three documents a cell
(``experiments.study.cases``); the log of the search of rates (``experiments.study.tuning``).
Weights stay where they are.
"""

import re
import shutil
import sys
from pathlib import Path

import numpy as np

from experiments.study.cases import write_cases
from experiments.study.effects import Study
from experiments.study.tuning import write_tuning
from mclas_lightning.runs.documents import DOCUMENT_SCORES
from mclas_lightning.runs.heads import HEADS

# F1 of the profile "standard" and lengths: 8 KB a run instead of 150.
KEPT = re.compile(r"ids|predictions_sha256|(mono|cross)/(rouge[12L]_f|(reference_)?length)")


def collect(runs: Path, results: Path) -> int:
    """Copy what is new or changed; the number of runs copied."""
    found = sorted(runs.glob("*/*/*/seed=*/results.json"))
    for path in found:
        to = results / path.parent.relative_to(runs)
        to.mkdir(parents=True, exist_ok=True)
        for file in (path, path.with_name("search.json"), path.with_name(HEADS)):
            if file.exists():
                shutil.copy2(file, to / file.name)
        with np.load(path.with_name(DOCUMENT_SCORES)) as scores:
            kept = {name: scores[name] for name in scores.files if KEPT.fullmatch(name)}
        np.savez_compressed(to / DOCUMENT_SCORES, **kept)
    write_cases(Study(runs), results)
    write_tuning(runs, results)
    return len(found)


if __name__ == "__main__":
    print(f"{collect(Path(sys.argv[1]), Path(sys.argv[2]))} runs")
