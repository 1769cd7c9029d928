import itertools
from collections.abc import Sequence
from typing import Protocol

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.decoding import beam as beam_module
from mclas_lightning.decoding.beam import Beam, Hypothesis, _slots, n_best_search
from mclas_lightning.decoding.processors import BLOCKED
from tests.waits import as_on_a_gpu

BOS, EOS = 0, 1


class RandomModel:
    """Log-probabilities that depend on the whole prefix of each document, drawn at random."""

    def __init__(self, documents: Sequence[int], vocab: int, seed: int) -> None:
        self.documents, self.vocab, self.seed = documents, vocab, seed
        self.rows: list[tuple[int, tuple[int, ...]]] = []

    def log_p(self, document: int, prefix: tuple[int, ...]) -> torch.Tensor:
        generator = torch.Generator().manual_seed(hash((self.seed, document, prefix)) % 2**63)
        return (2 * torch.randn(self.vocab, generator=generator)).log_softmax(0)

    def __call__(self, last_N):
        if not self.rows:
            beams = len(last_N) // len(self.documents)
            self.rows = [(document, ()) for document in self.documents for _ in range(beams)]
        self.rows = [
            (document, (*prefix, token))
            for (document, prefix), token in zip(self.rows, last_N.tolist(), strict=True)
        ]
        return torch.stack([self.log_p(*row) for row in self.rows])

    def token(self, rows, columns):
        return columns

    def select(self, rows_N, documents_B):
        self.rows = [self.rows[i] for i in rows_N.tolist()]


def best_by_enumeration(model: RandomModel, document: int, beam: Beam) -> list[tuple[int, ...]]:
    """The best of all sequences that end with the first [EOS], or where ``max_length`` cuts."""
    others = [token for token in range(model.vocab) if token != EOS]
    scored = []
    for length in range(1, beam.max_length + 1):
        for body in itertools.product(others, repeat=length - 1):
            ends = range(model.vocab) if beam.cut and length == beam.max_length else [EOS]
            for ids in ((*body, end) for end in ends):
                log_p, prefix = 0.0, (BOS,)
                for token in ids:
                    log_p += float(model.log_p(document, prefix)[token])
                    prefix = (*prefix, token)
                scored.append((log_p / ((5 + length) / 6) ** beam.length_penalty, ids))
    return [ids for _, ids in sorted(scored, reverse=True)[: beam.num_best]]


def search(model: RandomModel, beam: Beam) -> list[Hypothesis]:
    """The best hypothesis of each document."""
    return [best for best, *_ in n_best_search(model, len(model.documents), beam)]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    vocab=st.integers(3, 5),
    length=st.integers(1, 4),
    alpha=st.sampled_from([0.0, 0.6, 1.0, 2.0]),
    cut=st.booleans(),
    num_best=st.sampled_from([1, 2, 7]),
)
def test_a_beam_as_wide_as_the_space_is_exact(seed, vocab, length, alpha, cut, num_best):
    beam = Beam(
        width=vocab**length, max_length=length, cut=cut, length_penalty=alpha,
        bos_id=BOS, eos_id=EOS, num_best=num_best,
    )  # fmt: skip
    found = n_best_search(RandomModel(range(3), vocab, seed), 3, beam)
    model = RandomModel(range(3), vocab, seed)
    expected = [best_by_enumeration(model, d, beam) for d in range(3)]
    assert [[h.ids for h in hypotheses] for hypotheses in found] == expected


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 4))
def test_documents_do_not_disturb_each_other(seed, width):
    beam = Beam(width=width, max_length=6, length_penalty=0.8, bos_id=BOS, eos_id=EOS)
    together = search(RandomModel(range(5), 7, seed), beam)
    for document in range(5):
        alone = RandomModel([document], 7, seed)
        assert search(alone, beam)[0].ids == together[document].ids


class Model(Protocol):
    """What the textbook searches."""

    vocab: int

    def log_p(self, document: int, prefix: tuple[int, ...]) -> torch.Tensor: ...


def normalized(log_p: float, length: int, beam: Beam) -> float:
    """What a repetition costs is not divided."""
    cost = int(log_p / BLOCKED) * BLOCKED
    return cost + (log_p - cost) / ((5 + length) / 6) ** beam.length_penalty


def test_a_longer_target_does_not_win_because_all_repeat():
    beam = Beam(width=1, max_length=9, length_penalty=0.8, bos_id=BOS, eos_id=EOS)
    short, long = beam.normalize(BLOCKED - 3.0, 4), beam.normalize(BLOCKED - 9.0, 8)
    assert float(short) == pytest.approx(BLOCKED - 3 / 1.5**0.8, abs=2e-3)
    assert short > long
    assert beam.normalize(-torch.inf, 5) == -torch.inf
    assert float(beam.normalize(-3.0, 4)) == pytest.approx(-3 / 1.5**0.8)


def textbook(model: Model, document: int, beam: Beam) -> tuple[int, ...]:
    """Beam search in plain Python that never stops early, unless it need not be sure."""
    eos = beam.eos_id
    opened, finished = [(0.0, (beam.bos_id,))], []
    for length in range(1, beam.max_length + 1):
        last = length == beam.max_length
        tokens = [eos] if last and not beam.cut else range(model.vocab)
        rows = [(log_p, ids, model.log_p(document, ids).tolist()) for log_p, ids in opened]
        grown = sorted(
            (
                (log_p + scores[token], (*ids, token))
                for log_p, ids, scores in rows
                for token in tokens
                if scores[token] > -torch.inf
            ),
            reverse=True,
        )
        finished += [
            (normalized(log_p, length, beam), ids)
            for log_p, ids in grown[: beam.width]
            if ids[-1] == eos or last
        ]
        opened = [(log_p, ids) for log_p, ids in grown if ids[-1] != eos][: beam.width]
        bound = normalized(opened[0][0], length, beam) if opened else -torch.inf
        if not beam.sure and finished and bound <= max(finished)[0]:
            break
    return max(finished)[1][1:]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    width=st.integers(1, 5),
    alpha=st.sampled_from([0.0, 0.8, 1.5]),
    cut=st.booleans(),
    every=st.sampled_from([1, 2, 5, 9]),
    halving=st.booleans(),
)
def test_stopping_early_and_leaving_the_batch_never_change_the_result(
    seed, width, alpha, cut, every, halving
):
    words = {"width": width, "max_length": 7, "length_penalty": alpha, "bos_id": BOS, "eos_id": EOS}
    beam = Beam(**words, cut=cut, halving=halving)
    with as_on_a_gpu(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam_module, "STEPS_BETWEEN_CHECKS", every)
        found = search(RandomModel(range(3), 7, seed), beam)
    model = RandomModel(range(3), 7, seed)
    assert [h.ids for h in found] == [textbook(model, d, beam) for d in range(3)]


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 5), alpha=st.sampled_from([0.0, 0.8, 1.5]))
def test_a_search_that_need_not_be_sure_ends_where_no_open_hypothesis_would_win(seed, width, alpha):
    words = {"width": width, "max_length": 9, "length_penalty": alpha, "bos_id": BOS, "eos_id": EOS}
    beam, model = Beam(**words, sure=False), RandomModel(range(3), 7, seed)
    found = search(model, beam)
    assert [h.ids for h in found] == [textbook(model, d, beam) for d in range(3)]
    surely = RandomModel(range(3), 7, seed)
    search(surely, Beam(**words))
    assert steps(model) <= steps(surely)
    assert alpha or found == search(RandomModel(range(3), 7, seed), Beam(**words))


def steps(model: RandomModel) -> int:
    return max(len(prefix) for _, prefix in model.rows)


@pytest.mark.parametrize("width", [1, 3])
def test_every_hypothesis_ends_with_its_only_eos(width):
    beam = Beam(width=width, max_length=5, length_penalty=1.0, bos_id=BOS, eos_id=EOS)
    for hypothesis in search(RandomModel(range(11), 7, 0), beam):
        assert hypothesis.ids.index(EOS) == len(hypothesis.ids) - 1 < beam.max_length


@given(st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=4))
def test_a_continuation_takes_the_place_of_the_row_it_goes_on_from(rows):
    slots = _slots(torch.tensor(rows)).tolist()
    for parents, slot in zip(rows, slots, strict=True):
        assert sorted(slot) == [0, 1, 2, 3, 4]
        placed = [parents[child] for child in slot]
        # Every row that is gone on from keeps its place, for the best of its continuations.
        assert all(placed[row] == row for row in set(parents))
        assert all(slot[row] == parents.index(row) for row in set(parents))
