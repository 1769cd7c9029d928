"""How MCLAS is searched: the joint beam beside a search in two stages, and S^A that are given.

    python -m benchmarks.search runs/toy_en2de/maximum/mclas/seed=0 --split valid

Rows are the joint search of ``decoding``; S^A to its end, then S^B, each with a beam and a length
penalty of its own; and S^B after the reference S^A and after an empty one. The last line says how
often the beams of the joint search share one S^A: where they first all write S^B, and at the end.
With ``--write`` the numbers go into search.json of each run's folder.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from benchmarks.stages import search_cross, search_mono
from mclas_lightning.config.dataset import Split
from mclas_lightning.data.batch import pad
from mclas_lightning.decoding.beam import n_best_search
from mclas_lightning.decoding.step import DecoderStep
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.files import write_json
from mclas_lightning.inference.trained import dataset_of, decoding_of, load_summarizer
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.score import system_scores
from mclas_lightning.runs.run import Run

SEARCHES = "search.json"


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
def distinct_monos(summarizer: NetworkSummarizer, texts: Sequence[str], config) -> list[list[int]]:
    """For each text, the number of S^A in the beam at each step at which all beams write S^B."""
    (decoder, sides), *_ = summarizer.task.targets.items()
    network, special = summarizer.network.eval(), summarizer.tokenizer.special
    output, found = summarizer._output(network, sides, config), []
    for source in summarizer.tokenizer.encode_sources(texts, summarizer.max_source):
        memory, noted = network.encode(pad([source], special.pad)), DistinctMonos(special.lsep)
        processors = [*summarizer._processors(sides, config, output.shortlists), noted]
        step = DecoderStep(network, decoder, memory, output)
        n_best_search(step, 1, summarizer._beam(len(sides), config), processors)
        found.append(noted.seen)
    return [seen for seen in found if seen]


def searches(run: Run, split: Split, num: int) -> dict[str, dict[str, float]]:
    """ROUGE-1/2/L (0 to 100) of S^A and S^B by search, and two shares, of the first documents."""
    summarizer, config, dataset = load_summarizer(run), decoding_of(run), dataset_of(run)
    examples = dataset.read(split, ("mono", "cross"))[:num]
    texts = [example.document for example in examples]
    tokenizer, (source, target) = summarizer.tokenizer, (dataset.source, dataset.target or "")

    def rouge(written: Sequence[str], language: str, side: str) -> dict[str, float]:
        references = [getattr(example, side) for example in examples]
        found = system_scores(written, references, [standard_profile(language)]).totals
        return {f"{side} R-{n}": 100 * found[f"rouge{n}_f"] for n in ("1", "2", "L")}

    def cross_after(monos: Sequence[Sequence[int]]) -> list[str]:
        found = search_cross(summarizer, texts, monos, config)
        return [tokenizer.decode(hypothesis.ids[:-1], target) for hypothesis in found]

    joint = summarizer.summarize(texts, config)
    crosses, monos = [found["cross"] for found in joint], [found["mono"] for found in joint]
    first = [hypothesis.ids[:-1] for hypothesis in search_mono(summarizer, texts, config)]
    staged, own = cross_after(first), [tokenizer.decode(ids, source) for ids in first]
    references = tokenizer.encode([example.mono or "" for example in examples], dataset.max_summary)
    seen = distinct_monos(summarizer, texts, config)
    same = [
        statistics.fmean(a == b for a, b in zip(*pair, strict=True))
        for pair in ((monos, own), (crosses, staged))
    ]
    shared = [statistics.fmean(steps[at] == 1 for steps in seen) for at in (0, -1)]
    return {
        "joint": rouge(crosses, target, "cross") | rouge(monos, source, "mono"),
        "staged": rouge(staged, target, "cross") | rouge(own, source, "mono"),
        "reference S^A": rouge(cross_after(references), target, "cross"),
        "empty S^A": rouge(cross_after([[]] * len(texts)), target, "cross"),
        "joint and staged agree, %": {"mono": 100 * same[0], "cross": 100 * same[1]},
        "beams share one S^A, %": {"as S^B begins": 100 * shared[0], "at the end": 100 * shared[1]},
    }


def main() -> None:
    """Print the numbers of each run, or write them into its folder, too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--split", default="valid", choices=get_args(Split))
    parser.add_argument("--num", type=int, default=200, help="documents, from the first on")
    parser.add_argument("--write", action="store_true", help="RUN/search.json, where it is missing")
    asked = parser.parse_args()
    for folder in asked.runs:
        written = folder / SEARCHES
        if asked.write and written.exists():
            continue
        found = searches(Run(folder), asked.split, asked.num)
        print(folder)
        for name, values in found.items():
            print(f"  {name}: {', '.join(f'{key} {value:.2f}' for key, value in values.items())}")
        if asked.write:
            write_json(written, {"split": asked.split, **found})


if __name__ == "__main__":
    main()
