import torch
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.decoding.choices import END, SECOND_BOS, choices
from mclas_lightning.decoding.processors import (
    BLOCKED,
    SecondBos,
    SideLengths,
    TargetLength,
    TrigramBlock,
)

LSEP, EOS, BOS = 0, 1, 2


ALL = choices([range(3, 7), range(3, 7)], 7, lsep_id=LSEP, eos_id=EOS)  # column 1 is token 3, ...


def test_only_the_last_summary_may_end_the_target_and_the_others_only_pass_on():
    found = choices([[3, 4], [5]], 7, lsep_id=LSEP, eos_id=EOS)
    assert found.token_SC.tolist() == [[LSEP, 3, 4], [EOS, 5, -1]]
    assert found.sizes == [3, 2]
    assert found.column_SV.tolist() == [[0, -1, -1, 1, 2, -1, -1], [-1, 0, -1, -1, -1, 1, -1]]
    second = choices([[3, 4], [5]], 7, lsep_id=LSEP, eos_id=EOS, second_bos=BOS)
    assert second.token_SC.tolist() == [[LSEP, BOS, 3, 4], [EOS, BOS, 5, -1]]


def test_lengths_count_each_summary_by_itself():
    lengths = SideLengths(shortest=2, longest=3, bos_id=BOS, lsep_id=LSEP)
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
        finite_C = lengths(torch.tensor([prefix]), torch.zeros(1, 5))[0].isfinite()
        assert finite_C[END] == may_end, prefix
        assert finite_C[END + 1 :].tolist() == [may_go_on] * 4, prefix


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
    scores_NC = TrigramBlock(ALL, LSEP)(torch.tensor(prefixes), torch.zeros(len(prefixes), 5))
    blocked_NC = (scores_NC <= BLOCKED)[:, END + 1 :]
    assert blocked_NC.tolist() == [blocked_by_brute_force(prefix, 7)[3:] for prefix in prefixes]


def test_trigrams_may_recur_in_the_other_summary():
    prefix = torch.tensor([[BOS, 3, 4, 5, LSEP, 3, 4]])
    assert TrigramBlock(ALL, LSEP)(prefix, torch.zeros(1, 5)).tolist() == [[0.0] * 5]


def test_across_summaries_a_trigram_of_the_first_is_blocked_in_the_second():
    prefix = torch.tensor([[BOS, 3, 4, 5, LSEP, 3, 4]])
    blocked_C = TrigramBlock(ALL, LSEP, across=True)(prefix, torch.zeros(1, 5))[0] <= BLOCKED
    assert ALL.token_SC[1, blocked_C].tolist() == [5]
    # A token that the second summary cannot be written with needs no block.
    apart = choices([[3, 4, 5], [3, 4]], 7, lsep_id=LSEP, eos_id=EOS)
    assert TrigramBlock(apart, LSEP, across=True)(prefix, torch.zeros(1, 4)).tolist() == [[0.0] * 4]


def test_a_target_may_end_once_it_has_its_shortest_length():
    length = TargetLength(shortest=3, num_sides=2, lsep_id=LSEP)
    for written in range(6):
        first, second = [BOS, *[5] * written], [BOS, *[5] * (written - 1), LSEP]
        ends = [written >= 3, True] if written else [False, True]
        for prefix, may_end in ((second, ends[0]), (first, ends[1])):
            if len(prefix) == written + 1:
                finite_C = length(torch.tensor([prefix]), torch.zeros(1, 5))[0].isfinite()
                assert finite_C.tolist() == [may_end, True, True, True, True]


def test_a_second_bos_follows_lsep_and_nothing_else():
    prefix = torch.tensor([[BOS, 5, LSEP], [BOS, LSEP, BOS], [BOS, 5, 6]])
    forced_NC = SecondBos(LSEP)(prefix, torch.full((3, 5), -2.0))
    assert forced_NC[:, SECOND_BOS].tolist() == [0.0, -torch.inf, -torch.inf]
    others_NC = torch.cat((forced_NC[:, :SECOND_BOS], forced_NC[:, SECOND_BOS + 1 :]), 1)
    assert others_NC.tolist() == [[-torch.inf] * 4, [-2.0] * 4, [-2.0] * 4]
