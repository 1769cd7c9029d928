import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.decoding.output import END_COLUMN, SECOND_BOS_COLUMN, shortlists_of
from mclas_lightning.decoding.processors import (
    BLOCKED,
    ReleasedBlock,
    RepetitionBlock,
    SecondBos,
    SideLengths,
    TargetLength,
)
from mclas_lightning.decoding.repetition import REPETITION_CHARACTERS, REPETITION_WORDS

LSEP, EOS, BOS = 0, 1, 2


# Column 1 is token 3, and so on.
ALL = shortlists_of([range(3, 7), range(3, 7)], 7, lsep_id=LSEP, eos_id=EOS)


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
        assert finite_C[END_COLUMN] == may_end, prefix
        assert finite_C[END_COLUMN + 1 :].tolist() == [may_go_on] * 4, prefix


EVERY = torch.full((7,), REPETITION_CHARACTERS)  # Every token is a word.
# Of tokens 3 and 4, each opens a word; 5 goes on with one, 6 is a character of an unspaced script.
MIXED = torch.tensor([0, 0, 0, REPETITION_CHARACTERS, REPETITION_CHARACTERS, 0, REPETITION_WORDS])


def block(shortlists=ALL, share_V=EVERY, across=False):
    return RepetitionBlock(shortlists, share_V, LSEP, across=across)


def blocked_by_brute_force(prefix: list[int], vocab: int) -> list[bool]:
    """Whether each next token would repeat a trigram of the summary that is being written."""
    start = max((i for i, token in enumerate(prefix) if token == LSEP), default=0)
    current = prefix[start:]
    seen = {tuple(current[i : i + 3]) for i in range(len(current) - 2)}
    return [(*current[-2:], token) in seen for token in range(vocab)]


ROWS = st.lists(st.lists(st.integers(3, 5), min_size=9, max_size=9), min_size=1, max_size=5)


@given(ROWS, st.data())
def test_trigram_block_by_brute_force(rows, data):
    prefixes = [[BOS, *row] for row in rows]
    for prefix in prefixes:
        if at := data.draw(st.integers(0, 9)):
            prefix[at] = LSEP
    scores_NC = block()(torch.tensor(prefixes), torch.zeros(len(prefixes), 5))
    blocked_NC = (scores_NC <= BLOCKED)[:, END_COLUMN + 1 :]
    assert blocked_NC.tolist() == [blocked_by_brute_force(prefix, 7)[3:] for prefix in prefixes]


def words_of(tokens: list[int]) -> list[tuple[int, ...]]:
    """Words and characters, whole."""
    found: list[tuple[int, ...]] = []
    for token in tokens:
        if token == 5 and found and found[-1][0] != 6:
            found[-1] = (*found[-1], 5)
        else:
            found.append((token,))
    return found


def repeats(words: list[tuple[int, ...]], opens: int) -> bool:
    """Whether a word that ``opens`` makes three words, or eight characters, or a mix, again."""
    for at, word in enumerate(words):
        if word[0] != opens:
            continue
        total, back = int(MIXED[opens]), 1
        while back <= at and words[at - back] == words[-back]:
            total += int(MIXED[words[-back][0]])
            back += 1
        if total >= 24:
            return True
    return False


@settings(max_examples=300)
@given(st.lists(st.sampled_from([3, 5, 6, 6]), min_size=1, max_size=24), st.integers(1, 11))
def test_a_repetition_is_of_whole_words_or_of_characters_by_brute_force(tokens, again):
    prefix = [BOS, *tokens, *tokens[-again:]]
    scores_C = block(share_V=MIXED)(torch.tensor([prefix]), torch.zeros(1, 5))[0]
    blocked = {int(ALL.token_SC[0, c]) for c in range(5) if scores_C[c] <= BLOCKED}
    assert blocked == {token for token in (3, 4, 6) if repeats(words_of(prefix[1:]), token)}


def test_a_word_of_many_pieces_is_one_word_and_is_never_cut_off():
    word = [3, 5, 5, 5]
    written = [BOS, *word, 4]
    for next_token in word:  # One long word, a second time: nothing is blocked in it.
        scores_C = block(share_V=MIXED)(torch.tensor([written]), torch.zeros(1, 5))[0]
        assert scores_C.tolist() == [0.0] * 5
        written.append(next_token)
    # Three words a second time: the third is blocked at its first piece.
    prefix = torch.tensor([[BOS, *word, 4, 3, 5, *word, 4]])
    scores_C = block(share_V=MIXED)(prefix, torch.zeros(1, 5))[0]
    assert ALL.token_SC[0, scores_C <= BLOCKED].tolist() == [3]


def test_trigrams_may_recur_in_the_other_summary():
    prefix = torch.tensor([[BOS, 3, 4, 5, LSEP, 3, 4]])
    assert block()(prefix, torch.zeros(1, 5)).tolist() == [[0.0] * 5]


def test_across_summaries_a_trigram_of_the_first_is_blocked_in_the_second():
    prefix = torch.tensor([[BOS, 3, 4, 5, LSEP, 3, 4]])
    blocked_C = block(across=True)(prefix, torch.zeros(1, 5))[0] <= BLOCKED
    assert ALL.token_SC[1, blocked_C].tolist() == [5]
    # A token that the second summary cannot be written with needs no block.
    apart = shortlists_of([[3, 4, 5], [3, 4]], 7, lsep_id=LSEP, eos_id=EOS)
    assert block(apart, across=True)(prefix, torch.zeros(1, 4)).tolist() == [[0.0] * 4]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([3, 4, 5]), min_size=1, max_size=12), st.integers(0, 9))
def test_the_released_block_gives_up_what_ends_in_three_words_again(tokens, again):
    prefix = [BOS, *tokens, LSEP, BOS, *tokens[:again]]
    words = words_of(prefix)  # [BOS] and [LSEP] are words; 5 after them is a part of them.
    trigrams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    share_V = torch.tensor([*[REPETITION_CHARACTERS] * 5, 0, REPETITION_CHARACTERS])
    scores_C = ReleasedBlock(share_V)(torch.tensor([prefix]), torch.zeros(1, 5))[0]
    given_up = trigrams[-1] in trigrams[:-1]
    assert scores_C.tolist() == [BLOCKED if given_up else 0.0] * 5


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
    forced_NC = SecondBos(LSEP, free=True)(prefix, torch.full((3, 5), -2.0))
    assert forced_NC[:, SECOND_BOS_COLUMN].tolist() == [0.0, -torch.inf, -torch.inf]
    others_NC = torch.cat(
        (forced_NC[:, :SECOND_BOS_COLUMN], forced_NC[:, SECOND_BOS_COLUMN + 1 :]), 1
    )
    assert others_NC.tolist() == [[-torch.inf] * 4, [-2.0] * 4, [-2.0] * 4]
    paid_NC = SecondBos(LSEP, free=False)(prefix, torch.full((3, 5), -2.0))
    assert paid_NC[:, SECOND_BOS_COLUMN].tolist() == [-2.0, -torch.inf, -torch.inf]
