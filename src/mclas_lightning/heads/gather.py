"""Attention of every layer and head of a decoder, one document at a time.

Shape letters: L layers, H heads, P word pieces of the target, Q of the source, W words of the
target, V of the source, B documents, T queries, S keys, d width of a head.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.example import Side
from mclas_lightning.heads.words import Array, Words, merge, words_of
from mclas_lightning.model.attention import Attention
from mclas_lightning.model.decoder import Decoder

TOLERANCE = 1e-3  # of recomputed outputs beside the fused kernel's, relative to the largest


class DocumentMaps(NamedTuple):
    """Attention of one decoder between the words of one document and its summaries.

    A row is the word that was read last; it predicts the next one.
    """

    target: Words  # [BOS] S^A [LSEP] S^B: what the decoder reads
    source: Words
    self_LHWW: Array
    cross_LHWV: Array


class Gathered(NamedTuple):
    """Attention between word pieces, as a batch of one document computes it."""

    self_LHPP: Array
    cross_LHPQ: Array


def document_maps(
    summarizer: NetworkSummarizer,
    decoder: str,
    text: str,
    summaries: Mapping[Side, str],
    max_summary: int,
    language: str,
) -> DocumentMaps:
    """The maps of ``decoder`` where it is made to write ``summaries`` of ``text``.

    ``language`` is that of ``text``.
    """
    tokenizer, task = summarizer.tokenizer, summarizer.task
    (source,) = tokenizer.encode_sources([text], summarizer.max_source, summarizer.sentences)
    sides = task.targets[decoder]
    ids: dict[Side, list[int]] = {
        side: tokenizer.encode([summaries[side]], max_summary)[0] for side in sides
    }
    target = task.target_ids(decoder, ids, tokenizer.special)[:-1]
    words = words_of(target, tokenizer, [summarizer.languages[side] for side in sides])
    source_words = words_of(source, tokenizer, [language])
    found = gather(summarizer, decoder, source, target)
    return DocumentMaps(
        words,
        source_words,
        merge(found.self_LHPP, words, words),
        merge(found.cross_LHPQ, words, source_words),
    )


@torch.inference_mode()
def gather(
    summarizer: NetworkSummarizer, decoder: str, source: Sequence[int], target: Sequence[int]
) -> Gathered:
    """The weights of all attention of ``decoder``, which reads the ids ``target``."""
    network = summarizer.network.eval()
    device = network.output_bias.device
    memory = network.encode(torch.tensor([source], device=device))
    with _recorded(network.decoder(decoder)) as found:
        network.hidden(decoder, torch.tensor([target], device=device), memory)
    return Gathered(*(np.stack(maps) for maps in (found["self"], found["cross"])))


@contextmanager
def _recorded(decoder: Decoder) -> Iterator[dict[str, list[Array]]]:
    """The weights of each layer, recomputed beside each forward pass within the context."""
    found: dict[str, list[Array]] = {"self": [], "cross": []}
    handles = [
        layer.get_submodule(f"{name}_attention").register_forward_hook(
            _recorder(kept), with_kwargs=True
        )
        for layer in decoder.layers
        for name, kept in found.items()
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _recorder(kept: list[Array]) -> Any:
    def hook(module: Attention, given: tuple[Any, ...], named: dict[str, Any], out: Tensor) -> None:
        weights_BHTS = module.weights(*given, **named)
        mixed_BHTd = weights_BHTS @ given[1].values_BHSd
        again = module.output(mixed_BHTd.transpose(1, 2).reshape(out.shape))
        error = (again - out).abs().max() / out.abs().max().clamp(min=1)
        assert error < TOLERANCE, f"recomputed attention differs by {error:.2g} of its output"
        kept.append(weights_BHTS[0].float().cpu().numpy())

    return hook
