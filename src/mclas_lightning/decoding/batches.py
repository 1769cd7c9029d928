"""Batches of documents for a search: by a budget of positions, which a GPU's memory decides."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.beam import Beam
from mclas_lightning.model.device import free_gpu_memory
from mclas_lightning.model.seq2seq import Seq2Seq

CPU_TOKENS = 16_384  # source positions x beams of a batch; more gain nothing (docs/performance.md)

GPU_SHARE = 0.6  # of the free memory; the rest is for what the estimate below does not know

ENCODER_COPIES = 14  # vectors of an encoder's layer at a position: 4 are 4 times as wide inside

SCORE_COPIES = 8  # float32 scores of a row: logits, log-probabilities, and those of processors


class Budget(NamedTuple):
    """Source positions of a batch, and those that each document counts beside its own."""

    positions: int
    more: int = 0


def batch_budget(network: Seq2Seq, config: DecodingConfig, beam: Beam, columns: int) -> Budget:
    """As ``config`` says; else ``CPU_TOKENS``, or on a GPU what its free memory holds.

    ``columns`` are those of the longest shortlist.
    """
    free = free_gpu_memory(network.output_bias.device)
    if config.max_tokens is not None or free is None:
        return Budget((config.max_tokens or CPU_TOKENS) // config.beam)
    of_position, of_document = document_bytes(network, beam, columns)
    return Budget(int(GPU_SHARE * free) // of_position, -(-of_document // of_position))


def document_bytes(network: Seq2Seq, beam: Beam, columns: int) -> tuple[int, int]:
    """Bytes that a search needs for each source position of a document, and for its beams."""
    weight = network.embedding.weight
    vector = weight.shape[1] * weight.element_size()
    layers = max(len(network.decoder(name).layers) for name in network.decoders)
    keys_values = 2 * layers * vector
    # A cache and its copy: in new order, or of the documents that stay (``Cache``, ``FixedCache``).
    of_row = 2 * beam.max_length * keys_values + SCORE_COPIES * columns * torch.float32.itemsize
    return keys_values + ENCODER_COPIES * vector, beam.width * of_row


def batches_by_length(sources: Sequence[Sequence[int]], budget: Budget) -> Iterator[list[int]]:
    """Indices of sources of similar length, longest first, each batch within the budget."""
    order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
    while order:
        size = max(1, budget.positions // (len(sources[order[0]]) + budget.more))
        yield order[:size]
        order = order[size:]
