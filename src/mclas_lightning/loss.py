"""Label-smoothed cross-entropy. Shape letters: M target positions, V vocabulary."""

import math

from torch import Tensor


def label_smoothed_kl(
    logits_MV: Tensor, gold_M: Tensor, *, smoothing: float, pad_id: int
) -> Tensor:
    """Sum over positions of KL(q || softmax(logits)); 0 for a network that predicts q.

    q is 1 - smoothing at the gold token, 0 at [PAD] and smoothing / (V - 2) elsewhere, as in the
    released code. ``smoothing=0`` is the negative log-likelihood of equations 1, 2 and 4.
    """
    logits_MV = logits_MV.float()
    share = smoothing / (logits_MV.shape[1] - 2)
    log_norm_M = logits_MV.logsumexp(1)
    gold_log_p = logits_MV.gather(1, gold_M[:, None]).squeeze(1) - log_norm_M
    loss = -(1 - smoothing) * gold_log_p.sum()
    if smoothing:
        pad_log_p = logits_MV[:, pad_id] - log_norm_M
        all_log_p = logits_MV.sum(1) - logits_MV.shape[1] * log_norm_M
        others = (all_log_p - gold_log_p - pad_log_p).sum()
        entropy = -(1 - smoothing) * math.log(1 - smoothing) - smoothing * math.log(share)
        loss = loss - share * others - entropy * len(gold_M)
    return loss
