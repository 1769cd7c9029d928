"""Timing, counted operations, peak memory, and the matmul rate of the machine."""

import argparse
import json
import math
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula

SQUARE = 2048


def arguments(doc: str, **sizes: int) -> argparse.Namespace:
    """Parsed ``--json``, ``--threads``, ``--repeats`` and an option for each of ``sizes``."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the report as JSON, not as a table")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    for name, default in sizes.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    found = parser.parse_args()
    torch.set_num_threads(found.threads)
    return found


def timed(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Minimum and median seconds, and mean CPU seconds, of ``call`` after a warm-up."""
    call()
    seconds, cpu = [], time.process_time()
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return {
        "min_s": min(seconds),
        "median_s": statistics.median(seconds),
        "cpu_s": (time.process_time() - cpu) / repeats,
    }


def matmul_rate(repeats: int = 5) -> float:
    """Operations a second of a product of two square float32 matrices; the best of ``repeats``."""
    a, b = torch.randn(2, SQUARE, SQUARE)
    return 2 * SQUARE**3 / timed(lambda: a @ b, repeats)["min_s"]


def read_rate(repeats: int = 5) -> float:
    """Bytes a second at which a product with a vector reads a matrix that is larger than caches."""
    matrix, vector = torch.randn(2**17, 768), torch.randn(768)
    return matrix.nbytes / timed(lambda: matrix @ vector, repeats)["min_s"]


@register_flop_formula(torch.ops.mkldnn._linear_pointwise)
def _of_onednn(x_shape: tuple[int, ...], weight_shape: tuple[int, ...], *_: Any, **__: Any) -> int:
    """Operations of oneDNN's product, which ``FlopCounterMode`` does not know."""
    return 2 * math.prod(x_shape) * weight_shape[0]


def operations(call: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products in ``call``."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def peak_memory() -> float:
    """Peak memory of this process, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def show(report: dict[str, Any], as_json: bool) -> None:
    """Print the report as a line for each entry, or as JSON."""
    if as_json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        if isinstance(value, dict):
            parts = ", ".join(f"{key} {_short(number)}" for key, number in value.items())
            print(f"{name:<28} {parts}")
        else:
            print(f"{name:<28} {_short(value)}")


def _short(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
