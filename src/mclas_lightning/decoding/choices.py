"""What may be written next, in columns.

A summary's choices are its terminator ([LSEP] or, for the last, [EOS]) and its language's
vocabulary (paper, section 5.2): so there is exactly one [LSEP] between two summaries, and none
after the last.

Shape letters: N rows, S summaries of one target, C columns, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

END, SECOND_BOS = 0, 1  # columns


@dataclass(frozen=True, eq=False)
class Choices:
    """The token of each column, for each summary; -1 fills shorter rows up."""

    token_SC: Tensor
    column_SV: Tensor  # the inverse; -1 for a token that is no choice

    @property
    def sizes(self) -> list[int]:
        """Choices of each summary."""
        return (self.token_SC >= 0).sum(1).tolist()

    def to(self, device: torch.device) -> "Choices":
        """The same, there."""
        return Choices(self.token_SC.to(device), self.column_SV.to(device))


def choices(
    vocabularies: Sequence[Sequence[int]],
    size: int,
    *,
    lsep_id: int,
    eos_id: int,
    second_bos: int | None = None,
) -> Choices:
    """The choices of one target's summaries; ``second_bos`` is a choice of each, too."""
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
    return Choices(token_SC, column_SV)
