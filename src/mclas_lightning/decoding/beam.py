"""Beam search over any function that scores the next token.

Shape letters: B documents, K beams, N = B x K rows, T target length so far, C columns (what may
come next), M candidates of a document.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mclas_lightning.decoding.processors import Processor


class SearchStep(Protocol):
    """The network as the search sees it; a step holds the state (key-value cache) of each row."""

    def __call__(self, last_N: Tensor) -> Tensor:
        """Log-probabilities ``[N, C]`` of the token after ``last_N``, by column."""
        ...

    def token(self, rows: Tensor, columns: Tensor) -> Tensor:
        """The tokens of these ``columns`` in these ``rows``, elementwise."""
        ...

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        """Keep these rows and documents, both given as indices into the present ones."""
        ...


@dataclass(frozen=True, kw_only=True)
class Beam:
    """Settings of the search."""

    width: int
    max_length: int  # of the whole target, [BOS] not counted, [EOS] counted
    cut: bool = False  # At max_length a hypothesis ends without [EOS] (released code).
    length_penalty: float  # alpha of Wu et al. 2016, equation 14
    bos_id: int
    eos_id: int
    num_best: int = 1  # finished hypotheses that are kept of each document

    def normalize(self, log_p: Tensor | float, length: int) -> Tensor:
        """log P / ((5 + length) / 6)^alpha."""
        return torch.as_tensor(log_p) / ((5 + length) / 6) ** self.length_penalty


@dataclass(frozen=True)
class Hypothesis:
    """A target found for a document: the tokens after [BOS] up to [EOS] or to the cut."""

    ids: tuple[int, ...]
    score: float


def beam_search(
    step: SearchStep,
    num_documents: int,
    beam: Beam,
    processors: Sequence[Processor] = (),
    device: torch.device | str = "cpu",
) -> list[Hypothesis]:
    """The best hypothesis of each document."""
    found = n_best_search(step, num_documents, beam, processors, device)
    return [hypotheses[0] for hypotheses in found]


@torch.inference_mode()
def n_best_search(
    step: SearchStep,
    num_documents: int,
    beam: Beam,
    processors: Sequence[Processor] = (),
    device: torch.device | str = "cpu",
) -> list[list[Hypothesis]]:
    """The ``beam.num_best`` best hypotheses found for each document, best first; at least one.

    At each length, those of a document's best ``width`` continuations that end are finished
    hypotheses (released code: they go on after [EOS]). The best ``width`` continuations that do not
    end stay open. A document is done when no open hypothesis can overtake its last kept one:
    log-probabilities only fall, and the length penalty is largest at ``max_length``.
    """
    K, B = beam.width, num_documents
    best: list[list[Hypothesis]] = [[] for _ in range(B)]
    document_B = torch.arange(B)  # The original index of each document that is not done.
    prefix_BKT = torch.full((B, K, 1), beam.bos_id, device=device)
    log_p_BK = torch.tensor([0.0] + [-torch.inf] * (K - 1), device=device).repeat(B, 1)
    for length in range(1, beam.max_length + 1):
        prefix_NT = prefix_BKT.flatten(0, 1)
        scores_NC = step(prefix_NT[:, -1])
        for process in processors:
            scores_NC = process(prefix_NT, scores_NC)
        if length == beam.max_length and not beam.cut:
            scores_NC = _only(beam.eos_id, step, scores_NC)
        log_p_BM, row_BM, column_BM = _candidates(log_p_BK, scores_NC)
        first_row_B = torch.arange(B, device=device)[:, None] * K
        token_BM = step.token(first_row_B + row_BM, column_BM)
        ends_BM = (token_BM == beam.eos_id) | (beam.cut and length == beam.max_length)
        retiring_BK = log_p_BM[:, :K].masked_fill(~ends_BM[:, :K], -torch.inf)
        normalized_BK = beam.normalize(retiring_BK, length)
        top_BM, at_BM = normalized_BK.topk(min(beam.num_best, normalized_BK.shape[1]), dim=1)
        for b, rank in top_BM.isfinite().nonzero().tolist():
            at = at_BM[b, rank]
            ids = torch.cat((prefix_BKT[b, row_BM[b, at], 1:], token_BM[b, at, None]))
            _keep_better(best[int(document_B[b])], top_BM[b, rank], ids, beam.num_best)
        log_p_BK, at_BK = log_p_BM.masked_fill(ends_BM, -torch.inf).topk(K, dim=1)
        bound_B = beam.normalize(log_p_BK[:, 0], beam.max_length).tolist()
        open_B = torch.tensor(
            [_can_win(bound_B[b], best[int(document_B[b])], beam.num_best) for b in range(B)],
            device=device,
        )
        if not open_B.any():
            break
        slot_BK = _slots(row_BM.gather(1, at_BK))
        at_BK, log_p_BK = at_BK.gather(1, slot_BK), log_p_BK.gather(1, slot_BK)
        going_B = open_B.nonzero().flatten()
        rows_BK = going_B[:, None] * K + row_BM.gather(1, at_BK)[going_B]
        step.select(rows_BK.flatten(), going_B)
        prefix_BKT = torch.cat(
            (prefix_NT[rows_BK], token_BM.gather(1, at_BK)[going_B, :, None]), dim=2
        )
        log_p_BK, document_B, B = log_p_BK[going_B], document_B[going_B.cpu()], len(going_B)
    assert all(best), "at max_length every hypothesis ends, so every document has one"
    return best


def _only(token: int, step: SearchStep, scores_NC: Tensor) -> Tensor:
    rows_N, columns_C = (torch.arange(size, device=scores_NC.device) for size in scores_NC.shape)
    rows_NC, columns_NC = torch.meshgrid(rows_N, columns_C, indexing="ij")
    return scores_NC.masked_fill(step.token(rows_NC, columns_NC) != token, -torch.inf)


def _candidates(log_p_BK: Tensor, scores_NC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The best 2 x K continuations of each document: log P, row and column, best first."""
    B, K = log_p_BK.shape
    # A document's best candidates are among the best of each of its rows.
    score_NM, column_NM = scores_NC.topk(min(2 * K, scores_NC.shape[1]), dim=1)
    total_BM = (log_p_BK[:, :, None] + score_NM.view(B, K, -1)).flatten(1)
    log_p_BM, at_BM = total_BM.topk(min(2 * K, total_BM.shape[1]), dim=1)
    return log_p_BM, at_BM // score_NM.shape[1], column_NM.view(B, -1).gather(1, at_BM)


def _slots(row_BK: Tensor) -> Tensor:
    """For each place in the beam, the index of the continuation that takes it.

    The best continuation of a row takes the row's own place, so that its cache is not copied. The
    other continuations take the places of rows that have no continuation.
    """
    K = row_BK.shape[1]
    again_BK = (row_BK[:, :, None] == row_BK[:, None, :]).tril(-1).any(2)
    places_K = torch.arange(K, device=row_BK.device)
    taken_BK = (row_BK[:, None, :] == places_K[:, None]).any(2)
    # Stable sorts give the first free place to the first of the other continuations.
    free_BK = torch.argsort(taken_BK.to(torch.uint8), dim=1, stable=True)
    other_BK = torch.argsort((~again_BK).to(torch.uint8), dim=1, stable=True)
    number_B1 = again_BK.sum(1, keepdim=True)
    place_BK = torch.where(places_K < number_B1, free_BK, row_BK.gather(1, other_BK))
    return row_BK.scatter(1, other_BK, place_BK).argsort(1)


def _keep_better(held: list[Hypothesis], score: Tensor, ids_T: Tensor, num_best: int) -> None:
    """Put a hypothesis at its place among the ``num_best`` that are held, best first."""
    if len(held) < num_best or float(score) > held[-1].score:
        insort(held, Hypothesis(tuple(ids_T.tolist()), float(score)), key=lambda h: -h.score)
        del held[num_best:]


def _can_win(bound: float, held: Sequence[Hypothesis], num_best: int) -> bool:
    if bound == -torch.inf:
        return False
    return len(held) < num_best or bound > held[-1].score
