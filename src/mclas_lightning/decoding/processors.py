"""What a step of the search may write: pure functions of (prefix, scores).

Shape letters: N rows (documents x beams), T target length so far ([BOS] included), C columns, which
``Choices`` gives a meaning; S summaries of one target, of which a row has begun as many as it has
[LSEP].
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mclas_lightning.decoding.choices import END, SECOND_BOS, Choices

Processor = Callable[[Tensor, Tensor], Tensor]

BLOCKED = -1e4  # Finite: a repetition is still better than no summary at all.


def segments(prefix_NT: Tensor, lsep_id: int) -> Tensor:
    """For each position, the index of the summary it is in; [LSEP] opens the next one."""
    return (prefix_NT == lsep_id).cumsum(1)


@dataclass(frozen=True, eq=False)
class SideLengths:
    """Each summary has ``shortest`` to ``longest`` tokens, its terminator not counted."""

    shortest: int
    longest: int
    bos_id: int
    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        segment_NT = segments(prefix_NT, self.lsep_id)
        # [BOS] and [LSEP] open a summary and are not of it.
        opens_NT = (prefix_NT == self.bos_id) | (prefix_NT == self.lsep_id)
        length_N = ((segment_NT == segment_NT[:, -1:]) & ~opens_NT).sum(1)
        too_short_N, too_long_N = length_N < self.shortest, length_N >= self.longest
        scores_NC[too_short_N, END] = -torch.inf
        scores_NC[too_long_N, END + 1 :] = -torch.inf
        return scores_NC


@dataclass(frozen=True, eq=False)
class TargetLength:
    """No [EOS] before the whole target has ``shortest`` tokens (released code)."""

    shortest: int
    num_sides: int
    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        if prefix_NT.shape[1] <= self.shortest:
            last_N = segments(prefix_NT, self.lsep_id)[:, -1] == self.num_sides - 1
            scores_NC[last_N, END] = -torch.inf
        return scores_NC


@dataclass(frozen=True, eq=False)
class SecondBos:
    """[LSEP] is followed by [BOS], which costs nothing (released code); nothing else is."""

    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        scores_NC[:, SECOND_BOS] = -torch.inf
        opens_N = prefix_NT[:, -1] == self.lsep_id
        scores_NC[opens_N] = -torch.inf
        scores_NC[opens_N, SECOND_BOS] = 0.0
        return scores_NC


@dataclass(frozen=True, eq=False)
class TrigramBlock:
    """No three tokens twice in one summary or, across summaries, in one target (section 5.2)."""

    # Released code: trigrams of words, across both summaries, so that a name written in S^A
    # cannot be written in S^B. We: word pieces, within one summary if not told otherwise.
    choices: Choices
    lsep_id: int
    across: bool = False

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        if prefix_NT.shape[1] < 4:
            return scores_NC
        segment_NT = segments(prefix_NT, self.lsep_id)
        first_NT, second_NT, third_NT = prefix_NT[:, :-2], prefix_NT[:, 1:-1], prefix_NT[:, 2:]
        repeats_NT = (first_NT == prefix_NT[:, -2:-1]) & (second_NT == prefix_NT[:, -1:])
        if not self.across:
            repeats_NT &= segment_NT[:, :-2] == segment_NT[:, -1:]
        column_NT = self.choices.column_SV[segment_NT[:, -1:], third_NT]
        penalty_NT = torch.where(repeats_NT & (column_NT >= 0), BLOCKED, 0.0).to(scores_NC.dtype)
        return scores_NC.scatter_add_(1, column_NT.clamp(min=0), penalty_NT)
