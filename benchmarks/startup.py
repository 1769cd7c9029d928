"""Seconds of commands that load no torch: `mclas --help`, and tables of 120 runs.

Each run has scores of 3,000 documents; Table 2 tests them for significance.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import arguments, show, timed
from benchmarks.runs import write_runs
from mclas_lightning.report.layout import LAYOUTS

DATASETS, SEEDS, DOCUMENTS = ("zh2ensum", "en2desum", "en2zhsum"), range(3), 3_000


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        places = [(system.scenario, system.model) for system in LAYOUTS[2].systems]
        write_runs(Path(folder), DATASETS, places, SEEDS, num=DOCUMENTS)
        write_runs(Path(folder), ["en2desum"], [("full", "ms")], SEEDS, num=DOCUMENTS)

        def command(*words: str) -> None:
            line = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
            subprocess.run(line, check=True, capture_output=True)

        def python() -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)

        report = {
            "python alone": timed(python, asked.repeats),
            "mclas --help": timed(lambda: command("--help"), asked.repeats),
            "mclas table, 120 runs": timed(
                lambda: command("table", "--runs", folder), asked.repeats
            ),
            "mclas table 2, 120 runs": timed(
                lambda: command("table", "2", "--runs", folder), asked.repeats
            ),
        }
    show({name: {"median_s": found["median_s"]} for name, found in report.items()}, asked.json)


if __name__ == "__main__":
    main()
