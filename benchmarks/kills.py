"""Runs killed at random moments: are their results those of a run without interruption?

A run is started, killed after a random time (SIGKILL, SIGTERM or SIGUSR2) and started again until
it is done. Runs follow one another until there were as many kills as asked for. A run is exact if
its metrics.csv, weights, optimizer and predictions are bit for bit those of the undisturbed run.
"""

import json
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import arguments, show
from benchmarks.processes import start
from mclas_lightning.files import read_json
from mclas_lightning.runs.run import Run
from mclas_lightning.training.checkpoints import resumable

TRAIN = ["mclas_lightning.train"]
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGTERM, signal.SIGUSR2)


def wait(started: Sequence[subprocess.Popen], seconds: float | None = None) -> bool:
    """Whether all processes ended in time."""
    until = None if seconds is None else time.monotonic() + seconds
    for process in started:
        try:
            process.wait(None if until is None else max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


def undisturbed(words: Sequence[str], run: Run, processes: int) -> float:
    """Seconds of an undisturbed run."""
    began = time.monotonic()
    wait(start(TRAIN + list(words), processes))
    assert run.finished, f"{' '.join(words)}: failed"
    return time.monotonic() - began


def disturbed(
    words: Sequence[str], run: Run, processes: int, seconds: float, kills: int, rng: random.Random
) -> list[dict[str, Any]]:
    """Kill the run up to ``kills`` times; the signal, exit codes and update of each kill."""
    done: list[dict[str, Any]] = []
    while len(done) < kills and not run.finished:
        started = start(TRAIN + list(words), processes)
        if wait(started, rng.uniform(0, seconds)):
            assert run.finished, f"{' '.join(words)}: failed"
            break
        sent = rng.choice(SIGNALS)
        for process in started:
            process.send_signal(sent)
        wait(started)
        done.append(
            {
                "signal": sent.name,
                "exit": sorted({process.returncode for process in started}),
                "update": update_of(run),
                "trained": run.trained,
            }
        )
    if not run.finished:
        wait(start(TRAIN + list(words), processes))
    return done


def update_of(run: Run) -> int:
    """The update that the run resumes from."""
    path = resumable(run)
    return torch.load(path, weights_only=True)["global_step"] if path else 0


def differences(ours: Run, theirs: Run) -> list[str]:
    """Names of what differs between the two runs."""
    found = [
        name
        for name in ("metrics.csv", "predictions.jsonl")
        if (ours.folder / name).read_bytes() != (theirs.folder / name).read_bytes()
    ]
    for name in ("best", "last"):
        one, two = (torch.load(getattr(run, name), weights_only=True) for run in (ours, theirs))
        for part in ("state_dict", "optimizer_states", "lr_schedulers"):
            if not same(one.get(part), two.get(part)):
                found.append(f"{name}.ckpt: {part}")
    keys = ("updates", "best_val_loss", "stopped_early")
    one, two = (read_json(run.folder / "training.json", dict) for run in (ours, theirs))
    return [*found, *(key for key in keys if one[key] != two[key])]


def same(one: Any, two: Any) -> bool:
    """Whether nested lists and mappings of tensors are bit for bit equal."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


def survive(
    words: Sequence[str], folder: Path, *, kills: int, processes: int, seed: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """All kills; each says whether its run was exact, and what differs."""
    rng = random.Random(seed)
    words = [*words, "trainer.keep_last=true"]  # last.ckpt is compared, too.
    whole = Run(folder / "whole")
    seconds = undisturbed([*words, f"run_dir={whole}"], whole, processes)
    all_kills: list[dict[str, Any]] = []
    wrong: list[str] = []
    number = 0
    while len(all_kills) < kills:
        run = Run(folder / f"killed-{(number := number + 1)}")
        line = [*words, f"run_dir={run}"]
        done = disturbed(line, run, processes, seconds, kills - len(all_kills), rng)
        unlike = differences(run, whole)
        wrong += [f"{run.folder.name}: {what}" for what in unlike]
        all_kills += [{**kill, "run": number, "exact": not unlike} for kill in done]
    return all_kills, wrong


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "", kills=20, processes=1, seed=0)
    from benchmarks.training import build_corpus, words

    with tempfile.TemporaryDirectory() as name:
        build_corpus(Path(name))
        line = words(
            Path(name), "optim.updates={medium: 300}", "optim.validations=10", "optim.patience=100",
            "optim.max_tokens=512", "optim.accumulate=2", "trainer.log_every_n_steps=1",
            "trainer.checkpoint_minutes=0.02", f"trainer.devices={asked.processes}",
            "decoding.max_length=8", "decoding.beam=1",
        )  # fmt: skip
        if asked.processes > 1:
            line += ["trainer.strategy=ddp"]
        kills, wrong = survive(
            line, Path(name), kills=asked.kills, processes=asked.processes, seed=asked.seed
        )
    if asked.json:
        print(json.dumps({"kills": kills, "differences": wrong}, indent=2))
        return
    for number, kill in enumerate(kills, start=1):
        print(number, *(f"{key} {value}" for key, value in kill.items()), sep="\t")
    show({"kills": len(kills), "exact": sum(kill["exact"] for kill in kills)}, False)
    print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
