"""Where a GPU is another machine than a CPU: the host runs ahead of it, and its memory is its own.

A host that reads a value of a GPU's tensor waits for all that was queued before. So do operations
whose result has a size that depends on values: ``nonzero``, ``unique``, indexing by booleans.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def reading_waits(tensor: Tensor) -> bool:
    """Whether the host waits for a device when it reads a value of ``tensor``."""
    return not tensor.is_cpu


def set_float32_products(device: torch.device, precision: str) -> None:
    """Multiply float32 matrices on a GPU exactly (highest) or, by its tensor cores, in TF32 (high).

    On a CPU the same setting of torch would choose bf16.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision(precision)


def free_gpu_memory(device: torch.device) -> int | None:
    """Bytes that this process may still take on a GPU; None on other devices."""
    if device.type != "cuda":
        return None
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def captured(call: Callable[[], Tensor], device: torch.device) -> Callable[[], Tensor]:
    """``call`` as one CUDA graph, which a host starts at once; on other devices, ``call`` itself.

    The graph has the tensors of now: it reads values that are written into them, and writes its
    result to the same tensor each time. ``call`` must write the same again when it is repeated.
    """
    if device.type != "cuda":
        return call
    stream, present = torch.cuda.Stream(device), torch.cuda.current_stream(device)
    stream.wait_stream(present)
    with torch.cuda.stream(stream):
        call()  # What a first call alone does, such as making handles, cannot be captured.
    present.wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        result = call()

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay
