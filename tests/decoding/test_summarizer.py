import dataclasses
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.decoding.beam import Beam, beam_search
from mclas_lightning.decoding.summarizer import (
    DecoderStep,
    DecodingConfig,
    Summarizer,
    batches_by_length,
)
from mclas_lightning.task import Task
from tests.conftest import examples, small_network

DECODING = DecodingConfig(
    beam=3, length_penalty=0.8, min_length=2, max_length=9, lengths="summary", mask="both",
    block_trigrams="summary", max_tokens=200,
)  # fmt: skip
RELEASED = dataclasses.replace(
    DECODING, min_length=5, max_length=12, lengths="target", mask="cross", block_trigrams="target"
)
TASKS = [
    Task(name="ncls", targets={"decoder": ("cross",)}),
    Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)}),
    Task(name="mclas", targets={"decoder": ("mono", "cross")}),
    Task(name="released", targets={"decoder": ("mono", "cross")}, bos_after_lsep=True),
]


def test_cached_decoding_is_the_full_forward():
    network = small_network()
    torch.manual_seed(0)
    source_BS, target_BT = torch.randint(1, 53, (3, 13)), torch.randint(1, 53, (3, 7))
    source_BS[1, 8:] = 0
    memory = network.encode(source_BS)
    full_BTV = network.logits(network.hidden("decoder", target_BT, memory)).log_softmax(2)
    step = DecoderStep(network, "decoder", memory)
    for t in range(7):
        torch.testing.assert_close(step(target_BT[:, t]), full_BTV[:, t], rtol=1e-4, atol=1e-4)


def test_reordered_beams_and_leaving_documents_keep_their_own_past():
    network = small_network()
    torch.manual_seed(0)
    source_BS = torch.randint(1, 53, (3, 13))
    memory = network.encode(source_BS)
    step = DecoderStep(network, "decoder", memory)
    first_N, second_N = torch.randint(1, 53, (6,)), torch.randint(1, 53, (4,))
    step(first_N)  # Two beams of each of three documents.
    rows_N = torch.tensor([1, 0, 5, 5])
    step.select(rows_N, torch.tensor([0, 2]))  # Document 1 leaves.
    scores_NV = step(second_N)
    for n, row in enumerate(rows_N.tolist()):
        alone = network.encode(source_BS[row // 2 : row // 2 + 1])
        target = torch.stack((first_N[row], second_N[n]))[None]
        expected_V = network.logits(network.hidden("decoder", target, alone))[0, -1].log_softmax(0)
        torch.testing.assert_close(scores_NV[n], expected_V, rtol=1e-4, atol=1e-4)


def make_summarizer(task, tokenizer, seed=0):
    network = small_network(*task.targets, vocab_size=len(tokenizer), seed=seed)
    half = len(tokenizer) // 2
    first = len(tokenizer.special)
    return Summarizer(
        network=network,
        task=task,
        tokenizer=tokenizer,
        vocabulary={"mono": range(first, half), "cross": range(half, len(tokenizer))},
        languages={"mono": "en", "cross": "de"},
        max_source=41,
    )


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_whole_decode_never_leaves_its_sides_vocabulary(task, seed, tokenizer):
    summarizer = make_summarizer(task, tokenizer, seed)
    special = tokenizer.special
    sources = tokenizer.encode_sources([e.document for e in examples(11)], 41)
    memory = summarizer.network.encode(torch.tensor([ids[:9] for ids in sources]))
    for decoder, sides in task.targets.items():
        for ids in search(summarizer, decoder, memory, DECODING):
            assert ids.count(special.lsep) == len(sides) - 1
            assert ids.count(special.eos) == 1 == ids[-1:].count(special.eos)
            for side, written in task.split(decoder, ids, special).items():
                assert set(written) <= set(summarizer.vocabulary[side])
                assert DECODING.min_length <= len(written) <= DECODING.max_length


def search(summarizer, decoder, memory, config) -> list[tuple[int, ...]]:
    """The best hypothesis of each document."""
    sides = summarizer.task.targets[decoder]
    step = DecoderStep(summarizer.network, decoder, memory)
    processors = summarizer._processors(sides, config, torch.device("cpu"))
    beam = summarizer._beam(len(sides), config)
    found = beam_search(step, len(memory.hidden_BSD), beam, processors)
    return [hypothesis.ids for hypothesis in found]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_decoding_as_released_counts_the_whole_target_and_masks_its_last_summary(
    task, seed, tokenizer
):
    summarizer = make_summarizer(task, tokenizer, seed)
    special = tokenizer.special
    sources = tokenizer.encode_sources([e.document for e in examples(11)], 41)
    memory = summarizer.network.encode(torch.tensor([ids[:9] for ids in sources]))
    unmasked: set[int] = set()
    for decoder, sides in task.targets.items():
        for ids in search(summarizer, decoder, memory, RELEASED):
            assert RELEASED.min_length < len(ids) <= RELEASED.max_length
            assert ids.count(special.lsep) == len(sides) - 1
            after = [b for a, b in pairwise(ids) if a == special.lsep]
            assert (special.bos in ids) == (task.bos_after_lsep and len(sides) > 1)
            assert not task.bos_after_lsep or set(after) <= {special.bos}
            written = task.split(decoder, ids, special)
            assert all(written.values())
            assert set(written.get("cross", ())) <= set(summarizer.vocabulary["cross"])
            unmasked |= set(written.get("mono", ()))
    assert not unmasked & set(special)
    free = {*range(len(tokenizer))} - {*special}
    assert set(summarizer._may_write("mono", RELEASED)) == free
    assert set(summarizer._may_write("mono", DECODING)) == set(summarizer.vocabulary["mono"])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_batch_of_one_writes_what_a_batch_of_many_writes(task, tokenizer):
    summarizer = make_summarizer(task, tokenizer)
    texts = [example.document for example in examples(13)]
    many = summarizer.summarize(texts, DECODING)
    assert all(set(summary) == set(task.sides) for summary in many)
    assert [summarizer.summarize([text], DECODING)[0] for text in texts] == many


def test_progress_hears_of_every_text(tokenizer):
    heard = []
    make_summarizer(TASKS[0], tokenizer).summarize(
        [example.document for example in examples(13)], DECODING, heard.append
    )
    assert sum(heard) == 13
    assert len(heard) > 1


@settings(max_examples=50)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 100))
def test_batches_hold_every_source_once_within_the_budget(lengths, budget):
    sources = [[0] * length for length in lengths]
    batches = list(batches_by_length(sources, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_beam_settings_leave_room_for_every_side(tokenizer):
    beam = make_summarizer(TASKS[2], tokenizer)._beam(2, DECODING)
    assert isinstance(beam, Beam)
    assert beam.max_length == 2 * (DECODING.max_length + 1)
    beam = make_summarizer(TASKS[3], tokenizer)._beam(2, DECODING)
    assert beam.max_length == 2 * (DECODING.max_length + 1) + 1
