"""Memory, open files and log of a long training, a long sweep and a large evaluation.

    python -m benchmarks.endurance
    python -m benchmarks.endurance --updates 2000 --runs 20 --documents 5000

A command of a network of width 16 on generated news is watched from outside. Each curve has ten
numbers, the means over tenths of the command's time: memory of all its processes (a page that
several share counts once), their open files, and what was printed. ``flat`` is the last number
divided by the second one; the first one holds the start.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measure import arguments, show
from mclas_lightning.corpora.build import build_toy
from mclas_lightning.corpora.toy.editions import TOY

SIZES = {"train": 230, "valid": 7, "test": 5, "mono_train": 1, "mono_valid": 1, "mono_test": 1}
WORDS = (
    "dataset=toy", "model=mclas_scratch", "network.encoder.width=16",
    "network.encoder.feed_forward=32", "network.decoder.feed_forward=32", "optim.max_tokens=512",
    "decoding.beam=1", "decoding.max_length=8", "trainer.accelerator=cpu",
)  # fmt: skip
SWEEP = (
    "# @package _global_\nhydra: {{mode: MULTIRUN, sweeper: {{params: {{seed: 'range({})'}}}}}}\n"
)
EVERY = 0.5  # seconds


def children(pid: int) -> list[int]:
    """The process and all that it has started."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            parents.setdefault(int(parent), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def sample(pid: int, log: Path) -> tuple[float, float, float]:
    """MB of memory, open files, and KB printed so far."""
    memory = files = 0
    for one in children(pid):
        with suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            memory += int(rollup.partition("\nPss:")[2].split()[0])
            files += len(os.listdir(f"/proc/{one}/fd"))
    return memory / 1e3, files, log.stat().st_size / 1e3


def watch(words: list[str], log: Path) -> dict[str, object]:
    """The curves of a command, until it ends."""
    began, found = time.perf_counter(), list[tuple[float, float, float]]()
    with log.open("w") as file:
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=file, stderr=file)
        while process.poll() is None:
            found.append(sample(process.pid, log))
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(log.read_text())
    seconds = time.perf_counter() - began
    memory, files, printed = (
        [float(np.mean(part)) for part in np.array_split(curve, 10)]
        for curve in zip(*found, strict=True)
    )
    return {
        "seconds": seconds,
        "memory, MB": " ".join(f"{one:.0f}" for one in memory),
        "flat, memory": memory[-1] / memory[1],
        "open files": " ".join(f"{one:.0f}" for one in files),
        "flat, files": files[-1] / files[1],
        "printed, KB": " ".join(f"{one:.1f}" for one in printed),
    }


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "", updates=20_000, runs=200, documents=50_000)
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        build_toy(place / "toy", 0, replace(TOY, sizes={**SIZES, "test": asked.documents}))
        build_toy(place / "few" / "toy", 0, replace(TOY, sizes=SIZES))
        short = ["optim.updates={full: 4}", "optim.validations=2"]
        long = [f"optim.updates={{full: {asked.updates}}}", "optim.validations=100"]
        few = [*WORDS, f"data={place}/few", f"store={place}/few/store"]
        many = [*WORDS, f"data={place}", f"store={place}/store", f"runs={place}/runs"]
        (place / "sweep.yaml").write_text(SWEEP.format(asked.runs))
        subprocess.run([sys.executable, "-m", "mclas_lightning.train", *many, *short], check=True)
        run = f"{place}/runs/toy_en2de/full/mclas_scratch/seed=0"
        train = ["mclas_lightning.train", *few, *long, "optim.patience=1000"]
        sweep = ["mclas_lightning.cli.main", "sweep", "run", f"{place}/sweep.yaml", *few, *short]
        commands = {
            f"training, {asked.updates:,} updates": [*train, f"runs={place}/long"],
            f"sweep, {asked.runs} runs": [*sweep, f"runs={place}/swept", "--launcher", "processes"],
            f"evaluation, {asked.documents:,} documents": [
                "mclas_lightning.evaluate", run, "decoding.max_length=9",
            ],
        }  # fmt: skip
        show({name: watch(words, place / "log") for name, words in commands.items()}, asked.json)


if __name__ == "__main__":
    main()
