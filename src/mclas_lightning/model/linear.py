"""Linear layers that on a CPU oneDNN multiplies, or MKL where it is faster.

torch multiplies float32 matrices by MKL, whose fast kernels are for Intel's processors. oneDNN
chooses a kernel by the instructions that the processor has. On Intel's processors MKL is faster
where matrices are transposed views, as those of gradients are (docs/performance.md).

Shape letters: M rows, I and O features in and out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mclas_lightning.progress import cpu_flags

PackedLinear = Callable[[Tensor], Tensor]

PACKED_ROWS = 20  # Weights are packed for products of M = 20; other M are correct, too.


def linear_no_grad(x_MI: Tensor, weight_OI: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """x W^T + b of matrices, without a gradient; x and W may be transposed views."""
    if weight_OI.is_mkldnn or _onednn_multiplies(x_MI):
        return torch.ops.mkldnn._linear_pointwise(x_MI, weight_OI, bias_O, "none", [], "")
    return F.linear(x_MI, weight_OI, bias_O)


def pack_linear(weight_OI: Tensor, bias_O: Tensor | None, *, int8: bool = False) -> PackedLinear:
    """A function x -> x W^T + b whose weight is laid out for products of few rows.

    ``int8`` (on a CPU only) rounds the weight with a scale for each row, and x with one scale for
    each product: to 7 bits where the CPU adds products in 16, which 8 would exceed.
    """
    weight_OI = weight_OI.detach().contiguous()
    if int8:
        return _pack_int8(weight_OI, bias_O)
    if _onednn_knows(weight_OI):
        weight_OI = torch.ops.mkldnn._reorder_linear_weight(weight_OI, PACKED_ROWS)
    return lambda x_MI: linear_no_grad(x_MI, weight_OI, bias_O)


def _pack_int8(weight_OI: Tensor, bias_O: Tensor | None) -> PackedLinear:
    scale_O = weight_OI.abs().amax(1).clamp(min=1e-12) / 127
    zero_O = torch.zeros(len(scale_O), dtype=torch.long)
    steps_OI = (weight_OI / scale_O[:, None]).round().to(torch.int8)
    held = torch.ops.onednn.qlinear_prepack(steps_OI, [PACKED_ROWS, weight_OI.shape[1]])
    zero = 128 if _adds_in_32_bits() else 64

    def linear_int8(x_MI: Tensor) -> Tensor:
        scale = max(x_MI.abs().max().item(), 1e-12) / (zero - 1)
        # torch converts to int8 by vector instructions, to uint8 without; add_ wraps around.
        steps_MI = (x_MI * (1 / scale)).round_().to(torch.int8).view(torch.uint8).add_(zero)
        weight, output = (held, scale_O, zero_O, bias_O), (1.0, 0, torch.float32)
        return torch.ops.onednn.qlinear_pointwise(
            steps_MI, scale, zero, *weight, *output, "none", [], ""
        )

    return linear_int8


def _onednn_multiplies(x: Tensor) -> bool:
    return _onednn_knows(x) and not (x.dtype == torch.float32 and _mkl_knows_avx512())


@cache
def _adds_in_32_bits() -> bool:
    """Whether this CPU adds products of 8 bits in 32; others add two of them in 16 first."""
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & cpu_flags())


@cache
def _mkl_knows_avx512() -> bool:
    """Whether MKL multiplies by AVX-512 on this CPU: it does on Intel's alone."""
    return torch.backends.mkl.is_available() and {"GenuineIntel", "avx512f"} <= cpu_flags()


def _onednn_knows(x: Tensor) -> bool:
    if not (x.is_cpu and torch.backends.mkldnn.is_available()):
        return False  # Without oneDNN, torch does not know what to ask it by.
    known = x.dtype == torch.float32 or (x.dtype == torch.bfloat16 and _onednn_knows_bf16())
    return known and not torch.is_autocast_enabled("cpu")


@cache
def _onednn_knows_bf16() -> bool:
    """Whether oneDNN multiplies bf16 on this CPU: by AMX or AVX-512."""
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


def linear(x: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    """``F.linear`` of ``[..., I]``, gradients included."""
    if not _onednn_multiplies(x):
        return F.linear(x, weight_OI, bias_O)
    y_MO = _LinearFunction.apply(x.reshape(-1, x.shape[-1]), weight_OI, bias_O)
    return y_MO.view(*x.shape[:-1], -1)  # pyright: ignore


class Linear(nn.Linear):
    """``nn.Linear``, its parameters and their names included."""

    packed: PackedLinear | None = None

    def forward(self, input: Tensor) -> Tensor:
        """``[..., I]`` to ``[..., O]``."""
        if self.packed is None:
            return linear(input, self.weight, self.bias)
        return self.packed(input.reshape(-1, input.shape[-1])).view(*input.shape[:-1], -1)


@contextmanager
def packed(module: nn.Module, *, int8: bool = False) -> Iterator[None]:
    """Within the context every ``Linear`` of ``module`` has packed weights and no gradient."""
    layers = [layer for layer in module.modules() if isinstance(layer, Linear)]
    before = [layer.packed for layer in layers]
    try:
        for layer in layers:
            layer.packed = pack_linear(layer.weight, layer.bias, int8=int8)
        yield
    finally:
        for layer, kept in zip(layers, before, strict=True):
            layer.packed = kept


class _LinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_MI: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
        ctx.save_for_backward(x_MI, weight_OI)
        return linear_no_grad(x_MI, weight_OI, bias_O)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x_MI, weight_OI = ctx.saved_tensors
        (d_y_MO,) = grads
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            linear_no_grad(d_y_MO, weight_OI.T) if of_x else None,
            linear_no_grad(d_y_MO.T, x_MI.T) if of_weight else None,
            d_y_MO.sum(0) if of_bias else None,
        )


def use_onednn_linear(module: nn.Module) -> None:
    """Make every ``nn.Linear`` in ``module`` a ``Linear``."""
    for layer in module.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = Linear
