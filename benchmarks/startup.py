"""Start-up: seconds of `mclas --help` and of a table of 120 runs, which load no torch."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import arguments, show, timed
from mclas_lightning.report.results import TABLE_SCORES, Results

DATASETS, SEEDS = ("zh2ensum", "en2desum", "en2zhsum"), range(10)
SYSTEMS = ("ncls", "ncls_ms", "mclas", "tltran")


def write_runs(runs: Path) -> None:
    """120 finished runs."""
    for dataset in DATASETS:
        for system in SYSTEMS:
            for seed in SEEDS:
                scores = dict.fromkeys(TABLE_SCORES, 0.3 + seed / 100)
                place = runs / dataset / "minimum" / system / f"seed={seed}"
                Results(
                    dataset=dataset, scenario="minimum", model=system, seed=seed,
                    languages={"source": "en", "target": "de"}, scores={"cross": scores},
                    signatures={"cross": {"rouge": "made up"}}, decoding={}, provenance={},
                ).write(place / "results.json")  # fmt: skip


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        write_runs(Path(folder))

        def command(*words: str) -> None:
            line = [sys.executable, "-m", "mclas_lightning.cli", *words]
            subprocess.run(line, check=True, capture_output=True)

        def python() -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)

        def tables() -> None:
            command("table", "--runs", folder)

        report = {
            "python alone": timed(python, asked.repeats),
            "mclas --help": timed(lambda: command("--help"), asked.repeats),
            "mclas table, 120 runs": timed(tables, asked.repeats),
        }
    show({name: {"median_s": found["median_s"]} for name, found in report.items()}, asked.json)


if __name__ == "__main__":
    main()
