import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora.build import build_toy
from mclas_lightning.corpora.toy.editions import BRIEF
from mclas_lightning.evaluate import evaluate
from mclas_lightning.model import linear as linear_module
from mclas_lightning.model.linear import (
    Linear,
    linear_no_grad,
    pack_linear,
    packed,
    use_onednn_linear,
)
from mclas_lightning.train import train
from tests.conftest import small_network

ROUGE_DISTANCE = 0.02  # docs/performance.md: of the means over 200 documents, half of it at most


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_is_torchs_with_its_gradients(bias):
    torch.manual_seed(0)
    theirs = nn.Linear(7, 5, bias=bias)
    ours = Linear(7, 5, bias=bias)
    ours.load_state_dict(theirs.state_dict())
    inputs = [torch.randn(2, 3, 7, requires_grad=True) for _ in range(2)]
    inputs[1].data.copy_(inputs[0].data)
    for layer, x in zip((theirs, ours), inputs, strict=True):
        (layer(x).square() * torch.arange(5)).sum().backward()
    torch.testing.assert_close(ours(inputs[1]), theirs(inputs[0]))
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad)
    for mine, yours in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, yours.grad)


def test_products_of_transposed_views_and_packed_weights_are_products():
    x, w, b = torch.randn(11, 7), torch.randn(5, 7), torch.randn(5)
    expected = x @ w.T + b
    torch.testing.assert_close(linear_no_grad(x, w, b), expected)
    torch.testing.assert_close(linear_no_grad(x.T.contiguous().T, w.T.contiguous().T, b), expected)
    torch.testing.assert_close(pack_linear(w, b)(x), expected)


def test_in_8_bits_a_product_is_as_near_as_127_steps_allow():
    torch.manual_seed(0)
    x, w, b = torch.randn(11, 64), torch.randn(5, 64), torch.randn(5)
    expected, found = x @ w.T + b, pack_linear(w, b, int8=True)(x)
    assert not torch.equal(found, expected)
    assert (found - expected).abs().max() < 0.03 * expected.abs().max()
    nothing = pack_linear(torch.zeros(5, 64), b, int8=True)(x)
    torch.testing.assert_close(nothing, b.expand(11, 5))


SMALL_SUMS = """
import torch
from mclas_lightning.model import linear
linear.cpu_flags = lambda: {"avx2"}
torch.manual_seed(0)
x, w = (torch.randn(num, 256).sign() * (1 - 0.05 * torch.rand(num, 256)) for num in (20, 300))
expected, found = x @ w.T, linear.pack_linear(w, None, int8=True)(x)
print(float((found - expected).abs().max() / expected.abs().max()))
"""


def test_in_8_bits_no_sum_is_too_large_for_a_cpu_that_adds_in_16():
    emulated = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", SMALL_SUMS], env=emulated, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 0.02


def test_other_precisions_are_torchs():
    layer, x = Linear(7, 5), torch.randn(3, 7)
    expected = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    torch.testing.assert_close(layer.double()(x.double()).float(), expected)


@pytest.mark.parametrize("known", [True, False])
def test_products_in_bfloat16_are_those_in_float32_but_for_rounding(known, monkeypatch):
    if not known:
        monkeypatch.setattr(linear_module, "_onednn_knows_bf16", lambda: False)
    elif not linear_module._onednn_knows_bf16():
        pytest.skip("oneDNN multiplies no bf16 on this CPU")
    torch.manual_seed(0)
    x, weight, b = torch.randn(23, 37), torch.randn(17, 37), torch.randn(17)
    halves = [tensor.bfloat16() for tensor in (x, weight, b)]
    expected = torch.nn.functional.linear(*(half.float() for half in halves))
    for found in (
        linear_no_grad(*halves),
        linear_no_grad(halves[0].T.contiguous().T, halves[1].T.contiguous().T, halves[2]),
        pack_linear(*halves[1:])(halves[0]),
    ):
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), expected, rtol=2**-7, atol=0.05)


def test_packed_layers_are_unpacked_again_whatever_happens():
    layer, x = Linear(7, 5), torch.randn(3, 7)
    expected = layer(x)
    with packed(layer):
        assert layer.packed is not None
        torch.testing.assert_close(layer(x), expected)
    with pytest.raises(ZeroDivisionError), packed(layer):
        _ = 1 / 0
    assert layer.packed is None
    with torch.no_grad():  # A packed weight would be an old one.
        layer.weight.zero_()
        layer.bias.zero_()
    assert not layer(x).any()


def test_every_layer_of_the_network_is_one():
    network = small_network("mono", "cross")
    layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
    assert layers
    assert all(type(layer) is Linear for layer in layers)
    with torch.device("meta"):
        other = nn.Sequential(nn.Linear(3, 3))
    use_onednn_linear(other)
    assert type(other[0]) is Linear


@pytest.mark.slow
def test_8_bits_change_rouge_by_little_on_brief_news(tmp_path):
    build_toy(tmp_path / "data" / "brief", 0, BRIEF)
    words = [
        "dataset=brief_mono", "scenario=full", "model=ms", f"data={tmp_path / 'data'}",
        f"runs={tmp_path / 'runs'}", "optim.updates.full=500", "optim.validations=2",
    ]  # fmt: skip
    exact = train(compose("train", words))
    assert exact is not None
    assert exact.scores["mono"]["rouge1_f"] > 0.2, "it has learned to summarize"
    small = evaluate(compose("evaluate", [*words, "decoding.weights=int8"]))
    assert small is not None
    for kind in ("rouge1_f", "rouge2_f", "rougeL_f"):
        assert abs(small.scores["mono"][kind] - exact.scores["mono"][kind]) < ROUGE_DISTANCE, kind
