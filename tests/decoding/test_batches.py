import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.decoding import batches
from mclas_lightning.decoding.batches import Budget, batch_budget, batches_by_length, document_bytes
from mclas_lightning.decoding.beam import Beam
from mclas_lightning.model.attention import Cache, FixedCache, KeysValues
from tests.conftest import small_network
from tests.decoding.conftest import DECODING

BEAM = Beam(width=3, max_length=23, length_penalty=0.8, bos_id=1, eos_id=2)
TOKENS = 200  # DECODING.max_tokens
UNSAID = dataclasses.replace(DECODING, max_tokens=None)


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 100), st.integers(0, 20)
)
def test_batches_hold_every_source_once_within_the_budget(lengths, positions, more):
    sources = [[0] * length for length in lengths]
    found = list(batches_by_length(sources, Budget(positions, more)))
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * (longest + more) <= positions


def test_a_cpu_has_the_budget_that_is_asked_for_or_its_own():
    network = small_network()
    assert batch_budget(network, DECODING, BEAM, 53) == (TOKENS // DECODING.beam, 0)
    assert batch_budget(network, UNSAID, BEAM, 53) == (16_384 // DECODING.beam, 0)


@pytest.mark.parametrize("source", [7, 31])
def test_a_gpus_batch_fills_a_share_of_its_free_memory_and_no_more(source, monkeypatch):
    network, free = small_network(), 10**7
    monkeypatch.setattr(batches, "free_gpu_memory", lambda device: free)
    budget = batch_budget(network, UNSAID, BEAM, 53)
    (batch, *_) = batches_by_length([[0] * source] * 10_000, budget)
    of_position, of_document = document_bytes(network, BEAM, 53)
    taken = len(batch) * (source * of_position + of_document)
    assert 0.55 * free < taken <= 0.6 * free
    assert batch_budget(network, DECODING, BEAM, 53).positions == TOKENS // DECODING.beam


def test_a_document_needs_what_its_keys_values_and_scores_take():
    network, source = small_network(), 31
    of_position, of_document = document_bytes(network, BEAM, 53)
    decoder = network.decoder("decoder")
    memory = network.encode(torch.randint(1, 53, (1, source)))
    cross = [part for kept in decoder.cross_keys_values(memory.hidden_BSD) for part in kept]
    cache, held = Cache(len(decoder.layers)), []
    heads, d = cross[0].shape[1], cross[0].shape[3]
    for layer in range(len(decoder.layers)):
        new = KeysValues(*torch.zeros(2, BEAM.width, heads, BEAM.max_length, d))
        held += cache.append(layer, new)
    scores = 53 * BEAM.width * 4
    assert of_position * source > sum(part.nbytes for part in cross) + memory.hidden_BSD.nbytes
    assert of_document == 2 * sum(part.nbytes for part in held) + batches.SCORE_COPIES * scores
    fixed = FixedCache(len(decoder.layers), cross[0], BEAM.width, BEAM.max_length)
    room = sum(part.nbytes for kept in fixed.kept for part in kept)
    # Where documents leave, a copy of at most half of them stands beside the room.
    assert 1.5 * room + 2 * fixed.seen_BKTK.nbytes <= 2 * sum(part.nbytes for part in held)
