"""A count of what a host would wait for if the tensors were a GPU's; it needs no GPU."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Modules that ask whether a tensor is a GPU's.
ASKING = (
    *("decoding.beam", "decoding.output", "decoding.summarizer"),
    *("model.attention", "model.seq2seq"),
)

# Results of these have values that the host reads, or sizes that depend on values.
READING = {
    *("item", "equal", "is_nonzero"),
    *("nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive"),
}
HOST_BUILT = {"lift_fresh"}  # torch.tensor and torch.as_tensor of Python's numbers
COPIES = {Tensor.tolist, Tensor.numpy, Tensor.cpu}


class Waits(TorchDispatchMode):
    """Counts, by name, what makes a host wait; forward, backward and optimizers included."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        name = "item" if name == "_local_scalar_dense" else name  # the same, without autograd
        if name in READING | HOST_BUILT or (
            name in ("index", "index_put", "index_put_", "_index_put_impl_")
            and any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])
        ):
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


class _Copies(TorchFunctionMode):
    def __init__(self, found: Counter[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in COPIES:
            self.found[func.__name__] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def host_waits() -> Iterator[Counter[str]]:
    """The counts of what is done within the context."""
    with Waits() as mode, _Copies(mode.found):
        yield mode.found


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Within the context all tensors are taken for those of a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ASKING:
            patch.setattr(f"mclas_lightning.{module}.reading_waits", lambda tensor: True)
        yield
