"""The label-smoothed loss of an output layer, computed in chunks.

Shape letters: M target positions, D width, V vocabulary; m positions of a chunk,
v rows of a slice.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mclas_lightning.model.linear import linear_no_grad

CHUNK_LOGITS = 2**25  # logits in memory at a time

SLICE_ROWS = 2**13  # rows of the output layer whose gradient is computed at a time


def output_loss(
    hidden_MD: Tensor,
    weight_VD: Tensor,
    bias_V: Tensor,
    gold_M: Tensor,
    *,
    smoothing: float,
    pad_id: int,
) -> Tensor:
    """Sum over positions of KL(q || softmax(logits)); 0 for a network that predicts q.

    q is 1 - smoothing at the gold token, 0 at [PAD] and smoothing / (V - 2) elsewhere, as in the
    released code. ``smoothing=0`` is the negative log-likelihood of equations 1, 2 and 4. The
    forward pass computes a chunk's loss and its gradient, softmax - q, and frees its logits.
    """
    return _OutputLoss.apply(hidden_MD, weight_VD, bias_V, gold_M, smoothing, pad_id)  # pyright: ignore


class _OutputLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_MD: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor,
        gold_M: Tensor,
        smoothing: float,
        pad_id: int,
    ) -> Tensor:
        loss = torch.zeros((), device=hidden_MD.device)
        d_hidden_MD, d_bias_V = torch.empty_like(hidden_MD), torch.zeros_like(bias_V)
        d_weight_VD = torch.zeros_like(weight_VD)
        rows = max(1, CHUNK_LOGITS // len(bias_V))
        device = hidden_MD.device.type
        if torch.is_autocast_enabled(device):  # Rounded once, not in each product of each chunk.
            weight_VD = weight_VD.to(torch.get_autocast_dtype(device))
        for start in range(0, len(gold_M), rows):
            hidden_mD, gold_m = hidden_MD[start : start + rows], gold_M[start : start + rows]
            logits_mV = linear_no_grad(hidden_mD, weight_VD, bias_V).float()
            known = (logits_mV, logits_mV.logsumexp(1), gold_m, smoothing, pad_id)
            loss += _kl(*known)
            d_logits_mV = _softmax_minus_q(*known)
            d_hidden_MD[start : start + rows] = linear_no_grad(d_logits_mV, weight_VD.T)
            d_bias_V += d_logits_mV.sum(0)
            _add_product(d_weight_VD, d_logits_mV, hidden_mD)
        # Saved tensors would stay in memory beside the gradients of the parameters.
        ctx.gradients = [d_hidden_MD, d_weight_VD, d_bias_V]
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        gradients, ctx.gradients = ctx.gradients, None
        for part in gradients:
            part.mul_(grad)
        return (*gradients, None, None, None)


def _kl(
    logits_mV: Tensor, log_norm_m: Tensor, gold_m: Tensor, smoothing: float, pad_id: int
) -> Tensor:
    share = smoothing / (logits_mV.shape[1] - 2)
    gold_log_p = logits_mV.gather(1, gold_m[:, None]).squeeze(1) - log_norm_m
    loss = -(1 - smoothing) * gold_log_p.sum()
    if smoothing:
        pad_log_p = logits_mV[:, pad_id] - log_norm_m
        all_log_p = logits_mV.sum(1) - logits_mV.shape[1] * log_norm_m
        others = (all_log_p - gold_log_p - pad_log_p).sum()
        entropy = -(1 - smoothing) * math.log(1 - smoothing) - smoothing * math.log(share)
        loss = loss - share * others - entropy * len(gold_m)
    return loss


def _softmax_minus_q(
    logits_mV: Tensor, log_norm_m: Tensor, gold_m: Tensor, smoothing: float, pad_id: int
) -> Tensor:
    """The gradient of a chunk's loss, written over its logits."""
    share = smoothing / (logits_mV.shape[1] - 2)
    d_logits_mV = logits_mV.sub_(log_norm_m[:, None]).exp_().sub_(share)
    d_logits_mV[:, pad_id] += share
    at_gold = torch.full_like(d_logits_mV[:, :1], share - (1 - smoothing))
    return d_logits_mV.scatter_add_(1, gold_m[:, None], at_gold)


def _add_product(total_VD: Tensor, d_logits_mV: Tensor, hidden_mD: Tensor) -> None:
    """Add a chunk's gradient of the weight by slices: the whole one is as large as the weight."""
    slices = zip(total_VD.split(SLICE_ROWS), d_logits_mV.split(SLICE_ROWS, dim=1), strict=True)
    for slice_vD, d_logits_mv in slices:
        slice_vD += linear_no_grad(d_logits_mv.T, hidden_mD.T)  # In half precision under autocast.
