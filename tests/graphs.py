"""CUDA graphs without a GPU: what is captured is recorded, and a replay computes it again.

As in a real graph, a replay has the tensors and the Python numbers of the capture, whatever they
are called by then, and it writes its results to the tensors of the capture.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class RecordedGraph:
    """Stands for ``torch.cuda.CUDAGraph``."""

    made: list["RecordedGraph"]  # by all tests of a context

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any, Any]] = []
        self.replays = 0
        RecordedGraph.made.append(self)

    def replay(self) -> None:
        """Compute everything again."""
        self.replays += 1
        for func, args, kwargs, before in self.calls:
            after = func(*args, **kwargs)
            for old, new in zip(tree_leaves(before), tree_leaves(after), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class _Recording(TorchDispatchMode):
    def __init__(self, graph: RecordedGraph, stream: Any) -> None:
        super().__init__()
        self.graph = graph

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.graph.calls.append((func, args, kwargs or {}, result))
        return result


@contextmanager
def recorded_graphs() -> Iterator[list[RecordedGraph]]:
    """Within the context ``torch.cuda`` captures on a CPU; yields the graphs that were made."""
    RecordedGraph.made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "CUDAGraph", RecordedGraph)
        patch.setattr(torch.cuda, "graph", _Recording)
        patch.setattr(torch.cuda, "Stream", MagicMock())
        patch.setattr(torch.cuda, "current_stream", MagicMock())
        patch.setattr(torch.cuda, "stream", nullcontext)
        yield RecordedGraph.made
