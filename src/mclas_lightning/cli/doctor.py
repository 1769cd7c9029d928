"""``mclas doctor``: what this machine has, what is missing, and what to do about it."""

import argparse
import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mclas_lightning import __version__
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.tracking.account import server_address

SECONDS = 3  # that a server has to answer

PACKAGES = ("torch", "pytorch-lightning", "transformers", "hydra-core")

EXTRAS = {
    "app": "gradio",
    "slurm": "submitit",
    "tensorboard": "tensorboard",
    "translation": "sacremoses",
    "dashboard": "wandb-workspaces",
}

# Flags of /proc/cpuinfo, the best first, and what a CPU with them is good for.
CPU_FLAGS = {
    "amx_bf16": "AMX: trainer.precision=bf16-mixed and decoding.weights=int8 pay",
    "avx512_bf16": "AVX-512 with bf16: trainer.precision=bf16-mixed and decoding.weights=int8 pay",
    "avx512_vnni": "AVX-512 with VNNI: decoding.weights=int8 pays",
    "avx2": "AVX2: float32",
}

# Servers by name: the variable with an address, the usual address, and what to do without.
SERVERS: dict[str, tuple[str, Callable[[], str], str]] = {
    "model hub": (
        "HF_ENDPOINT",
        lambda: "https://huggingface.co",
        "name folders instead of hub names",
    ),
    "W&B": (
        "WANDB_BASE_URL",
        server_address,
        "logger=csv; offline runs are uploaded later: mclas wandb sync",
    ),
}

GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """Something of this machine; ``todo`` says what to do where it is missing or too small."""

    topic: str
    name: str
    found: str
    todo: str = ""


def add_doctor(commands: argparse._SubParsersAction) -> None:
    """Add ``doctor``."""
    command = commands.add_parser("doctor", help="what this machine has, and what is missing")
    command.add_argument("--data", type=Path, default=Path("data"), help="(default: data)")
    command.add_argument("--runs", type=Path, default=Path("runs"), help="(default: runs)")
    command.add_argument("--json", action="store_true", help="the findings, as JSON")
    command.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> None:
    findings = [
        *versions(),
        *devices(),
        *room(arguments.data, arguments.runs),
        *(server(name) for name in SERVERS),
        *surroundings(),
        *corpora(arguments.data),
        *runs_found(arguments.runs),
    ]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print("\n".join(_lines(findings)))


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(finding.name) for finding in findings)
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            yield f"{'' if not topic else chr(10)}{finding.topic}"
            topic = finding.topic
        yield f"  {finding.name:<{width}}  {finding.found}"
        if finding.todo:
            yield f"  {'':<{width}}  -> {finding.todo}"


def versions() -> Iterator[Finding]:
    """Python, the main packages, and optional ones."""
    yield Finding("versions", "Python", f"{platform.python_version()}, {platform.platform()}")
    yield Finding("versions", "mclas-lightning", __version__)
    yield Finding("versions", "packages", ", ".join(f"{p} {_version(p)}" for p in PACKAGES))
    for extra, package in EXTRAS.items():
        found = _version(package)
        todo = "" if found else f"if you need it: pip install 'mclas-lightning[{extra}]'"
        yield Finding("versions", f"[{extra}]", f"{package} {found or 'is not installed'}", todo)


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    return None


def devices(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Finding]:
    """CPU and GPUs, with what they are good for."""
    import torch

    from mclas_lightning.progress import cores, cpu_flags

    flags = cpu_flags(cpuinfo)
    good_for = next((what for flag, what in CPU_FLAGS.items() if flag in flags), "float32")
    yield Finding("devices", "CPU", f"{cores()} cores; {good_for}")
    for number in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(number)
        good_for = "bf16-mixed" if gpu.major >= 8 else "float32 and 16-mixed"
        memory = f"{gpu.total_memory / GIB:.0f} GiB"
        yield Finding("devices", f"GPU {number}", f"{gpu.name}, {memory}; {good_for}")
    if not torch.cuda.is_available():
        driver = shutil.which("nvidia-smi") is not None
        todo = "install a torch built for CUDA, or check the driver" if driver else ""
        small = "none; network=tiny and small train on the CPU, network=paper needs a GPU"
        yield Finding("devices", "GPU", small, todo)


def room(data: Path, runs: Path) -> Iterator[Finding]:
    """Memory, and the disks of corpora and runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / GIB
    yield Finding("room", "memory", f"{memory:.1f} GiB, {free:.1f} GiB of it unused")
    for name, folder in (("data", data), ("runs", runs)):
        place = next(p for p in (folder, *folder.resolve().parents) if p.exists())
        left = shutil.disk_usage(place).free / GIB
        todo = "a run of network=paper needs 5 GiB: free some, or runs=..." if left < 5 else ""
        yield Finding("room", f"disk of {name}", f"{left:.1f} GiB free", todo)


def server(name: str) -> Finding:
    """Whether the server ``name`` of ``SERVERS`` answers."""
    variable, usual, without = SERVERS[name]
    address = os.environ.get(variable) or usual()
    offline = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE", "")
    if name == "model hub" and offline.upper() in ("1", "ON", "YES", "TRUE"):
        return Finding("network", name, "not asked (HF_HUB_OFFLINE is set)")
    try:
        # A server that refuses this page answers, too.
        with suppress(HTTPError), urlopen(Request(address, method="HEAD"), timeout=SECONDS):
            pass
    except (OSError, ValueError, HTTPException) as error:
        reason = first_line(getattr(error, "reason", None) or error)
        return Finding("network", name, f"{address} does not answer ({reason})", without)
    return Finding("network", name, f"{address} answers")


def surroundings() -> Iterator[Finding]:
    """Slurm, and a font with Chinese characters for pictures."""
    found = shutil.which("sbatch")
    yield Finding("surroundings", "Slurm", found or "none; runs start on this machine")
    from mclas_lightning.report.fonts import families

    fonts = families(["\u6c49"])[1:]
    todo = "" if fonts else "for pictures with such names: apt install fonts-noto-cjk"
    yield Finding("surroundings", "Chinese font", fonts[0] if fonts else "none", todo)


def corpora(data: Path) -> Iterator[Finding]:
    """The corpora below ``data``: their splits, beside the numbers that they were made with."""
    from mclas_lightning.config.dataset import SPLITS
    from mclas_lightning.config.overrides import command
    from mclas_lightning.corpora.manifest import read_manifest
    from mclas_lightning.files import found_below, num_records

    folders = sorted({f.parent for split in SPLITS for f in found_below(data, f"{split}.jsonl")})
    for folder in folders:
        files = {s: folder / f"{s}.jsonl" for s in SPLITS if (folder / f"{s}.jsonl").is_file()}
        try:
            sizes = {split: num_records(file) for split, file in files.items()}
            made = read_manifest(folder).files
            changed = [
                f"{split} had {made[file.name]['records']:,} when it was made"
                for split, file in files.items()
                if made.get(file.name, {}).get("records", sizes[split]) != sizes[split]
            ]
        except InputError as error:
            yield Finding("corpora", str(folder.relative_to(data)), "damaged", str(error))
            continue
        found = ", ".join(f"{split} {size:,}" for split, size in sizes.items())
        lacking = [split for split in SPLITS if split not in sizes]
        wrong = [f"lacks {', '.join(lacking)}"] * bool(lacking) + changed
        check = command("mclas data check", [str(folder)])
        todo = f"{'; '.join(wrong)}: {check}" if wrong else ""
        yield Finding("corpora", str(folder.relative_to(data)), found, todo)
    if not folders:
        yield Finding("corpora", str(data), "none", "mclas data toy makes one in seconds")


def runs_found(runs: Path) -> Iterator[Finding]:
    """The runs below ``runs``, counted by state."""
    from mclas_lightning.files import found_below
    from mclas_lightning.runs.lock import lock_owner
    from mclas_lightning.runs.results import Results
    from mclas_lightning.runs.run import Run

    def usable(run: Run) -> bool:
        with suppress(InputError):
            return bool(Results.read(run.folder / "results.json").scores)
        return False

    tests: dict[str, Callable[[Run], object]] = {
        "scored": usable,
        "running": lambda run: lock_owner(run.folder),
        "diverged": lambda run: run.diverged_path.exists(),
        "scores unusable": lambda run: run.finished,
        "trained, not scored": lambda run: run.trained,
        "not ended": lambda run: True,
    }
    todo = {
        "diverged": "lower the rates under another model.name, see diverged.json",
        "scores unusable": "mclas table names them: mclas-evaluate RUN",
        "trained, not scored": "mclas-evaluate RUN",
        "not ended": "the same mclas-train goes on with each",
    }
    found: Counter[str] = Counter()
    for file in found_below(runs, "config.yaml"):
        if not file.match("wandb/*/files/config.yaml"):  # W&B writes this one, into a run's folder.
            run = Run(file.parent)
            found[next(state for state, holds in tests.items() if holds(run))] += 1
    for state in tests:
        if found[state]:
            yield Finding("runs", state, f"{found[state]:,}", todo.get(state, ""))
    if not found:
        yield Finding("runs", str(runs), "none", "mclas demo trains and compares some")
