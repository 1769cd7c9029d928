"""A search in two stages: S^A to its end, then S^B after an S^A that is given.

The search of ``beam`` over a whole target is joint: its beams hold several S^A, and an S^A is kept
for what S^B adds to it. Here each summary has a beam and a length penalty of its own. The S^A of
the second stage may be any: that of the first stage, a reference, or none.

Shape letters: B documents, N rows (documents x beams), P length of a prefix.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.data.batch import pad
from mclas_lightning.decoding.batches import Budget, batch_budget, batches_by_length
from mclas_lightning.decoding.beam import Hypothesis, n_best_search
from mclas_lightning.decoding.step import DecoderStep
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError


@torch.inference_mode()
def search_mono(
    summarizer: NetworkSummarizer,
    texts: Sequence[str],
    config: DecodingConfig,
    progress: Callable[[int], object] = lambda done: None,
) -> list[Hypothesis]:
    """The best S^A of each text, its [LSEP] included, whatever S^B may follow."""
    return _search(summarizer, texts, None, config, progress)


@torch.inference_mode()
def search_cross(
    summarizer: NetworkSummarizer,
    texts: Sequence[str],
    monos: Sequence[Sequence[int]],
    config: DecodingConfig,
    progress: Callable[[int], object] = lambda done: None,
) -> list[Hypothesis]:
    """The best S^B of each text after the S^A ``monos``, which are ids without control tokens.

    The score is of S^B alone, given S^A.
    """
    return _search(summarizer, texts, monos, config, progress)


def _search(
    summarizer: NetworkSummarizer,
    texts: Sequence[str],
    monos: Sequence[Sequence[int]] | None,
    config: DecodingConfig,
    progress: Callable[[int], object],
) -> list[Hypothesis]:
    task, special = summarizer.task, summarizer.tokenizer.special
    if [*task.targets.values()] != [("mono", "cross")]:
        raise InputError(f"model '{task.name}': does not write S^A, then S^B, with one decoder")
    if config.lengths != "summary":
        raise InputError("decoding.lengths=target: counts both summaries; a stage writes one")
    (decoder,) = task.targets
    network, sides = summarizer.network.eval(), task.targets[decoder]
    output = summarizer._output(network, sides, config)
    processors = summarizer._processors(sides, config, output.shortlists)
    beam = summarizer._beam(1, config)
    # Of the first stage, [LSEP] is the end; of the second, it is the beginning.
    if monos is None:
        beam = replace(beam, eos_id=special.lsep)
    else:
        beam = replace(beam, bos_id=special.lsep, max_length=beam.max_length + task.bos_after_lsep)
    sources = summarizer.tokenizer.encode_sources(
        texts, summarizer.max_source, summarizer.sentences
    )
    found: dict[int, Hypothesis] = {}
    budget = batch_budget(network, config, beam, output.shortlists.token_SC.shape[1])
    for indices in _batches(sources, monos, budget):
        memory = network.encode(pad([sources[i] for i in indices], special.pad))
        step = DecoderStep(network, decoder, memory, output)
        if monos is not None:
            prefix_BP = torch.tensor([[special.bos, *monos[i]] for i in indices])
            step.read(prefix_BP.repeat_interleave(config.beam, 0))
        hypotheses = n_best_search(step, len(indices), beam, processors)
        found |= {i: best for i, (best, *_) in zip(indices, hypotheses, strict=True)}
        progress(len(indices))
    return [found[i] for i in range(len(texts))]


def _batches(
    sources: Sequence[Sequence[int]], monos: Sequence[Sequence[int]] | None, budget: Budget
) -> Iterator[list[int]]:
    """Indices of sources of similar length whose S^A, where they are given, are equally long."""
    alike: dict[int, list[int]] = defaultdict(list)
    for index in range(len(sources)):
        alike[len(monos[index]) if monos is not None else 0].append(index)
    for group in alike.values():
        for batch in batches_by_length([sources[i] for i in group], budget):
            yield [group[i] for i in batch]
