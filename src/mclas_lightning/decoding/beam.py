"""Beam search over any function that scores the next token.

Shape letters: B documents, K beams, N = B x K rows, T target length so far, L longest target,
C columns (what may come next), M candidates of a document, H finished hypotheses that are kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from mclas_lightning.decoding.processors import BLOCKED, Processor
from mclas_lightning.model.device import reading_waits

STEPS_BETWEEN_CHECKS = 8  # on a GPU, of whether documents are done


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
    sure: bool = True  # A document is done when no hypothesis can win, not when none seems to.
    halving: bool = False  # Documents leave the batch only where at most half of it is open.

    def normalize(self, log_p: Tensor | float, length: int) -> Tensor:
        """log P / ((5 + length) / 6)^alpha; what repetitions cost stays whole.

        A longer target would else win where all repeat.
        """
        log_p = torch.as_tensor(log_p)
        cost = torch.where(log_p.isinf(), 0, (log_p / BLOCKED).floor() * BLOCKED)
        return (log_p - cost) / ((5 + length) / 6) ** self.length_penalty + cost


@dataclass(frozen=True)
class Hypothesis:
    """A target found for a document: the tokens after [BOS] up to [EOS] or to the cut."""

    ids: tuple[int, ...]
    score: float


class _Finished(NamedTuple):
    """The best finished hypotheses of some documents so far, best first, on the device."""

    document_B: Tensor  # the number of each document
    score_BH: Tensor  # -inf at a place that is still empty
    ids_BHL: Tensor  # -1 after the end

    @classmethod
    def none(cls, documents: int, beam: Beam, device: torch.device | str) -> "_Finished":
        """The empty places of documents."""
        score_BH = torch.full((documents, beam.num_best), -torch.inf, device=device)
        ids_BHL = torch.full((*score_BH.shape, beam.max_length), -1, device=device)
        return cls(torch.arange(documents, device=device), score_BH, ids_BHL)

    def add(self, score_BK: Tensor, ids_BKT: Tensor) -> "_Finished":
        """The best of these hypotheses and of those held; a score of -inf stands for none."""
        score_BM = torch.cat((self.score_BH, score_BK), 1)
        # In a stable sort, a hypothesis that is held comes before a newer one of the same score.
        score_BM, at_BM = score_BM.sort(dim=1, descending=True, stable=True)
        held, longest = self.ids_BHL.shape[1:]
        ids_BKL = F.pad(ids_BKT, (0, longest - ids_BKT.shape[2]), value=-1)
        at_BHL = at_BM[:, :held, None].expand_as(self.ids_BHL)
        ids_BHL = torch.cat((self.ids_BHL, ids_BKL), 1).gather(1, at_BHL)
        return _Finished(self.document_B, score_BM[:, :held], ids_BHL)

    def of(self, rows_B: Tensor) -> "_Finished":
        """Those of some of the documents."""
        return _Finished(*(each[rows_B] for each in self))


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
    log-probabilities only fall, and the length penalty is largest at ``max_length``. A document
    that is done may therefore stay in the batch: nothing that it still finds is kept. Where the
    search need not be ``sure``, a document is done when no open hypothesis would win as it is.
    """
    K, B = beam.width, num_documents
    finished, done = _Finished.none(B, beam, device), []
    prefix_BKT = torch.full((B, K, 1), beam.bos_id, device=device)
    log_p_BK = torch.full((B, K), -torch.inf, device=device)
    log_p_BK[:, 0].zero_()
    every = STEPS_BETWEEN_CHECKS if reading_waits(log_p_BK) else 1
    for length in range(1, beam.max_length + 1):
        prefix_NT = prefix_BKT.flatten(0, 1)
        scores_NC = step(prefix_NT[:, -1])
        for process in processors:
            scores_NC = process(prefix_NT, scores_NC)
        if length == beam.max_length and not beam.cut:
            scores_NC = _only(beam.eos_id, step, scores_NC)
        log_p_BM, row_BM, column_BM = _candidates(log_p_BK, scores_NC)
        going_B = torch.arange(B, device=device)
        token_BM = step.token(going_B[:, None] * K + row_BM, column_BM)
        ends_BM = (token_BM == beam.eos_id) | (beam.cut and length == beam.max_length)
        retiring_BK = log_p_BM[:, :K].masked_fill(~ends_BM[:, :K], -torch.inf)
        ids_BKT = _longer(prefix_BKT, row_BM[:, :K], token_BM[:, :K])[:, :, 1:]
        finished = finished.add(beam.normalize(retiring_BK, length), ids_BKT)
        if length == beam.max_length:
            break
        log_p_BK, at_BK = log_p_BM.masked_fill(ends_BM, -torch.inf).topk(K, dim=1)
        bound_B = beam.normalize(log_p_BK[:, 0], beam.max_length if beam.sure else length)
        open_B = bound_B > finished.score_BH[:, -1]
        num_open = int(open_B.sum()) if length % every == 0 else B  # The host waits here alone.
        if beam.halving and 2 * num_open > B:
            num_open = B
        slot_BK = _slots(row_BM.gather(1, at_BK))
        at_BK, log_p_BK = at_BK.gather(1, slot_BK), log_p_BK.gather(1, slot_BK)
        row_BK = row_BM.gather(1, at_BK)
        prefix_BKT = _longer(prefix_BKT, row_BK, token_BM.gather(1, at_BK))
        if num_open < B:
            open_first_B = open_B.to(torch.uint8).argsort(descending=True, stable=True)
            going_B, gone_B = open_first_B.split([num_open, B - num_open])
            done, finished, B = [*done, finished.of(gone_B)], finished.of(going_B), num_open
            prefix_BKT, log_p_BK, row_BK = (x[going_B] for x in (prefix_BKT, log_p_BK, row_BK))
        if not B:
            break
        step.select((going_B[:, None] * K + row_BK).flatten(), going_B)
    return _hypotheses([*done, finished], num_documents)


def _hypotheses(parts: Sequence[_Finished], num_documents: int) -> list[list[Hypothesis]]:
    """The hypotheses of all documents, in their order, on the host."""
    document_B, score_BH, ids_BHL = (torch.cat(each).tolist() for each in zip(*parts, strict=True))
    best: list[list[Hypothesis]] = [[] for _ in range(num_documents)]
    for document, scores, rows in zip(document_B, score_BH, ids_BHL, strict=True):
        for score, row in zip(scores, rows, strict=True):
            if score > -math.inf:
                best[document].append(Hypothesis(tuple(i for i in row if i >= 0), score))
    assert all(best), "at max_length every hypothesis ends, so every document has one"
    return best


def _longer(prefix_BKT: Tensor, row_BK: Tensor, token_BK: Tensor) -> Tensor:
    """The prefixes of these rows of each document, each with a token more."""
    row_BKT = row_BK[:, :, None].expand(-1, -1, prefix_BKT.shape[2])
    return torch.cat((prefix_BKT.gather(1, row_BKT), token_BK[:, :, None]), dim=2)


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
