"""Ablation: each head's output is replaced in turn, and the effect on each side measured.

A head is silenced by zero, or by its mean over all positions, which keeps what it always says.

Shape letters: B documents, T target length, D width, L layers, H heads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.data.batch import pad
from mclas_lightning.decoding.batches import Budget, batches_by_length
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.example import Side
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.model.attention import Attention
from mclas_lightning.model.seq2seq import Memory
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.heads import ATTENTIONS, MEASURED

MAX_TOKENS = 4096  # word pieces of a batch's documents

Effects = dict[str, dict[Side, float]]  # of each measure, by side


class EncodedBatch(NamedTuple):
    """Documents whose encoder has been run once for all losses, and their targets."""

    memory: Memory
    target_BT: Tensor


class Ablated(NamedTuple):
    """A summarizer of one decoder alone, and the documents that its heads are silenced on."""

    summarizer: NetworkSummarizer
    decoder: str
    texts: Sequence[str]
    references: Sequence[Summaries]
    batches: Sequence[EncodedBatch]
    decoding: DecodingConfig


@contextmanager
def replaced(attention: Attention, head: int, output_d: Tensor) -> Iterator[None]:
    """Within the context, the output of one head is ``output_d`` at every position."""
    width = len(output_d)

    def replace_head(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
        mixed_BTD = given[0].clone()
        mixed_BTD[..., head * width : (head + 1) * width] = output_d
        return (mixed_BTD,)

    handle = attention.output.register_forward_pre_hook(replace_head)
    try:
        yield
    finally:
        handle.remove()


def ablate(
    summarizer: NetworkSummarizer,
    decoder: str,
    texts: Sequence[str],
    references: Sequence[Summaries],
    max_summary: int,
    decoding: DecodingConfig,
) -> dict[str, Any]:
    """The effects of all heads, and by how much each changes where one head is replaced.

    The loss is in nats a word piece of the references. ROUGE-1 is of summaries that are decoded
    with one beam, whatever ``decoding`` says.
    """
    task = replace(summarizer.task, targets={decoder: summarizer.task.targets[decoder]})
    batches = [*encoded(summarizer, decoder, texts, references, max_summary)]
    alone, greedy = replace(summarizer, task=task), replace(decoding, beam=1)
    ablated = Ablated(alone, decoder, texts, references, batches, greedy)
    whole, means = effects(ablated, MEASURES), mean_outputs(ablated)
    num = sum(attention.heads for of_name in means.values() for attention, _ in of_name)
    change: dict[str, Any] = {}
    with progress_bar(len(MEASURED) * num, "silencing", "heads") as bar:
        for replacement, measures in MEASURED.items():
            change[replacement] = {}
            for name, of_name in means.items():
                found = []
                for attention, mean_D in of_name:
                    output_D = mean_D if replacement == "mean" else torch.zeros_like(mean_D)
                    for head, output_d in enumerate(output_D.chunk(attention.heads)):
                        with replaced(attention, head, output_d):
                            found.append(effects(ablated, measures))
                        bar.update(1)
                change[replacement][name] = _changes(found, whole, len(of_name))
    return {"num": len(texts), **whole, "change": change}


def _changes(found: Sequence[Effects], whole: Effects, layers: int) -> dict[str, Any]:
    """The difference ``[L][H]`` of each effect, by measure and side."""
    return {
        measure: {
            side: (np.array([one[measure][side] for one in found]) - value)
            .round(4).reshape(layers, -1).tolist()
            for side, value in whole[measure].items()
        }
        for measure in found[0]
    }  # fmt: skip


def effects(ablated: Ablated, measures: Iterable[str]) -> Effects:
    """What each measure says of each side."""
    return {measure: MEASURES[measure](ablated) for measure in measures}


def _side_rouge(ablated: Ablated) -> dict[Side, float]:
    """The mean F1 of ROUGE-1 of each side's summaries, from 0 to 1."""
    written = ablated.summarizer.summarize(ablated.texts, ablated.decoding)
    found: dict[Side, float] = {}
    for side in ablated.summarizer.task.sides:
        profile = standard_profile(ablated.summarizer.languages[side])
        both = ([summary[side] for summary in of] for of in (written, ablated.references))
        scores = profile.scores(*both, kinds=["rouge1"], processes=1)
        found[side] = round(float(scores["rouge1_f"].mean()), 4)
    return found


MEASURES: dict[str, Callable[[Ablated], dict[Side, float]]] = {
    "loss": lambda ablated: side_losses(ablated.summarizer, ablated.decoder, ablated.batches),
    "rouge1": _side_rouge,
}


@torch.inference_mode()
def mean_outputs(ablated: Ablated) -> dict[str, list[tuple[Attention, Tensor]]]:
    """The mean output [D] of all heads of each layer's attention, over the references' positions.

    The lists are by the attention's name, the lowest layer first.
    """
    network, special = ablated.summarizer.network.eval(), ablated.summarizer.tokenizer.special
    layers = network.decoder(ablated.decoder).layers
    found = {name: [_attention(layer, name) for layer in layers] for name in ATTENTIONS}
    every = [attention for of_name in found.values() for attention in of_name]
    sums = {attention: torch.zeros_like(attention.output.bias) for attention in every}
    num = 0
    for memory, target_BT in ablated.batches:
        real_BT = target_BT[:, 1:] != special.pad
        num += int(real_BT.sum())
        with ExitStack() as hooks:
            for attention in every:

                def add(_: nn.Module, given: tuple[Tensor, ...], of=attention, real=real_BT):
                    sums[of] += given[0][real].sum(0)

                handle = attention.output.register_forward_pre_hook(add)
                hooks.callback(handle.remove)
            network.hidden(ablated.decoder, target_BT[:, :-1], memory)
    return {
        name: [(attention, sums[attention] / num) for attention in of_name]
        for name, of_name in found.items()
    }


def _attention(layer: nn.Module, name: str) -> Attention:
    found = layer.get_submodule(f"{name}_attention")
    assert isinstance(found, Attention)
    return found


@torch.inference_mode()
def side_losses(
    summarizer: NetworkSummarizer, decoder: str, batches: Iterable[EncodedBatch]
) -> dict[Side, float]:
    """The mean negative log-likelihood of each side's word pieces; a side's end belongs to it."""
    network, special = summarizer.network.eval(), summarizer.tokenizer.special
    sides = summarizer.task.targets[decoder]
    sums, counts = np.zeros(len(sides)), np.zeros(len(sides))
    for memory, target_BT in batches:
        read_BT, gold_BT = target_BT[:, :-1], target_BT[:, 1:]
        hidden_BTD = network.hidden(decoder, read_BT, memory)
        # Of one document at a time: the logits of all take gigabytes.
        nll_BT = torch.stack(
            [
                cross_entropy(network.logits(hidden_TD).float(), gold_T, reduction="none")
                for hidden_TD, gold_T in zip(hidden_BTD, gold_BT, strict=True)
            ]
        )
        side_BT = (read_BT == special.lsep).cumsum(1)
        for side in range(len(sides)):
            of_side_BT = (gold_BT != special.pad) & (side_BT == side)
            sums[side] += float(nll_BT[of_side_BT].sum())
            counts[side] += int(of_side_BT.sum())
    means = (sums / counts).round(4).tolist()
    return dict(zip(sides, means, strict=True))


@torch.inference_mode()
def encoded(
    summarizer: NetworkSummarizer,
    decoder: str,
    texts: Sequence[str],
    summaries: Sequence[Mapping[Side, str]],
    max_summary: int,
) -> Iterator[EncodedBatch]:
    """Batches of documents of similar lengths with their targets."""
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
        memory = summarizer.network.eval().encode(
            pad([sources[i] for i in indices], special.pad).to(device)
        )
        yield EncodedBatch(memory, pad(targets, special.pad).to(device))
