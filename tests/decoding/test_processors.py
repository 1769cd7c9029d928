import torch
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.decoding.processors import (
    BLOCKED,
    SecondBos,
    SideLengths,
    TargetLength,
    TrigramBlock,
    VocabMask,
    allowed_tokens,
)

LSEP, EOS, BOS = 0, 1, 2


def test_mask_follows_each_rows_segment():
    allowed_SV = torch.tensor([[1, 1, 0], [1, 0, 1]], dtype=torch.bool)
    scores_NV = VocabMask(allowed_SV, lsep_id=0)(torch.tensor([[1, 1], [1, 0]]), torch.zeros(2, 3))
    assert scores_NV.isfinite().tolist() == [[True, True, False], [True, False, True]]


def test_only_the_last_summary_may_end_the_target_and_the_others_only_pass_on():
    allowed_SV = allowed_tokens([[3, 4], [5]], 7, lsep_id=LSEP, eos_id=EOS)
    assert [row.nonzero().flatten().tolist() for row in allowed_SV] == [[0, 3, 4], [1, 5]]


def test_lengths_count_each_summary_by_itself():
    lengths = SideLengths(shortest=2, longest=3, bos_id=BOS, lsep_id=LSEP, eos_id=EOS)
    for prefix, may_end, may_go_on in [
        ([BOS], False, True),
        ([BOS, 5], False, True),
        ([BOS, 5, 5], True, True),
        ([BOS, 5, 5, 5], True, False),
        ([BOS, 5, 5, 5, LSEP], False, True),
        ([BOS, 5, 5, 5, LSEP, 5], False, True),
        ([BOS, 5, 5, 5, LSEP, 5, 6], True, True),
        ([BOS, 5, 5, LSEP, 5, 6, 3], True, False),
        ([BOS, 5, 5, LSEP, BOS, 5], False, True),
        ([BOS, 5, 5, LSEP, BOS, 5, 6, 3], True, False),
    ]:
        finite_V = lengths(torch.tensor([prefix]), torch.zeros(1, 7))[0].isfinite()
        assert finite_V[[LSEP, EOS]].tolist() == [may_end, may_end], prefix
        assert finite_V[3:].tolist() == [may_go_on] * 4, prefix


def blocked_by_brute_force(prefix: list[int], vocab: int) -> list[bool]:
    """Whether each next token would repeat a trigram of the summary that is being written."""
    start = max((i for i, token in enumerate(prefix) if token == LSEP), default=0)
    current = prefix[start:]
    seen = {tuple(current[i : i + 3]) for i in range(len(current) - 2)}
    return [(*current[-2:], token) in seen for token in range(vocab)]


@given(
    st.lists(st.lists(st.integers(3, 5), min_size=9, max_size=9), min_size=1, max_size=5), st.data()
)
def test_trigram_block_by_brute_force(rows, data):
    prefixes = [[BOS, *row] for row in rows]
    for prefix in prefixes:
        if at := data.draw(st.integers(0, 9)):
            prefix[at] = LSEP
    scores_NV = TrigramBlock(LSEP)(torch.tensor(prefixes), torch.zeros(len(prefixes), 7))
    blocked_NV = scores_NV <= BLOCKED
    assert blocked_NV.tolist() == [blocked_by_brute_force(prefix, 7) for prefix in prefixes]


def test_trigrams_may_recur_in_the_other_summary():
    prefix = [BOS, 3, 4, 5, LSEP, 3, 4]
    assert TrigramBlock(LSEP)(torch.tensor([prefix]), torch.zeros(1, 7))[0, 5] == 0


def test_across_summaries_a_trigram_of_the_first_is_blocked_in_the_second():
    prefix = torch.tensor([[BOS, 3, 4, 5, LSEP, 3, 4]])
    blocked_V = TrigramBlock(LSEP, across=True)(prefix, torch.zeros(1, 7))[0] <= BLOCKED
    assert blocked_V.nonzero().flatten().tolist() == [5]


def test_a_target_may_end_once_it_has_its_shortest_length():
    length = TargetLength(shortest=3, eos_id=EOS)
    for written in range(6):
        prefix = torch.tensor([[BOS, *[5] * written]])
        finite_V = length(prefix, torch.zeros(1, 7))[0].isfinite()
        assert finite_V.tolist() == [token != EOS or written >= 3 for token in range(7)]


def test_a_second_bos_follows_lsep_and_nothing_else():
    prefix = torch.tensor([[BOS, 5, LSEP], [BOS, LSEP, BOS], [BOS, 5, 6]])
    scores_NV = torch.full((3, 7), -2.0)
    expected_V = torch.full((7,), -torch.inf)
    expected_V[BOS] = 0.0
    forced_NV = SecondBos(BOS, LSEP)(prefix, scores_NV)
    assert torch.equal(forced_NV[0], expected_V)
    assert torch.equal(forced_NV[1:], scores_NV[1:])
