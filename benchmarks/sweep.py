"""Seconds that a sweep's scheduling adds to each run, beside starting mclas-train for each.

The same short trainings on the small toy corpus run three times: by ``mclas sweep run``, by one
mclas-train after the other, and in one warm process, which gives the seconds without scheduling.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import arguments, show
from mclas_lightning.corpora.toy.editions import TOY

SIZES = {"train": 230, "valid": 7, "test": 5, "mono_train": 90, "mono_valid": 7, "mono_test": 5}
WORDS = (
    "network.encoder.width=16", "network.encoder.feed_forward=32",
    "network.decoder.feed_forward=32", "optim.updates={minimum: 4, full: 4}",
    "optim.validations=2", "decoding.beam=2", "trainer.accelerator=cpu",
)  # fmt: skip
OWN = """
import json, sys, time
from mclas_lightning.config.compose import compose
from mclas_lightning.train import train
seconds = []
for words in json.load(sys.stdin):
    began = time.perf_counter()
    train(compose("train", words))
    seconds.append(time.perf_counter() - began)
print(json.dumps(seconds))
"""


def timed(command: list[str], text: str | None = None) -> tuple[float, str]:
    """Seconds of a process, and its output."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, input=text)
    return time.perf_counter() - began, done.stdout


def main() -> None:
    """Print the report."""
    from mclas_lightning.corpora.build import build_toy
    from mclas_lightning.sweep.plan import plan_runs

    asked = arguments(__doc__ or "")
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        build_toy(Path(folder, "toy"), 0, replace(TOY, sizes=SIZES))
        shared = [*WORDS, f"data={folder}", f"store={folder}/store"]
        places = {name: f"runs={folder}/{name}" for name in ("first", "own", "sweep", "each")}
        runs = {name: plan_runs(["toy"], [*shared, place]) for name, place in places.items()}
        number = len(runs["own"])
        words = {name: [list(run.words) for run in planned] for name, planned in runs.items()}
        # The first run makes the store of token ids that all runs read.
        timed([sys.executable, "-c", OWN], text=json.dumps(words["first"]))
        _, printed = timed([sys.executable, "-c", OWN], text=json.dumps(words["own"]))
        own = sum(json.loads(printed.splitlines()[-1]))
        cli = [sys.executable, "-m", "mclas_lightning.cli.main", "sweep", "run", "toy"]
        swept, _ = timed([*cli, *shared, places["sweep"]])
        train = [sys.executable, "-m", "mclas_lightning.train"]
        each = sum(timed([*train, *one])[0] for one in words["each"])
    show(
        {
            "runs": number,
            "a run's own, s": own / number,
            "mclas sweep run adds, s a run": (swept - own) / number,
            "mclas-train each adds, s a run": (each - own) / number,
        },
        asked.json,
    )


if __name__ == "__main__":
    main()
