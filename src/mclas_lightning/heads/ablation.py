"""Ablation: each head's output is set to zero in turn, and the loss of each side measured.

Shape letters: B documents, T target length, D width, V vocabulary, L layers, H heads.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mclas_lightning.data.batch import pad
from mclas_lightning.decoding.batches import Budget, batches_by_length
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import Summarizer
from mclas_lightning.example import Side
from mclas_lightning.model.attention import Attention
from mclas_lightning.model.seq2seq import Memory
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.heads import ATTENTIONS

MAX_TOKENS = 4096  # word pieces of a batch's documents


class EncodedBatch(NamedTuple):
    """Documents whose encoder has been run once for all ablations, and their targets."""

    memory: Memory
    target_BT: Tensor


@contextmanager
def silenced(attention: Attention, head: int) -> Iterator[None]:
    """Within the context, the output of one head is zero."""
    width = attention.output.in_features // attention.heads

    def zero(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
        mixed_BTD = given[0].clone()
        mixed_BTD[..., head * width : (head + 1) * width] = 0
        return (mixed_BTD,)

    handle = attention.output.register_forward_pre_hook(zero)
    try:
        yield
    finally:
        handle.remove()


def ablate(
    summarizer: Summarizer,
    decoder: str,
    texts: Sequence[str],
    summaries: Sequence[Summaries],
    max_summary: int,
) -> dict[str, Any]:
    """The loss of each side, and by how much it rises without each head, in nats a word piece."""
    batches = list(_encoded(summarizer, decoder, texts, summaries, max_summary))
    whole = side_losses(summarizer, decoder, batches)
    layers = summarizer.network.decoder(decoder).layers
    changes = {name: {side: [] for side in whole} for name in ATTENTIONS}
    total = len(ATTENTIONS) * len(layers) * summarizer.network.config.decoder.heads
    with progress_bar(total, "silencing", "heads") as bar:
        for name in ATTENTIONS:
            for layer in layers:
                attention = layer.get_submodule(f"{name}_attention")
                assert isinstance(attention, Attention)
                found = []
                for head in range(attention.heads):
                    with silenced(attention, head):
                        found.append(side_losses(summarizer, decoder, batches))
                    bar.update(1)
                for side, loss in whole.items():
                    changes[name][side].append([round(one[side] - loss, 4) for one in found])
    return {"num": len(texts), "loss": whole, "change": changes}


@torch.inference_mode()
def side_losses(
    summarizer: Summarizer, decoder: str, batches: Sequence[EncodedBatch]
) -> dict[Side, float]:
    """The mean negative log-likelihood of each side's word pieces; a side's end belongs to it."""
    network, special = summarizer.network.eval(), summarizer.tokenizer.special
    sides = summarizer.task.targets[decoder]
    sums, counts = np.zeros(len(sides)), np.zeros(len(sides))
    for memory, target_BT in batches:
        read_BT, gold_BT = target_BT[:, :-1], target_BT[:, 1:]
        logits_BTV = network.logits(network.hidden(decoder, read_BT, memory)).float()
        nll_BT = -logits_BTV.log_softmax(-1).gather(-1, gold_BT[..., None])[..., 0]
        side_BT = (read_BT == special.lsep).cumsum(1)
        for side in range(len(sides)):
            of_side_BT = (gold_BT != special.pad) & (side_BT == side)
            sums[side] += float(nll_BT[of_side_BT].sum())
            counts[side] += int(of_side_BT.sum())
    means = (sums / counts).round(4).tolist()
    return dict(zip(sides, means, strict=True))


@torch.inference_mode()
def _encoded(
    summarizer: Summarizer,
    decoder: str,
    texts: Sequence[str],
    summaries: Sequence[Mapping[Side, str]],
    max_summary: int,
) -> Iterator[EncodedBatch]:
    tokenizer, task = summarizer.tokenizer, summarizer.task
    sides, special = task.targets[decoder], tokenizer.special
    device = summarizer.network.output_bias.device
    sources = tokenizer.encode_sources(texts, summarizer.max_source, summarizer.sentences)
    ids = {
        side: tokenizer.encode([summary[side] for summary in summaries], max_summary)
        for side in sides
    }
    for indices in batches_by_length(sources, Budget(MAX_TOKENS)):
        targets = [
            task.target_ids(decoder, {side: ids[side][i] for side in sides}, special)
            for i in indices
        ]
        memory = summarizer.network.encode(
            pad([sources[i] for i in indices], special.pad).to(device)
        )
        yield EncodedBatch(memory, pad(targets, special.pad).to(device))
