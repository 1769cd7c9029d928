"""``decoding.bound=present`` beside the default, on trained runs: what it saves and what it costs.

    python -m benchmarks.bound runs/demo/brief_en2de/minimum/mclas/seed=0

A search by ``longest`` ends a document where no open beam can win at any length, by ``present``
where none would win at its present length. For each run: steps, each counted once for each of its
rows, and seconds of ``present`` as shares of those of ``longest``, the percentage of documents
whose summaries differ, and ROUGE-1 of S^B, or of S^A where the system writes no S^B.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from mclas_lightning.decoding.step import DecoderStep
from mclas_lightning.inference.trained import dataset_of, decoding_of, load_summarizer
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.score import system_scores
from mclas_lightning.runs.run import Run

BOUNDS = ("longest", "present")


def measured(run: Run, num: int, turns: int) -> dict[str, float]:
    """The numbers of a run, of the first test documents; seconds are the least of ``turns``."""
    summarizer, config, dataset = load_summarizer(run), decoding_of(run), dataset_of(run)
    side = summarizer.task.sides[-1]
    examples = dataset.read("test", (side,))[:num]
    texts = [example.document for example in examples]
    references = [example.summary(side) or "" for example in examples]
    step, rows = DecoderStep.__call__, 0

    def counted(self: DecoderStep, last_N: Tensor) -> Tensor:
        nonlocal rows
        rows += len(last_N)
        return step(self, last_N)

    steps, seconds, summaries, rouge = {}, dict.fromkeys(BOUNDS, float("inf")), {}, {}
    for _ in range(turns):
        for bound in BOUNDS:
            rows, began = 0, time.perf_counter()
            with patch.object(DecoderStep, "__call__", counted):
                summaries[bound] = summarizer.summarize(texts, replace(config, bound=bound))
            seconds[bound] = min(seconds[bound], time.perf_counter() - began)
            steps[bound] = rows
    for bound, found in summaries.items():
        profile = standard_profile(dataset.language(side))
        scores = system_scores([summary[side] for summary in found], references, [profile])
        rouge[f"ROUGE-1, {bound}"] = 100 * scores.totals["rouge1_f"]
    differ = sum(a != b for a, b in zip(*summaries.values(), strict=True))
    return {
        "steps": steps["present"] / steps["longest"],
        "seconds": seconds["present"] / seconds["longest"],
        "differ, %": 100 * differ / len(texts),
        **rouge,
    }


def main() -> None:
    """Print the numbers of each run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--num", type=int, default=200, help="documents, from the first on")
    parser.add_argument("--turns", type=int, default=3, help="of which the fastest counts")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    for folder in asked.runs:
        found = measured(Run(folder), asked.num, asked.turns)
        print(f"{folder}: " + ", ".join(f"{key} {value:.2f}" for key, value in found.items()))


if __name__ == "__main__":
    main()
