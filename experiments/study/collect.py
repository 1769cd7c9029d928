"""Copy the scores of the study's finished runs to where tables and figures are drawn from.

    python experiments/study/collect.py runs experiments/study/results

Copied are results.json and scores.npz of each run; summaries and weights stay where they are.
"""

import shutil
import sys
from pathlib import Path


def collect(runs: Path, results: Path) -> int:
    """Copy what is new or changed; the number of runs copied."""
    found = sorted(runs.glob("*/*/*/seed=*/results.json"))
    for path in found:
        for file in (path, path.with_name("scores.npz")):
            to = results / file.relative_to(runs)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to)
    return len(found)


if __name__ == "__main__":
    print(f"{collect(Path(sys.argv[1]), Path(sys.argv[2]))} runs")
