import torch
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.decoding.processors import (
    BLOCKED,
    SideLengths,
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
    lengths = SideLengths(shortest=2, longest=3, lsep_id=LSEP, eos_id=EOS)
    for prefix, may_end, may_go_on in [
        ([BOS], False, True),
        ([BOS, 5], False, True),
        ([BOS, 5, 5], True, True),
        ([BOS, 5, 5, 5], True, False),
        ([BOS, 5, 5, 5, LSEP], False, True),
        ([BOS, 5, 5, 5, LSEP, 5], False, True),
        ([BOS, 5, 5, 5, LSEP, 5, 6], True, True),
        ([BOS, 5, 5, LSEP, 5, 6, 3], True, False),
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
