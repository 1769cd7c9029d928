"""DDP of 2 processes with a thread each, against 1 process with 2 threads: updates a second.

Each update of ``network=small`` has two micro-batches: two processes take one each, one process
takes both. The two ways are measured in turns; a ratio is of two neighboring turns.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import arguments, show
from benchmarks.processes import start

SKIP = 3  # warm-up updates


def worker(folder: str, devices: int, updates: int) -> None:
    """One process of a training; rank zero prints its updates a second."""
    import pytorch_lightning as pl
    import torch

    from benchmarks.training import Clock, parts, words

    torch.set_num_threads(2 // devices)
    strategy = ["trainer=ddp", "trainer.precision=32-true"] if devices > 1 else []
    more = [
        f"trainer.devices={devices}", f"optim.accumulate={2 // devices}",
        "optim.max_tokens=2048", *strategy,
    ]  # fmt: skip
    line = words(Path(folder), "network=small", "optim=small", *more)
    settings, module, data = parts(line, devices)
    clock = Clock()
    pl.Trainer(
        **{**settings.trainer, "accelerator": "cpu"}, max_steps=updates, max_epochs=-1,
        accumulate_grad_batches=settings.optim.accumulate, callbacks=[clock], logger=False,
        gradient_clip_val=settings.optim.gradient_clip, limit_val_batches=0,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False,
    ).fit(module, datamodule=data)  # fmt: skip
    if os.environ.get("RANK", "0") == "0":
        size = sum(p.numel() for p in module.parameters() if p.requires_grad)
        rate = clock.rate(SKIP)
        print(json.dumps({"updates_per_s": rate, "gradient_mb": size * 4 / 1e6}), flush=True)


def measure(folder: Path, devices: int, updates: int) -> dict[str, Any]:
    """Start the processes; the updates a second that rank zero prints."""
    line = ["benchmarks.ddp", "worker", str(folder), str(devices), str(updates)]
    first, *_ = start(line, devices, threads=2 // devices, first=subprocess.PIPE)
    said = first.communicate()[0]
    return json.loads(said.splitlines()[-1])


def main() -> None:
    """Print the report."""
    if sys.argv[1:2] == ["worker"]:
        worker(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    asked = arguments(__doc__ or "", updates=15, turns=2)
    from benchmarks.training import build_corpus

    with tempfile.TemporaryDirectory() as folder:
        build_corpus(Path(folder))
        found = {devices: [] for devices in (1, 2)}
        for _ in range(asked.turns):
            for devices, turns in found.items():
                turns.append(measure(Path(folder), devices, asked.updates))
    one, two = ([turn["updates_per_s"] for turn in turns] for turns in found.values())
    ratios = [b / a for a, b in zip(one, two, strict=True)]
    report = {
        "1 process x 2 threads": {"updates_per_s": statistics.median(one)},
        "2 processes x 1 thread": {"updates_per_s": statistics.median(two)},
        "gradients, MB an update": found[2][0]["gradient_mb"],
        "ratio": statistics.median(ratios),
        "ratio, lowest": min(ratios),
    }
    show(report, asked.json)


if __name__ == "__main__":
    main()
