"""How MCLAS is searched: the joint beam beside a search in two stages, and S^A that are given.

    python -m benchmarks.search runs/toy_en2de/maximum/mclas/seed=0 --split valid

Rows are the joint search of ``decoding``; S^A to its end, then S^B, each with a beam and a length
penalty of its own; and S^B after the reference S^A and after an empty one. The last line says how
often the beams of the joint search share one S^A: where they first all write S^B, and at the end.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from mclas_lightning.config.dataset import Split
from mclas_lightning.data.batch import pad
from mclas_lightning.decoding.beam import beam_search
from mclas_lightning.decoding.stages import search_cross, search_mono
from mclas_lightning.decoding.step import DecoderStep
from mclas_lightning.decoding.summarizer import Summarizer
from mclas_lightning.inference.trained import dataset_of, decoding_of, load_summarizer
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.score import system_scores
from mclas_lightning.runs.run import Run


class DistinctMonos:
    """A processor that notes how many S^A the beams of one document hold, once all write S^B."""

    def __init__(self, lsep_id: int) -> None:
        self.lsep_id, self.seen = lsep_id, []

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        prefixes = prefix_NT.tolist()
        if all(self.lsep_id in prefix for prefix in prefixes):
            monos = {tuple(prefix[: prefix.index(self.lsep_id)]) for prefix in prefixes}
            self.seen.append(len(monos))
        return scores_NC


@torch.inference_mode()
def distinct_monos(summarizer: Summarizer, texts: Sequence[str], config) -> list[list[int]]:
    """For each text, the number of S^A in the beam at each step at which all beams write S^B."""
    (decoder, sides), *_ = summarizer.task.targets.items()
    network, special = summarizer.network.eval(), summarizer.tokenizer.special
    output, found = summarizer._output(network, sides, config), []
    for source in summarizer.tokenizer.encode_sources(texts, summarizer.max_source):
        memory, noted = network.encode(pad([source], special.pad)), DistinctMonos(special.lsep)
        processors = [*summarizer._processors(sides, config, output.shortlists), noted]
        step = DecoderStep(network, decoder, memory, output)
        beam_search(step, 1, summarizer._beam(len(sides), config), processors)
        found.append(noted.seen)
    return [seen for seen in found if seen]


def main() -> None:
    """Print a line for each search, ROUGE-1/2/L of S^B and, where it is searched, of S^A."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--split", default="valid", choices=get_args(Split))
    parser.add_argument("--num", type=int, default=200, help="documents, from the first on")
    asked = parser.parse_args()
    run = Run(asked.run)
    summarizer, config, dataset = load_summarizer(run), decoding_of(run), dataset_of(run)
    examples = dataset.read(asked.split, ("mono", "cross"))[: asked.num]
    texts = [example.document for example in examples]
    tokenizer, (source, target) = summarizer.tokenizer, (dataset.source, dataset.target or "")

    def rouge(written: Sequence[str], language: str, side: str) -> str:
        references = [getattr(example, side) for example in examples]
        found = system_scores(written, references, [standard_profile(language)]).totals
        return " / ".join(f"{100 * found[f'rouge{n}_f']:.2f}" for n in ("1", "2", "L"))

    def cross_after(monos: Sequence[Sequence[int]]) -> list[str]:
        found = search_cross(summarizer, texts, monos, config)
        return [tokenizer.decode(hypothesis.ids[:-1], target) for hypothesis in found]

    joint = summarizer.summarize(texts, config)
    crosses, monos = [found["cross"] for found in joint], [found["mono"] for found in joint]
    print(f"joint: S^B {rouge(crosses, target, 'cross')}, S^A {rouge(monos, source, 'mono')}")
    first = [hypothesis.ids[:-1] for hypothesis in search_mono(summarizer, texts, config)]
    staged, own = cross_after(first), [tokenizer.decode(ids, source) for ids in first]
    print(f"staged: S^B {rouge(staged, target, 'cross')}, S^A {rouge(own, source, 'mono')}")
    references = tokenizer.encode([example.mono or "" for example in examples], dataset.max_summary)
    print(f"reference S^A: S^B {rouge(cross_after(references), target, 'cross')}")
    print(f"empty S^A: S^B {rouge(cross_after([[]] * len(texts)), target, 'cross')}")
    same = [
        statistics.fmean(a == b for a, b in zip(*pair, strict=True))
        for pair in ((monos, own), (crosses, staged))
    ]
    print(f"joint and staged agree on {same[0]:.0%} of S^A and {same[1]:.0%} of S^B")
    seen = distinct_monos(summarizer, texts, config)
    begun, ended = (statistics.fmean(steps[at] == 1 for steps in seen) for at in (0, -1))
    print(f"beams share one S^A: {begun:.0%} where S^B begins, {ended:.0%} at the end")


if __name__ == "__main__":
    main()
