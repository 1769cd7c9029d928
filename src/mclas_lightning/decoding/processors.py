"""Processors of the scores of a search: what a row may write next, given its prefix.

Shape letters: N rows (documents x beams), T target length so far ([BOS] included), S summaries of a
target (a row is in the summary whose index is its number of [LSEP]), C columns of ``Shortlists``,
V vocabulary, W positions of a window.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mclas_lightning.decoding.output import END_COLUMN, SECOND_BOS_COLUMN, Shortlists
from mclas_lightning.decoding.repetition import REPETITION_SHARES

Processor = Callable[[Tensor, Tensor], Tensor]

REPETITION_WINDOW = 32  # The longest repetition that is found, in word pieces.

BLOCKED = -1e4  # Finite: a repetition is still better than no summary at all.


def segments(prefix_NT: Tensor, lsep_id: int) -> Tensor:
    """For each position, the index of its summary; [LSEP] opens the next summary."""
    return (prefix_NT == lsep_id).cumsum(1)


@dataclass(frozen=True, eq=False)
class SideLengths:
    """Each summary has ``shortest`` to ``longest`` tokens, [LSEP] and [EOS] not counted."""

    shortest: int
    longest: int
    bos_id: int
    lsep_id: int

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        segment_NT = segments(prefix_NT, self.lsep_id)
        # [BOS] and [LSEP] open a summary and are not counted.
        opens_NT = (prefix_NT == self.bos_id) | (prefix_NT == self.lsep_id)
        length_N = ((segment_NT == segment_NT[:, -1:]) & ~opens_NT).sum(1)
        scores_NC[:, END_COLUMN].masked_fill_(length_N < self.shortest, -torch.inf)
        if prefix_NT.shape[1] > self.longest:  # A shorter target has no summary that is too long.
            too_long_N1 = (length_N >= self.longest)[:, None]
            scores_NC[:, END_COLUMN + 1 :].masked_fill_(too_long_N1, -torch.inf)
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
            scores_NC[:, END_COLUMN].masked_fill_(last_N, -torch.inf)
        return scores_NC


@dataclass(frozen=True, eq=False)
class SecondBos:
    """[BOS] follows each [LSEP] (released code), and is written nowhere else."""

    # Released code: [BOS] is predicted, and its log-probability is part of the hypothesis's score.
    # We: [BOS] is forced. Its log-probability counts, unless it is ``free``: with probabilities
    # over the allowed tokens, of which [BOS] is the only one, it is 0.
    lsep_id: int
    free: bool

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        opens_N = prefix_NT[:, -1] == self.lsep_id
        price_N = (
            torch.zeros_like(scores_NC[:, 0]) if self.free else scores_NC[:, SECOND_BOS_COLUMN]
        )
        price_N = torch.where(opens_N, price_N, -torch.inf)
        scores_NC.masked_fill_(opens_N[:, None], -torch.inf)
        scores_NC[:, SECOND_BOS_COLUMN] = price_N
        return scores_NC


def repeated_shares(prefix_NT: Tensor, share_V: Tensor) -> Tensor:
    """``[N, T]``: for each position t, the shares of the prefix's end that also stand before t.

    The longest run of pieces that ends at t - 1 and that the prefix ends with is found, up to
    ``REPETITION_WINDOW`` pieces. The shares (see ``repetition``) of the run's pieces are summed.
    """
    width = min(prefix_NT.shape[1], REPETITION_WINDOW)
    # A window holds the pieces before a position, the nearest first; -1 fills it up at the start.
    # Windows are in reverse order: of the prefix's end, of its last position, and so on.
    before_NTW = F.pad(prefix_NT.flip(1), (0, width), value=-1).unfold(1, width, 1)
    same_NTW = (before_NTW[:, 1:] == before_NTW[:, :1]).cumprod(2, dtype=torch.uint8)
    share_NW = share_V[before_NTW[:, 0].clamp(min=0)]
    return F.pad(share_NW.cumsum(1), (1, 0)).gather(1, same_NTW.sum(2).flip(1))


@dataclass(frozen=True, eq=False)
class RepetitionBlock:
    """No three words twice in one summary or, across summaries, in one target (section 5.2).

    The block is on the first piece of the third word, so that no word is cut off.
    """

    shortlists: Shortlists
    share_V: Tensor  # of each piece in a repetition, see ``repetition``
    lsep_id: int
    across: bool = False

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        share_NT = self.share_V[prefix_NT]
        repeats_NT = (share_NT > 0) & (
            repeated_shares(prefix_NT, self.share_V) + share_NT >= REPETITION_SHARES
        )
        segment_NT = segments(prefix_NT, self.lsep_id)
        if not self.across:
            repeats_NT &= segment_NT == segment_NT[:, -1:]
        column_NT = self.shortlists.column_SV[segment_NT[:, -1:], prefix_NT]
        penalty_NT = torch.where(repeats_NT & (column_NT >= 0), BLOCKED, 0.0).to(scores_NC.dtype)
        return scores_NC.scatter_add_(1, column_NT.clamp(min=0), penalty_NT)


@dataclass(frozen=True, eq=False)
class ReleasedBlock:
    """Lower the score of a target that repeats its last three words (released code).

    [BOS] and [LSEP] are words, and the last word may be unfinished.
    """

    # Released code: adds -1e21 to the score, in which log P is lost, so that the output is
    # arbitrary where all beams are blocked. We: add ``BLOCKED``, which keeps the order of log P.
    share_V: Tensor

    def __call__(self, prefix_NT: Tensor, scores_NC: Tensor) -> Tensor:
        # The run that ends before t is of whole words if a word begins at t.
        begins_NT = self.share_V[prefix_NT] > 0
        given_up_N = (
            begins_NT & (repeated_shares(prefix_NT, self.share_V) >= REPETITION_SHARES)
        ).any(1)
        return scores_NC + torch.where(given_up_N, BLOCKED, 0.0).to(scores_NC.dtype)[:, None]
