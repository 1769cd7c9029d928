"""The output layer on a shortlist: the tokens that each summary of a target may be written with.

Shape letters: N rows, D width, V vocabulary, S summaries of a target, C columns (places in the
longest shortlist), c of one shortlist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mclas_lightning.model.device import reading_waits
from mclas_lightning.model.linear import linear_no_grad, pack_linear

END_COLUMN = 0  # [LSEP] of every summary but the last, [EOS] of the last

SECOND_BOS_COLUMN = 1  # where [BOS] follows [LSEP] (released code)


@dataclass(frozen=True, eq=False)
class Shortlists:
    """The shortlist of each summary, as tokens by column and as columns by token."""

    token_SC: Tensor  # -1 after the end of a shorter list
    column_SV: Tensor  # the inverse; -1 for a token that is not on the list

    @property
    def sizes(self) -> list[int]:
        """The length of each summary's list."""
        return (self.token_SC >= 0).sum(1).tolist()

    def to(self, device: torch.device) -> "Shortlists":
        """A copy on ``device``."""
        return Shortlists(self.token_SC.to(device), self.column_SV.to(device))


def shortlists_of(
    vocabularies: Sequence[Sequence[int]],
    size: int,
    *,
    lsep_id: int,
    eos_id: int,
    second_bos: int | None = None,
) -> Shortlists:
    """Shortlists of one target's summaries: terminator, ``second_bos`` if given, vocabulary.

    ``size`` is the number of tokens in the whole vocabulary.
    """
    rows = [
        [
            eos_id if summary == len(vocabularies) - 1 else lsep_id,
            *([] if second_bos is None else [second_bos]),
            *ids,
        ]
        for summary, ids in enumerate(vocabularies)
    ]
    token_SC = torch.full((len(rows), max(map(len, rows))), -1)
    column_SV = torch.full((len(rows), size), -1)
    for summary, row in enumerate(rows):
        token_SC[summary, : len(row)] = torch.tensor(row)
        column_SV[summary, row] = torch.arange(len(row))
    return Shortlists(token_SC, column_SV)


class OutputLayer:
    """Log-probabilities of the shortlist of the summary that each row is in.

    The output matrix is the largest of a decoding step. With ``renormalize``, only the shortlist's
    rows of it are multiplied, and probabilities are over the shortlist.
    """

    # Released code: probabilities over the whole vocabulary, before the mask. We: over the
    # shortlist, or as released with ``renormalize=False``, which multiplies the whole matrix.
    @torch.no_grad()
    def __init__(
        self,
        weight_VD: Tensor,
        bias_V: Tensor,
        shortlists: Shortlists,
        *,
        lsep_id: int,
        renormalize: bool,
        int8: bool = False,
    ) -> None:
        self.shortlists, self.lsep_id = shortlists, lsep_id
        tokens = [
            row[:size] for row, size in zip(shortlists.token_SC, shortlists.sizes, strict=True)
        ]
        self.tokens = tokens
        self.whole = None if renormalize else (weight_VD, bias_V)
        sliced = tokens if renormalize else []
        self.layers = [pack_linear(weight_VD[ids], bias_V[ids], int8=int8) for ids in sliced]

    def __call__(self, hidden_ND: Tensor, segment_N: Tensor) -> Tensor:
        """``[N, C]``, -inf after the end of a row's shortlist; ``segment_N`` is its summary."""
        if reading_waits(segment_N):
            return self._all(hidden_ND, segment_N)
        present = segment_N.unique().tolist()
        if len(present) == 1:
            return self._filled_up(self._scores(hidden_ND, present[0]))
        shape = (len(hidden_ND), self.shortlists.token_SC.shape[1])
        scores_NC = torch.full(shape, -torch.inf, device=hidden_ND.device)
        for segment in present:
            rows = (segment_N == segment).nonzero().flatten()
            found = self._scores(hidden_ND[rows], segment)
            scores_NC[rows, : found.shape[1]] = found
        return scores_NC

    def _all(self, hidden_ND: Tensor, segment_N: Tensor) -> Tensor:
        """``__call__`` without reading ``segment_N`` on the host: all rows times all shortlists."""
        token_SC = self.shortlists.token_SC
        if self.whole is not None:
            scores_NV = linear_no_grad(hidden_ND, *self.whole).float().log_softmax(1)
            token_NC = token_SC[segment_N]
            scores_NC = scores_NV.gather(1, token_NC.clamp(min=0))
            return scores_NC.masked_fill(token_NC < 0, -torch.inf)
        scores_NC = self._filled_up(self._scores(hidden_ND, 0))
        for segment in range(1, len(self.layers)):
            found_NC = self._filled_up(self._scores(hidden_ND, segment))
            scores_NC = torch.where(segment_N[:, None] == segment, found_NC, scores_NC)
        return scores_NC

    def _filled_up(self, scores_Nc: Tensor) -> Tensor:
        missing = self.shortlists.token_SC.shape[1] - scores_Nc.shape[1]
        return F.pad(scores_Nc, (0, missing), value=-torch.inf) if missing else scores_Nc

    def _scores(self, hidden_ND: Tensor, segment: int) -> Tensor:
        if self.whole is not None:
            scores_NV = linear_no_grad(hidden_ND, *self.whole).float().log_softmax(1)
            return scores_NV[:, self.tokens[segment]]
        return self.layers[segment](hidden_ND).float().log_softmax(1)
