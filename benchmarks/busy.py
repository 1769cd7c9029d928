"""Trainings of ``network=tiny`` on a quiet machine and beside one busy process, by spin counts.

    python -m benchmarks.busy --spins 0 1000 10000 100000 300000 --seconds 5 --repeats 3

A spin count is how often a waiting thread of OpenMP looks before it sleeps (``GOMP_SPINCOUNT``);
``system`` stands for OpenMP's own. Every rate is of a process of its own, with ``--threads``
threads; the counts take turns, so that what else the machine does falls on all of them. Ratios are
to the quiet rate of ``system``. Two trainings of one thread each are beside one of two threads.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import show

SYSTEM = "system"

OTHER = "while True: pass"  # the busy process

VARIABLE = "GOMP_SPINCOUNT"

VOCABULARY, BATCH, SOURCE, TARGET = 4000, 12, 96, 40  # of a micro-batch like the toy corpus's


def train(seconds: float) -> float:
    """Updates a second of this process."""
    import torch

    from benchmarks.step import update
    from mclas_lightning.model.decoder import DecoderConfig
    from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq

    torch.manual_seed(0)
    encoder = {
        "vocab_size": VOCABULARY, "hidden_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 512,
    }  # fmt: skip
    decoder = DecoderConfig(layers=2, heads=4, feed_forward=512, dropout=0.1)
    step = update(
        Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder)),
        torch.randint(9, VOCABULARY, (BATCH, SOURCE)),
        torch.randint(9, VOCABULARY, (BATCH, TARGET + 1)),
    )
    step()
    began, updates = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        step()
        updates += 1
    return updates / (time.perf_counter() - began)


def rate(spins: str, threads: int, seconds: float, processes: int = 1) -> float:
    """Updates a second of ``processes`` trainings together."""
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    environment |= {"OMP_NUM_THREADS": str(threads)}
    environment |= {} if spins == SYSTEM else {VARIABLE: spins}
    line = [sys.executable, "-m", "benchmarks.busy", "--train", "--seconds", str(seconds)]
    started = [
        subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    return sum(float(process.communicate()[0]) for process in started)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Within the context so many other processes compute."""
    others = [subprocess.Popen([sys.executable, "-c", OTHER]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measured(asked: argparse.Namespace) -> dict[str, float]:
    """The median rate of each measurement, by name."""
    found: dict[str, list[float]] = {}
    for _ in range(asked.repeats):
        for others, place in enumerate(("quiet", "beside one")):
            with busy(others):
                for spins in asked.spins:
                    rates = found.setdefault(f"{place}, {spins}", [])
                    rates.append(rate(spins, asked.threads, asked.seconds))
        for processes in range(1, asked.threads + 1):
            rates = found.setdefault(f"quiet, {processes} x 1 thread", [])
            rates.append(rate(asked.spins[0], 1, asked.seconds, processes))
    return {name: statistics.median(rates) for name, rates in found.items()}


def main() -> None:
    """Print the report, or with ``--train`` the rate of this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spins", nargs="+", default=["0", "1000", "10000", "100000", SYSTEM])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="the report as JSON, not as a table")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        print(train(asked.seconds))
        return
    asked.spins = list(dict.fromkeys([*asked.spins, SYSTEM]))
    rates = measured(asked)
    base = rates[f"quiet, {SYSTEM}"]
    report = {
        name: {"updates_per_s": rate, "of_quiet_system": rate / base}
        for name, rate in rates.items()
    }
    for spins in asked.spins:
        kept = rates[f"beside one, {spins}"] / rates[f"quiet, {spins}"]
        report[f"kept beside one, {spins}"] = {"of_its_quiet_rate": kept}
    show(report, asked.json)


if __name__ == "__main__":
    main()
