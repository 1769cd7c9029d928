"""What a step of the search may write: pure functions of (prefix, scores).

Shape letters: N rows (documents x beams), T target length so far ([BOS] included), V vocabulary,
S segments: the summaries of one target, of which a row has begun as many as it has [LSEP].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Processor = Callable[[Tensor, Tensor], Tensor]

BLOCKED = -1e4  # Finite: a repetition is still better than no summary at all.


def segments(prefix_NT: Tensor, lsep_id: int) -> Tensor:
    """For each position, the index of the summary it is in; [LSEP] opens the next one."""
    return (prefix_NT == lsep_id).cumsum(1)


def others(token: int, scores_NV: Tensor) -> Tensor:
    """True at every token but this one."""
    return torch.arange(scores_NV.shape[1], device=scores_NV.device) != token


@dataclass(frozen=True, eq=False)
class VocabMask:
    """Keep each summary in its own language's vocabulary (paper, section 5.2).

    A summary's terminator is [LSEP] or, for the last, [EOS], and belongs to its row of
    ``allowed_SV``: so there is exactly one [LSEP] between two summaries, and none after the last.
    """

    allowed_SV: Tensor
    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NV: Tensor) -> Tensor:
        segment_N = segments(prefix_NT, self.lsep_id)[:, -1]
        return scores_NV.masked_fill(~self.allowed_SV[segment_N], -torch.inf)


def allowed_tokens(
    vocabularies: Sequence[Sequence[int]], size: int, *, lsep_id: int, eos_id: int
) -> Tensor:
    """The mask ``[S, V]`` of one target's summaries, terminators included."""
    allowed_SV = torch.zeros(len(vocabularies), size, dtype=torch.bool)
    for segment, ids in enumerate(vocabularies):
        terminator = eos_id if segment == len(vocabularies) - 1 else lsep_id
        allowed_SV[segment, [*ids, terminator]] = True
    return allowed_SV


@dataclass(frozen=True, eq=False)
class SideLengths:
    """Each summary has ``shortest`` to ``longest`` tokens, its terminator not counted."""

    shortest: int
    longest: int
    bos_id: int
    lsep_id: int
    eos_id: int

    def __call__(self, prefix_NT: Tensor, scores_NV: Tensor) -> Tensor:
        segment_NT = segments(prefix_NT, self.lsep_id)
        # [BOS] and [LSEP] open a summary and are not of it.
        opens_NT = (prefix_NT == self.bos_id) | (prefix_NT == self.lsep_id)
        length_N = ((segment_NT == segment_NT[:, -1:]) & ~opens_NT).sum(1)
        terminators = [self.lsep_id, self.eos_id]
        ends_V = torch.zeros(scores_NV.shape[1], dtype=torch.bool, device=scores_NV.device)
        ends_V[terminators] = True
        too_short = (length_N < self.shortest)[:, None] & ends_V
        too_long = (length_N >= self.longest)[:, None] & ~ends_V
        return scores_NV.masked_fill(too_short | too_long, -torch.inf)


@dataclass(frozen=True, eq=False)
class TargetLength:
    """No [EOS] before the whole target has ``shortest`` tokens (released code)."""

    shortest: int
    eos_id: int

    def __call__(self, prefix_NT: Tensor, scores_NV: Tensor) -> Tensor:
        if prefix_NT.shape[1] > self.shortest:
            return scores_NV
        return scores_NV.masked_fill(~others(self.eos_id, scores_NV), -torch.inf)


@dataclass(frozen=True, eq=False)
class SecondBos:
    """[LSEP] is followed by [BOS], which costs nothing (released code)."""

    bos_id: int
    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NV: Tensor) -> Tensor:
        forced_V = torch.where(others(self.bos_id, scores_NV), -torch.inf, 0.0)
        return torch.where(prefix_NT[:, -1:] == self.lsep_id, forced_V, scores_NV)


@dataclass(frozen=True, eq=False)
class TrigramBlock:
    """No three tokens twice in one summary or, across summaries, in one target (section 5.2)."""

    # Released code: trigrams of words, across both summaries, so that a name written in S^A
    # cannot be written in S^B. We: word pieces, within one summary if not told otherwise.
    lsep_id: int
    across: bool = False

    def __call__(self, prefix_NT: Tensor, scores_NV: Tensor) -> Tensor:
        if prefix_NT.shape[1] < 4:
            return scores_NV
        first_NT, second_NT, third_NT = prefix_NT[:, :-2], prefix_NT[:, 1:-1], prefix_NT[:, 2:]
        repeats_NT = (first_NT == prefix_NT[:, -2:-1]) & (second_NT == prefix_NT[:, -1:])
        if not self.across:
            segment_NT = segments(prefix_NT, self.lsep_id)
            repeats_NT &= segment_NT[:, :-2] == segment_NT[:, -1:]
        penalty_NT = torch.where(repeats_NT, BLOCKED, 0.0).to(scores_NV.dtype)
        return scores_NV.scatter_add(1, third_NT, penalty_NT)
