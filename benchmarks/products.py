"""Rates of products on a CPU, by oneDNN and by torch: two tables in Markdown.

    python -m benchmarks.products --repeats 12

Products are those of a training step and of a search at the paper's size: in bf16 beside float32,
and in float32 those of gradients, whose matrices are transposed views. Rates are ratios to the
packed float32 product of the same size. All kinds take turns, so that what else the machine does
falls on each; the best turn counts.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.measure import arguments
from mclas_lightning.model.linear import linear_no_grad, pack_linear

Name = TypeVar("Name", bound=Hashable)

# Rows, features in, features out: a feed-forward layer, the loss, and the output layer of a search.
SIZES = [(1024, 768, 3072), (152, 768, 105_879), (120, 768, 24_646), (20, 768, 24_646)]

# Layers of an encoder, and a slice of the output layer's gradient.
GRADIENT_SIZES = [(1024, 768, 768), (1024, 768, 3072), (1024, 3072, 768), (256, 768, 8192)]

KINDS = ("float32, packed", "bf16, packed", "bf16", "bf16 by torch", "float32")

GRADIENT_KINDS = (
    "float32, packed", "of x by oneDNN", "of x by torch", "of the weight by oneDNN",
    "of the weight by torch",
)  # fmt: skip


def products(rows: int, inner: int, outer: int) -> dict[str, Callable[[], object]]:
    """The same product, of each kind."""
    x, weight, bias = torch.randn(rows, inner), torch.randn(outer, inner), torch.randn(outer)
    half = [each.bfloat16() for each in (x, weight, bias)]
    packed, packed_half = pack_linear(weight, bias), pack_linear(*half[1:])
    calls = (
        lambda: packed(x),
        lambda: packed_half(half[0]),
        lambda: linear_no_grad(*half),
        lambda: F.linear(*half),
        lambda: linear_no_grad(x, weight, bias),
    )
    return dict(zip(KINDS, calls, strict=True))


def gradients(rows: int, inner: int, outer: int) -> dict[str, Callable[[], object]]:
    """The products of a linear layer's gradients, of each kind."""
    x, weight, d_y = torch.randn(rows, inner), torch.randn(outer, inner), torch.randn(rows, outer)
    packed = pack_linear(weight, None)

    def onednn(x: Tensor, weight: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")

    calls = (
        lambda: packed(x),
        lambda: onednn(d_y, weight.T),
        lambda: d_y @ weight,
        lambda: onednn(d_y.T, x.T),
        lambda: d_y.T @ x,
    )
    return dict(zip(GRADIENT_KINDS, calls, strict=True))


def best_seconds(calls: Mapping[Name, Callable[[], object]], turns: int) -> dict[Name, float]:
    """The least seconds of each call in ``turns`` turns, after a first one."""
    best = dict.fromkeys(calls, float("inf"))
    for turn in range(turns + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn:
                best[name] = min(best[name], time.perf_counter() - began)
    return best


def main() -> None:
    """Print the tables."""
    asked = arguments(__doc__ or "")
    for of_size, sizes, kinds in (
        (products, SIZES, KINDS),
        (gradients, GRADIENT_SIZES, GRADIENT_KINDS),
    ):
        base, *others = kinds
        print(
            f"| rows x in x out | {' | '.join(others)} |", f"|---|{'---|' * len(others)}", sep="\n"
        )
        for size in sizes:
            best = best_seconds(of_size(*size), asked.repeats)
            cells = " | ".join(f"{best[base] / best[name]:.2f}" for name in others)
            print(f"| {' x '.join(f'{each:,}' for each in size)} | {cells} |")
        print()


if __name__ == "__main__":
    main()
