"""Beam search over any function that scores the next token.

Shape letters: B documents, K beams, N = B x K rows, T target length so far, V vocabulary,
C candidates of a document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mclas_lightning.decoding.processors import Processor, others


class Step(Protocol):
    """The network as the search sees it; it keeps what it knows of each row."""

    def __call__(self, last_N: Tensor) -> Tensor:
        """Log-probabilities ``[N, V]`` of the token after ``last_N``."""
        ...

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        """Go on with these rows, which belong to these documents (indices into the present)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Beam:
    """Settings of the search."""

    width: int
    max_length: int  # of the whole target, [BOS] not counted, [EOS] counted
    length_penalty: float  # alpha of Wu et al. 2016, equation 14
    bos_id: int
    eos_id: int

    def normalize(self, log_p: Tensor | float, length: int) -> Tensor:
        """log P / ((5 + length) / 6)^alpha."""
        return torch.as_tensor(log_p) / ((5 + length) / 6) ** self.length_penalty


@dataclass(frozen=True)
class Hypothesis:
    """The best target found for a document, from after [BOS] to [EOS]."""

    ids: tuple[int, ...]
    score: float


@torch.inference_mode()
def beam_search(
    step: Step,
    num_documents: int,
    beam: Beam,
    processors: Sequence[Processor] = (),
    device: torch.device | str = "cpu",
) -> list[Hypothesis]:
    """The best hypothesis of each document.

    At each length the best ``width`` continuations of a document are taken; those that end retire
    (released code: they go on after [EOS]), and the best ``width`` that do not end go on. A
    document is done when no open hypothesis can overtake its best finished one: log-probabilities
    only fall, and the penalty is largest at ``max_length``.
    """
    K, B = beam.width, num_documents
    best: list[Hypothesis | None] = [None] * B
    document_B = torch.arange(B)  # Which of the original documents each present one is.
    prefix_BKT = torch.full((B, K, 1), beam.bos_id, device=device)
    log_p_BK = torch.tensor([0.0] + [-torch.inf] * (K - 1), device=device).repeat(B, 1)
    for length in range(1, beam.max_length + 1):
        prefix_NT = prefix_BKT.flatten(0, 1)
        scores_NV = step(prefix_NT[:, -1])
        for process in processors:
            scores_NV = process(prefix_NT, scores_NV)
        if length == beam.max_length:
            scores_NV = scores_NV.masked_fill(others(beam.eos_id, scores_NV), -torch.inf)
        total_BKV = log_p_BK[:, :, None] + scores_NV.view(B, K, -1)
        log_p_BC, row_BC, token_BC = _candidates(total_BKV, 2 * K)
        ends_BC = token_BC == beam.eos_id
        retiring_BK = log_p_BC[:, :K].masked_fill(~ends_BC[:, :K], -torch.inf)
        top_B, at_B = beam.normalize(retiring_BK, length).max(1)
        for b in top_B.isfinite().nonzero().flatten().tolist():
            _keep_better(
                best, int(document_B[b]), top_B[b], prefix_BKT[b, row_BC[b, at_B[b]]], beam
            )
        log_p_BK, at_BK = log_p_BC.masked_fill(ends_BC, -torch.inf).topk(K, dim=1)
        row_BK = row_BC.gather(1, at_BK)
        bound_B = beam.normalize(log_p_BK[:, 0], beam.max_length).tolist()
        open_B = torch.tensor(
            [_can_win(bound_B[b], best[int(document_B[b])]) for b in range(B)], device=device
        )
        if not open_B.any():
            break
        going_B = open_B.nonzero().flatten()
        rows_BK = going_B[:, None] * K + row_BK[going_B]
        step.select(rows_BK.flatten(), going_B)
        prefix_BKT = torch.cat(
            (prefix_NT[rows_BK], token_BC.gather(1, at_BK)[going_B, :, None]), dim=2
        )
        log_p_BK, document_B, B = log_p_BK[going_B], document_B[going_B.cpu()], len(going_B)
    assert all(best), "max_length lets only [EOS] be written, so every document has ended"
    return [hypothesis for hypothesis in best if hypothesis]


def _candidates(total_BKV: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best continuations of each document: log-probability, row and token, best first."""
    B, K, V = total_BKV.shape
    log_p_BC, flat_BC = total_BKV.view(B, K * V).topk(min(number, K * V), dim=1)
    return log_p_BC, flat_BC // V, flat_BC % V


def _keep_better(
    best: list[Hypothesis | None], document: int, score: Tensor, prefix_T: Tensor, beam: Beam
) -> None:
    held = best[document]
    if held is None or float(score) > held.score:
        best[document] = Hypothesis((*prefix_T[1:].tolist(), beam.eos_id), float(score))


def _can_win(bound: float, held: Hypothesis | None) -> bool:
    if bound == -torch.inf:
        return False
    return held is None or bound > held.score
