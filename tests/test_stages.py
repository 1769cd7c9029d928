import dataclasses
from itertools import product

import pytest
import torch

from benchmarks.stages import search_cross, search_mono
from mclas_lightning.decoding.beam import Hypothesis
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from tests.conftest import examples
from tests.decoding.conftest import DECODING, RELEASED, TASKS, make_summarizer

MCLAS = TASKS[2]
TEXTS = [example.document for example in examples(5)]
# As wide as the space of at most two of three tokens, so that the search is exact.
EXACT = dataclasses.replace(
    DECODING, beam=12, min_length=1, max_length=2, renormalize=False, block_trigrams="none"
)


def log_p(summarizer, text: str, before: list[int], after: list[int]) -> float:
    """log P of ``after`` given ``before``, by whole sequences and without a cache."""
    (source,) = summarizer.tokenizer.encode_sources([text], summarizer.max_source)
    network, target = summarizer.network, torch.tensor([[*before, *after]])
    hidden_1TD = network.hidden("decoder", target[:, :-1], network.encode(torch.tensor([source])))
    log_p_TV = network.logits(hidden_1TD)[0].log_softmax(1)
    found = log_p_TV[torch.arange(len(log_p_TV)), target[0, 1:]]
    return found[len(before) - 1 :].sum().item()


def best(summarizer, text: str, before: list[int], pieces: range, end: int) -> Hypothesis:
    """The best of all targets of one or two ``pieces``."""
    written = [[*ids, end] for num in (1, 2) for ids in product(pieces, repeat=num)]
    scored = [
        Hypothesis(tuple(ids), log_p(summarizer, text, before, ids) / ((5 + len(ids)) / 6) ** 0.8)
        for ids in written
    ]
    return max(scored, key=lambda hypothesis: hypothesis.score)


@pytest.fixture
def summarizer(tokenizer):
    first = len(tokenizer.special)
    few = {"mono": range(first, first + 3), "cross": range(first + 20, first + 23)}
    return dataclasses.replace(make_summarizer(MCLAS, tokenizer, seed=3), vocabulary=few)


def test_the_first_stage_finds_the_best_mono_summary(summarizer):
    special = summarizer.tokenizer.special
    for text, found in zip(TEXTS, search_mono(summarizer, TEXTS, EXACT), strict=True):
        pieces = summarizer.vocabulary["mono"]
        expected = best(summarizer, text, [special.bos], pieces, special.lsep)
        assert found.ids == expected.ids
        assert found.score == pytest.approx(expected.score, rel=1e-4)


def test_the_second_stage_finds_the_best_cross_summary_after_the_given_one(summarizer):
    special, first = summarizer.tokenizer.special, len(summarizer.tokenizer.special)
    monos = [[], [first], [first + 7, first + 1], [first + 2], [first + 1, first + 1]]
    progress: list[int] = []
    found = search_cross(summarizer, TEXTS, monos, EXACT, progress.append)
    assert sum(progress) == len(TEXTS)
    for text, mono, hypothesis in zip(TEXTS, monos, found, strict=True):
        before, pieces = [special.bos, *mono, special.lsep], summarizer.vocabulary["cross"]
        expected = best(summarizer, text, before, pieces, special.eos)
        assert hypothesis.ids == expected.ids
        assert hypothesis.score == pytest.approx(expected.score, rel=1e-4)


@pytest.mark.parametrize("task", [MCLAS, TASKS[3]], ids=lambda task: task.name)
def test_each_stage_keeps_to_its_lengths_and_its_vocabulary(task, tokenizer):
    summarizer = make_summarizer(task, tokenizer, seed=2)
    special = tokenizer.special
    monos = [list(h.ids[:-1]) for h in search_mono(summarizer, TEXTS, DECODING)]
    crosses = search_cross(summarizer, TEXTS, monos, DECODING)
    for mono, cross in zip(monos, crosses, strict=True):
        assert cross.ids[-1] == special.eos
        written = [i for i in cross.ids[:-1] if i != special.bos]
        assert cross.ids[:-1].count(special.bos) == task.bos_after_lsep
        of_sides: dict[Side, list[int]] = {"mono": mono, "cross": written}
        for side, ids in of_sides.items():
            assert DECODING.min_length <= len(ids) <= DECODING.max_length
            assert set(ids) <= set(summarizer.vocabulary[side])


def test_what_has_no_second_stage_is_refused(tokenizer):
    with pytest.raises(InputError, match="does not write S"):
        search_mono(make_summarizer(TASKS[1], tokenizer), TEXTS, DECODING)
    with pytest.raises(InputError, match="decoding\\.lengths=target"):
        search_mono(make_summarizer(MCLAS, tokenizer), TEXTS, RELEASED)
