import math

import pytest
import torch
import torch.nn.functional as F

from mclas_lightning.model.loss import output_loss


def loss_of(logits_MV: torch.Tensor, gold_M: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The loss of an output layer that returns its input as logits."""
    layer = (torch.eye(logits_MV.shape[1]), torch.zeros(logits_MV.shape[1]))
    return output_loss(logits_MV, *layer, gold_M, smoothing=smoothing, pad_id=0)


def torchs_loss(logits_MV: torch.Tensor, gold_M: torch.Tensor, smoothing: float) -> torch.Tensor:
    """torch's KL divergence from the smoothed distribution, of which every entry is written."""
    q_MV = torch.full_like(logits_MV, smoothing / (logits_MV.shape[1] - 2))
    q_MV[torch.arange(len(gold_M)), gold_M] = 1 - smoothing
    q_MV[:, 0] = 0
    return F.kl_div(logits_MV.log_softmax(1), q_MV, reduction="sum")


def test_label_smoothing_by_hand():
    # V = 4, [PAD] = 0, gold = 2: q = (0, 0.05, 0.9, 0.05), p = softmax(0, 0, ln 2, ln 5).
    logits_MV = torch.tensor([[0.0, 0.0, math.log(2), math.log(5)]])
    p = [1 / 9, 1 / 9, 2 / 9, 5 / 9]
    q = [0, 0.05, 0.9, 0.05]
    expected = sum(q[i] * math.log(q[i] / p[i]) for i in (1, 2, 3))
    loss = loss_of(logits_MV, torch.tensor([2]), smoothing=0.1)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("smoothing", [0.1, 0.37])
def test_label_smoothing_is_torchs_kl_to_the_smoothed_distribution(smoothing):
    torch.manual_seed(0)
    logits_MV, gold_M = torch.randn(7, 11), torch.randint(1, 11, (7,))
    loss = loss_of(logits_MV, gold_M, smoothing)
    torch.testing.assert_close(loss, torchs_loss(logits_MV, gold_M, smoothing))


def test_without_smoothing_it_is_the_negative_log_likelihood():
    torch.manual_seed(0)
    logits_MV, gold_M = torch.randn(7, 11), torch.randint(1, 11, (7,))
    loss = loss_of(logits_MV, gold_M, smoothing=0.0)
    torch.testing.assert_close(loss, F.cross_entropy(logits_MV, gold_M, reduction="sum"))


def test_the_smoothed_distribution_itself_has_loss_zero():
    q_V = torch.tensor([1e-30, 0.05, 0.9, 0.05])
    loss = loss_of(q_V.log()[None], torch.tensor([2]), smoothing=0.1)
    assert loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("chunk", [1, 53 * 3, 53 * 7, 2**25])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_in_chunks_loss_and_gradients_are_those_of_the_whole(monkeypatch, chunk, smoothing):
    monkeypatch.setattr("mclas_lightning.model.loss.CHUNK_LOGITS", chunk)
    torch.manual_seed(0)
    gold_M = torch.randint(1, 53, (19,))

    def tensors():
        torch.manual_seed(1)
        shapes = ((19, 5), (53, 5), (53,))
        return [torch.randn(shape, requires_grad=True) for shape in shapes]

    hidden_MD, weight_VD, bias_V = whole = tensors()
    expected = torchs_loss(hidden_MD @ weight_VD.T + bias_V, gold_M, smoothing)
    (expected / 7).backward()
    chunked = tensors()
    layer = chunked[1], chunked[2]
    found = output_loss(chunked[0], *layer, gold_M, smoothing=smoothing, pad_id=0)
    (found / 7).backward()
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(chunked, whole, strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_in_chunks_autocast_loses_no_more_than_its_precision():
    torch.manual_seed(0)
    shapes = ((19, 5), (53, 5), (53,))
    hidden_MD, weight_VD, bias_V = (torch.randn(shape, requires_grad=True) for shape in shapes)
    gold_M = torch.randint(1, 53, (19,))
    words = {"smoothing": 0.1, "pad_id": 0}
    expected = output_loss(hidden_MD, weight_VD, bias_V, gold_M, **words)
    with torch.autocast("cpu", torch.bfloat16):
        found = output_loss(hidden_MD, weight_VD, bias_V, gold_M, **words)
    found.backward()
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=0)
    for tensor in (hidden_MD, weight_VD, bias_V):
        assert tensor.grad is not None
        assert tensor.grad.dtype == torch.float32
