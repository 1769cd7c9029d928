"""What a GPU does with training and decoding at the paper's size, in minutes and without downloads.

    python -m benchmarks.gpu --minutes 8 --out gpu.json

Weights are random. The GPU tests of the suite come first; then a training step and a search in
bf16, as shares of the card's own rate of bf16 products, beside torch's layers and transformers'
``generate``; what the host waits for, counted by torch's profiler; memory; and, where there are
several GPUs, a step by DDP and by FSDP. A part that fails says so and stops no other; a part for
which no time is left is left out. The last lines are a table for docs/performance.md.

``--device cpu --size tiny`` goes the same way without a GPU, in which no figure means anything.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from benchmarks.decode import BOS, EOS, Ours
from benchmarks.measure import operations, timed
from benchmarks.networks import VOCABULARY, paper_network, tiny_network
from benchmarks.peers import transformers_generate
from benchmarks.processes import start
from benchmarks.step import Torchs, torchs, update
from mclas_lightning.model.linear import packed
from mclas_lightning.model.seq2seq import Seq2Seq

# The host waits inside these; a CPU, which waits for nothing, has other names for the same.
WAITS = {
    "cuda": {"cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize"},
    "cpu": {"aten::_local_scalar_dense", "aten::nonzero"},
}

WORKER_SECONDS = 120  # that several processes may take


class Size(NamedTuple):
    """The network and the batches that are measured."""

    network: Callable[..., Seq2Seq]
    vocabulary: int
    documents: tuple[int, int]  # of a training step, and of a search
    source: int
    target: int
    square: int  # of the product that rates are shares of
    torchs: Callable[[], Torchs]


TINY_TORCHS = partial(Torchs, 16, (1, 2, 32), (1, 2, 32), 300)

SIZES = {
    "paper": Size(paper_network, VOCABULARY, (32, 64), 512, 128, 8192, Torchs),
    "tiny": Size(tiny_network, 300, (3, 2), 17, 7, 64, TINY_TORCHS),
}


class Gpu:
    """The measurements of one device and size, each a mapping of names to figures."""

    def __init__(self, device: torch.device, size: Size, repeats: int) -> None:
        self.device, self.size, self.repeats = device, size, repeats
        self.rate = 0.0

    def matmul(self) -> dict[str, float]:
        """Operations a second of the product of two large bf16 matrices: the card's own limit."""
        side = self.size.square
        a, b = torch.randn(2, side, side, device=self.device, dtype=torch.bfloat16)
        self.rate = 2 * side**3 / self._timed(lambda: a @ b)["min_s"]
        return {"tflops": self.rate / 1e12}

    def training(self) -> dict[str, float]:
        """Our update in bf16-mixed."""
        return self._step(lambda batch: update(self._network(0.1), *batch))

    def torchs_layers(self) -> dict[str, float]:
        """The same update of torch's own layers."""
        return self._step(lambda batch: torchs(*batch, network=self.size.torchs().to(self.device)))

    def search(self, captured: bool = False) -> dict[str, float]:
        """Our search in bf16; ``captured``: the network's step as one CUDA graph."""
        network = self._network(0.0).eval().bfloat16()
        beam, steps = 5, self.size.target
        words = torch.arange(200, self.size.vocabulary - 1)[: self.size.vocabulary // 4]
        search = Ours(network, words, beam=beam, steps=steps, captured=captured)
        with packed(network.decoders):
            # A graph's operations cannot be counted; what must be computed is the same.
            plain = Ours(network, words, beam=beam, steps=steps)
            return self._searched(search, steps, counted=plain)

    def generate(self) -> dict[str, float]:
        """transformers' search with the same layers, mask and number of steps."""
        network = self._network(0.0).eval().bfloat16()
        allowed_V = torch.zeros(self.size.vocabulary, dtype=torch.bool, device=self.device)
        allowed_V[200 : 200 + self.size.vocabulary // 4] = allowed_V[EOS] = True
        steps = self.size.target
        search = transformers_generate(network, allowed_V, beam=5, steps=steps, bos=BOS, eos=EOS)
        return self._searched(search, steps)

    def _searched(
        self,
        search: Callable[[Tensor], object],
        steps: int,
        counted: Callable[[Tensor], object] | None = None,
    ) -> dict[str, float]:
        source_BS = self._ids(self.size.documents[1], self.size.source)
        found = self._measured(lambda: search(source_BS), lambda: (counted or search)(source_BS))
        found["host_waits_a_step"] = found.pop("host_waits") / steps
        return {"documents_per_s": len(source_BS) / found["median_s"], **found}

    def _step(self, make: Callable[[tuple[Tensor, Tensor]], Callable[[], object]]) -> Any:
        documents = self.size.documents[0]
        ids = self._ids(documents, self.size.source), self._ids(documents, self.size.target + 1)
        step = make(ids)

        def half() -> None:
            with torch.autocast(self.device.type, torch.bfloat16):
                step()

        found = self._measured(half)
        return {"documents_per_s": documents / found["median_s"], **found}

    def _measured(
        self, call: Callable[[], object], counted: Callable[[], object] | None = None
    ) -> dict[str, float]:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        found = self._timed(call)
        peak = torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else 0
        found |= {"host_waits": host_waits(call, self.device.type), "peak_gb": peak / 1e9}
        if self.rate:
            found["of_matmul_rate"] = operations(counted or call) / found["median_s"] / self.rate
        return found

    def _timed(self, call: Callable[[], object]) -> dict[str, float]:
        def whole() -> None:
            call()
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)

        return timed(whole, self.repeats)

    def _network(self, dropout: float) -> Seq2Seq:
        return self.size.network(dropout=dropout).to(self.device)

    def _ids(self, rows: int, length: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(200, self.size.vocabulary, (rows, length), generator=generator)
        return ids.to(self.device)


def host_waits(call: Callable[[], object], device: str) -> int:
    """How often the host waits in ``call``, by torch's profiler."""
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    with profile(activities=activities) as found:
        call()
    return sum(event.count for event in found.key_averages() if event.key in WAITS[device])


def gpu_tests() -> dict[str, Any]:
    """The tests of the suite that need a GPU; without one, they skip themselves."""
    tests = str(Path(__file__).parents[1] / "tests" / "model" / "test_device.py")
    line = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", tests]
    done = subprocess.run(line, capture_output=True, text=True)
    return {"exit_code": done.returncode, "said": done.stdout.strip().splitlines()[-1]}


def several(name: str, device: str, size: str, processes: int) -> dict[str, float]:
    """Documents a second of all processes' updates together, by DDP or FSDP."""
    line = ["benchmarks.gpu", "--worker", name, "--device", device, "--size", size]
    started = start(line, processes, first=subprocess.PIPE)
    try:
        said = started[0].communicate(timeout=WORKER_SECONDS)[0]
        if not said:
            raise RuntimeError(f"the first process ended with {started[0].returncode}")
        return json.loads(said.splitlines()[-1])
    finally:
        for process in started:
            process.kill()
            process.wait()


def worker(name: str, device: torch.device, size: Size) -> None:
    """One of several processes; rank zero prints."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.nn.parallel import DistributedDataParallel

    from mclas_lightning.training.module import shard

    rank = int(os.environ["RANK"])
    if device.type == "cuda":
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    gpu, world = Gpu(device, size, repeats=3), dist.get_world_size()

    def make(ids: tuple[Tensor, Tensor]) -> Callable[[], object]:
        network = gpu._network(0.1)
        if name == "fsdp":
            names = ("nodes", "devices")
            shard(network, init_device_mesh(device.type, (1, world), mesh_dim_names=names))
            return update(network, *ids)
        return update(network, *ids, wrap=DistributedDataParallel)

    found = gpu._step(make)
    if rank == 0:
        rate = world * found["documents_per_s"]
        print(json.dumps({"processes": world, "documents_per_s": rate, **found}), flush=True)
    dist.destroy_process_group()


def report(asked: argparse.Namespace) -> dict[str, Any]:
    """Every part for which there is time."""
    device, size = torch.device(asked.device), SIZES[asked.size]
    gpu, until = Gpu(device, size, asked.repeats), time.monotonic() + 60 * asked.minutes
    number = torch.cuda.device_count() if device.type == "cuda" else asked.processes
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "tests": gpu_tests,
        "bf16 matmul": gpu.matmul,
        "training": gpu.training,
        "training, torch's layers": gpu.torchs_layers,
        "search": gpu.search,
        "search, captured": partial(gpu.search, captured=True),
        "search, transformers": gpu.generate,
    }
    for name in ("ddp", "fsdp") if number > 1 else ():
        parts[name] = lambda name=name: several(name, asked.device, asked.size, number)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    found: dict[str, Any] = {
        "machine": {"name": name, "devices": number, "torch": torch.__version__, "size": asked.size}
    }
    for name, part in parts.items():
        if time.monotonic() > until:
            found[name] = {"left out": "no time"}
            continue
        print(f"  {name} ...", file=sys.stderr, flush=True)
        try:
            found[name] = part()
        except Exception as error:  # One part's failure, such as too little memory, is its result.
            found[name] = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return found


def table(found: dict[str, Any]) -> str:
    """The parts as a table in Markdown."""
    columns = ("documents_per_s", "of_matmul_rate", "host_waits", "host_waits_a_step", "peak_gb")
    lines = [
        f"| {found['machine']['name']} | documents/s | share of the bf16 matmul rate | "
        f"waits of a host in an update | in a step of a search | peak GB |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        if "documents_per_s" in figures:
            cells = [f"{figures[c]:.3g}" if c in figures else "" for c in columns]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        elif why := figures.get("failed") or figures.get("left out"):
            lines.append(f"| {name} | {why} | | | | |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write the report as JSON where ``--out`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8, help="no part begins after them")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--size", choices=sorted(SIZES), default="paper")
    parser.add_argument("--processes", type=int, default=1, help="of DDP and FSDP on a CPU")
    parser.add_argument("--out", type=Path, help="the report's file")
    parser.add_argument("--worker", choices=("ddp", "fsdp"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU here; --device cpu --size tiny tries the way without one")
    if asked.worker:
        worker(asked.worker, torch.device(asked.device), SIZES[asked.size])
        return
    found = report(asked)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
