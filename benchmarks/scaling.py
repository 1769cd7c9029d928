"""Time, memory and network of Table 2's 126 runs on 2, 8 and 64 GPUs, by formulas.

Nothing is measured: operations are counted (benchmarks/flops.py), and the other numbers are
assumptions that the tables name. ``python -m benchmarks.ddp`` measures two processes of a machine.
"""

import argparse
import heapq
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.flops import LENGTHS, operations
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings

PARAMETERS = {"ms": 296_046_231, "ncls": 296_046_231, "mclas": 296_046_231, "ncls_ms": 343_315_095}
EMBEDDING = 105_879 * 768  # the largest tensor that FSDP gathers
LOW_RESOURCE = ("minimum", "medium", "maximum")
SYSTEMS = ("ncls", "ncls_ms", "mclas")
SEEDS = 3
GPUS = (1, 2, 8, 64)
WIDTH, ENCODER_LAYERS, DECODER_LAYERS = 768, 12, 6


@dataclass(frozen=True)
class Machine:
    """Assumptions on GPUs and network; each is an option of the command line."""

    peak: float = 312e12  # operations a second of an A100 in bf16, its data sheet
    share: float = 0.3  # of the peak, in matrix products of well-filled micro-batches
    node: int = 8  # GPUs that share NVLink
    inside: float = 200e9  # bytes a second that a GPU reaches through NVLink
    between: float = 20e9  # bytes a second that a node reaches of 200 Gbit/s
    memory: float = 80e9


@cache
def documents(dataset: str) -> tuple[int, dict[str, int]]:
    """Documents of an update in ``optim=paper``, and updates of each scenario."""
    settings = read_settings(compose("train", [f"dataset={dataset}", "optim=paper"]))[0]
    source, mono, cross = LENGTHS[dataset]
    shape = settings.optim.recipe.shape()
    number = shape.fits(min(source + 2, 512), mono + cross + 2)
    return number * shape.accumulate * shape.ranks, settings.optim.updates


@cache
def flop_per_document(dataset: str, model: str) -> int:
    """Operations of a document, forward and backward: the encoder, and each decoder's target."""
    source, mono, cross = LENGTHS[dataset]
    targets = {
        "ms": [mono + 1], "ncls": [cross + 1], "mclas": [mono + cross + 2],
        "ncls_ms": [mono + 1, cross + 1],
    }  # fmt: skip
    return operations(min(source + 2, 512), *targets[model])


def network_seconds(gpus: int, gradient_bytes: float, machine: Machine) -> float:
    """Seconds of a ring all-reduce: each GPU sends and receives 2 (n - 1) / n of the gradients."""
    moved = 2 * (gpus - 1) / gpus * gradient_bytes
    return moved / (machine.inside if gpus <= machine.node else machine.between)


def update(dataset: str, model: str, gpus: int, machine: Machine) -> dict[str, float]:
    """Seconds of the parts of one update on ``gpus`` GPUs."""
    number, _ = documents(dataset)
    gradients = 4 * PARAMETERS[model]  # float32
    compute = number * flop_per_document(dataset, model) / gpus / machine.peak / machine.share
    network = network_seconds(gpus, gradients, machine)
    return {
        "documents_per_gpu": number / gpus,
        "compute_ms": compute * 1e3,
        "network_gb": 2 * (gpus - 1) / gpus * gradients / 1e9,
        "network_ms": network * 1e3,
        # The all-reduce overlaps with the backward pass, which is two thirds of the computation.
        "update_ms": (compute + max(0.0, network - compute * 2 / 3)) * 1e3,
    }


def memory(model: str, gpus: int, tokens: int = 4096) -> dict[str, float]:
    """GB on each GPU: float32 weights, gradients, Adam's two moments; activations of a micro-batch.

    Activations: 34 bytes a token, layer and unit of width (Korthikanti et al. 2022, in 16 bits,
    attention without its matrix), 1.5 times as many in a decoder layer, which attends twice.
    """
    parameters = PARAMETERS[model]
    layers = ENCODER_LAYERS + 1.5 * DECODER_LAYERS
    activations = 34 * tokens * WIDTH * layers
    ddp = 16 * parameters + 4 * parameters * (gpus > 1)  # DDP's buckets are a second gradient
    fsdp = 16 * parameters / gpus + 4 * EMBEDDING
    return {
        "ddp_gb": (ddp + activations) / 1e9,
        "fsdp_gb": (fsdp + activations) / 1e9,
        "activations_gb": activations / 1e9,
    }


@dataclass(frozen=True, order=True)
class Job:
    """A training of Table 2 and its hours on one GPU."""

    hours: float
    dataset: str
    model: str
    scenario: str
    seed: int


def jobs(machine: Machine) -> list[Job]:
    """Table 2's trainings: 9 MS, 81 low-resource, 27 full. Its 9 pipelines train nothing."""
    found = []
    for dataset in LENGTHS:
        _, updates = documents(dataset)
        plan = [("ms", "full"), *((m, s) for m in SYSTEMS for s in (*LOW_RESOURCE, "full"))]
        for model, scenario in plan:
            seconds = update(dataset, model, 1, machine)["update_ms"] / 1e3
            hours = seconds * updates[scenario] / 3600
            found += [Job(hours, dataset, model, scenario, seed) for seed in range(SEEDS)]
    return found


def makespan(todo: list[Job], gpus: int) -> float:
    """Hours of one GPU a run: pretrainings and full runs first, the longest first; then the rest.

    A low-resource run waits for the MS run of its corpus and seed.
    """
    free = [0.0] * gpus
    ready: dict[tuple[str, int], float] = {}
    for job in sorted(
        todo, key=lambda job: (job.scenario != "full", job.model != "ms", -job.hours)
    ):
        waits = ready[job.dataset, job.seed] if job.scenario != "full" else 0.0
        begins = max(heapq.heappop(free), waits)
        heapq.heappush(free, begins + job.hours)
        if job.model == "ms":
            ready[job.dataset, job.seed] = begins + job.hours
    return max(free)


def together(todo: list[Job], gpus: int, machine: Machine) -> float:
    """Hours where all GPUs work on one run after another."""
    ratio = {
        (dataset, model): update(dataset, model, gpus, machine)["update_ms"]
        / update(dataset, model, 1, machine)["update_ms"]
        for dataset in LENGTHS
        for model in PARAMETERS
    }
    return sum(job.hours * ratio[job.dataset, job.model] for job in todo)


def report(machine: Machine) -> dict[str, Any]:
    """All tables."""
    todo = jobs(machine)
    return {
        "assumptions": vars(machine),
        "updates": {
            f"{dataset} {model}": {gpus: update(dataset, model, gpus, machine) for gpus in GPUS}
            for dataset in LENGTHS
            for model in ("mclas", "ncls_ms")
        },
        "memory": {model: {g: memory(model, g) for g in GPUS} for model in ("mclas", "ncls_ms")},
        "table2": {
            gpus: {
                "one_gpu_a_run_h": makespan(todo, gpus),
                "all_gpus_on_each_run_h": together(todo, gpus, machine),
            }
            for gpus in GPUS
        },
        "trainings": len(todo),
        "gpu_hours": sum(job.hours for job in todo),
    }


def show(found: dict[str, Any]) -> None:
    """Tables in Markdown, as in docs/scaling.md."""
    for title in ("updates", "memory"):
        columns = list(next(iter(found[title].values()))[1])
        print(f"| {title} | GPUs | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 2)}")
        for name, rows in found[title].items():
            for gpus, row in rows.items():
                print(f"| {name} | {gpus} | {' | '.join(f'{row[c]:.3g}' for c in columns)} |")
        print()
    columns = list(found["table2"][1])
    print(f"| Table 2, GPUs | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for gpus, row in found["table2"].items():
        print(f"| {gpus} | {' | '.join(f'{row[c]:,.1f}' for c in columns)} |")
    print(f"\n{found['trainings']} trainings, {found['gpu_hours']:,.0f} GPU hours")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    for name, value in vars(Machine()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    asked = vars(parser.parse_args())
    as_json = asked.pop("json")
    found = report(Machine(**asked))
    print(json.dumps(found, indent=2)) if as_json else show(found)


if __name__ == "__main__":
    main()
