"""`mclas summarize`: one document from the start of the process, and many at an evaluation's rate.

The network is network=small, trained for two updates. One document: seconds of a process that
summarizes it, beside those of processes that import torch alone, that also read the checkpoint and
the tokenizer, and that load the run by `Summarizer.load`. Many documents: seconds of
`Summarizer.stream`, beside those of the function by which `mclas-evaluate` summarizes a test set.
All are measured in turn, so that other work on the machine slows all of them.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.measure import arguments, show
from benchmarks.training import words
from mclas_lightning.config.compose import compose
from mclas_lightning.corpora import toy
from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.toy.editions import TOY
from mclas_lightning.example import read_jsonl
from mclas_lightning.inference.api import Summarizer
from mclas_lightning.train import train

TORCH = "import torch"
FILES = (
    "import sys, torch, tokenizers; torch.load(f'{sys.argv[1]}/checkpoints/best.ckpt'); "
    "tokenizers.Tokenizer.from_file(f'{sys.argv[1]}/tokenizer/tokenizer.json')"
)
LOADED = "import sys; from mclas_lightning import Summarizer; Summarizer.load(sys.argv[1])"

TARGET = 1.5  # times importing torch and loading, for one document


def main() -> None:
    """Print the report."""
    asked = arguments(__doc__ or "", documents=1000)
    with tempfile.TemporaryDirectory() as folder:
        run = _trained(Path(folder), asked.documents)
        report = {"target": TARGET, "one document": _one(run, Path(folder), asked)}
        report["many documents"] = _many(run, Path(folder), asked.documents, asked.repeats)
    show(report, asked.json)


def _trained(folder: Path, documents: int) -> Path:
    sizes = {**dict.fromkeys(TOY.sizes, 1), "train": max(200, documents), "valid": 20}
    with redirect_stdout(sys.stderr):  # stdout is for the report.
        toy.write_toy(
            folder / "toy",
            seed=0,
            sizes=sizes,
            progress=lambda _: None,
            finish=lambda built: build_tokenizer(built, 4000, False),
        )
        line = words(folder, "scenario=full", "network=small", "optim=small")
        few = ["optim.updates={full: 2}", "optim.validations=1"]
        results = train(compose("train", [*line, *few]))
    assert results is not None
    assert results.folder is not None
    return results.folder


def _one(run: Path, folder: Path, asked) -> dict[str, dict[str, float]]:
    """Wall and processor seconds of each process, and of the last beside the others."""
    document = folder / "document.txt"
    example = next(read_jsonl(folder / "toy" / "en2de" / "train.jsonl"))
    document.write_text(example.document, encoding="utf-8")
    summarize = ["-m", "mclas_lightning.cli.main", "summarize", str(run), str(document)]
    lines = {
        "import torch": ["-c", TORCH],
        "import torch, read the files": ["-c", FILES, str(run)],
        "Summarizer.load": ["-c", LOADED, str(run)],
        "mclas summarize": summarize,
    }
    environment = {**os.environ, "OMP_NUM_THREADS": str(asked.threads)}

    def process(line: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run(
            [sys.executable, *line], check=True, capture_output=True, env=environment
        )

    return _beside(
        {name: process(line) for name, line in lines.items()}, asked.repeats, of_children=True
    )


def _many(run: Path, folder: Path, num: int, repeats: int) -> dict[str, dict[str, float]]:
    texts = [e.document for e in read_jsonl(folder / "toy" / "en2de" / "train.jsonl")][:num]
    summarizer = Summarizer.load(run, device="cpu")
    list(summarizer.stream(texts[:8]))  # loads the language identifier
    calls = {
        "mclas-evaluate's": lambda: summarizer.system.summarize(texts, summarizer.decoding),
        "mclas summarize's": lambda: [*summarizer.stream(texts)],
    }
    return _beside(calls, repeats, of_children=False)


def _beside(
    calls: Mapping[str, Callable[[], object]], repeats: int, *, of_children: bool
) -> dict[str, dict[str, float]]:
    """Median seconds of each call, taken in turn, and the last one's as a multiple of them.

    Processes have a round before, after which their files are in memory.
    """
    who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    wall: dict[str, list[float]] = {name: [] for name in calls}
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(not of_children, repeats + 1):
        for name, call in calls.items():
            began, used = time.perf_counter(), resource.getrusage(who)
            call()
            now = resource.getrusage(who)
            if number:
                wall[name].append(time.perf_counter() - began)
                cpu[name].append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
    middle = {n: (statistics.median(wall[n]), statistics.median(cpu[n])) for n in calls}
    last = [*middle.values()][-1]
    return {
        name: {
            "seconds": seconds,
            "cpu_s": busy,
            "last_by_this": last[0] / seconds,
            "last_by_this_cpu": last[1] / busy,
        }
        for name, (seconds, busy) in middle.items()
    }


if __name__ == "__main__":
    main()
