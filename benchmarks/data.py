"""Speed and memory of the way from a corpus as it is downloaded to a batch.

``make bench-data`` writes synthetic corpora in the NCLS format (100,000 and 1,700,000 records),
imports, tokenizes and opens them, and prints a JSON report. Every step runs in a process of its
own, whose peak memory (VmHWM) is its alone.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FORMATS = ("ncls-zh2en", "ncls-en2zh")
SMALL, LARGE = 100_000, 1_700_000
LIMIT = 512
SAMPLE = 20_000  # records that the tokenizer is trained on


def main() -> None:
    """Orchestrate: every step is this module again, in a new process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs=2, default=(SMALL, LARGE))
    parser.add_argument("--folder", type=Path, help="keeps the corpora (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=Path("build/bench/data.json"))
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        name, *rest = arguments.step
        print(json.dumps(STEPS[name](*rest)))
        return
    with tempfile.TemporaryDirectory(prefix="mclas-bench-") as temporary:
        report = bench(arguments.folder or Path(temporary), *arguments.records)
    text = json.dumps(report, indent=2)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def bench(folder: Path, small: int, large: int) -> dict[str, Any]:
    """All measurements."""
    report: dict[str, Any] = {"cores": cores(), "import": {}}
    for name in FORMATS:
        sizes = {}
        for records in (small, large):
            raw, out = folder / f"{name}-{records}-raw", folder / f"{name}-{records}"
            if not raw.exists():
                step("write", name, raw, records)
            sizes[records] = step("import", name, raw, out)
        first, last = sizes[small], sizes[large]
        grown = round(last["peak_mb"] - first["peak_mb"], 1)
        report["import"][name] = {"of": sizes, "peak_mb_grown": grown}
    corpus, store = folder / f"ncls-zh2en-{large}", folder / "store"
    step("tokenizer", folder / f"ncls-zh2en-{small}", folder / "tokenizer")
    bare = step("encode_batch", folder / f"ncls-zh2en-{small}", folder / "tokenizer")
    made = step("tokenize", corpus, folder / "tokenizer", store)
    ratio = round(made["records_per_s"] / bare["records_per_s"], 2)
    report["tokenize"] = {"encode_batch_alone": bare, "store": made, "ratio": ratio}
    report["first_batch"] = {
        scenario: step("first_batch", corpus, folder / "tokenizer", store, scenario)
        for scenario in ("minimum", "full")
    }
    loader = step("loader", corpus, folder / "tokenizer", store)
    training = step("training")
    ratio = round(loader["documents_per_s"] / training["documents_per_s"], 1)
    report["loader"] = {"loader": loader, "paper_size_training": training, "ratio": ratio}
    return report


def step(name: str, *words: object) -> dict[str, Any]:
    """Run one step in a new process and read what it prints."""
    command = [sys.executable, "-m", "benchmarks.data", "--step", name, *map(str, words)]
    print(" ".join(command[2:]), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"  {found}", file=sys.stderr, flush=True)
    return found


def write(name: str, folder: str, records: str) -> dict[str, Any]:
    """A synthetic corpus."""
    from benchmarks.corpora import write_en2zh, write_zh2en

    writer = write_zh2en if name == "ncls-zh2en" else write_en2zh
    writer(Path(folder), int(records))
    return {"mb": megabytes(Path(folder))}


def import_(name: str, raw: str, out: str) -> dict[str, Any]:
    """Rate and peak memory of ``mclas data import`` on one core."""
    from mclas_lightning.corpora.importing import import_corpus

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.perf_counter()
    manifest = import_corpus(name, [Path(raw)], Path(out))
    seconds = time.perf_counter() - began
    kept = sum(file["records"] for file in manifest["files"].values())
    return {
        "records": kept, "records_per_s": round(kept / seconds), "peak_mb": memory("VmHWM"),
        "source_mb": megabytes(Path(raw)), "seconds": round(seconds, 1),
    }  # fmt: skip


def tokenizer(corpus: str, out: str) -> dict[str, Any]:
    """A vocabulary of the size that a language's side of mBERT has."""
    from mclas_lightning.data.tokenizer import train

    made = train(list(texts(Path(corpus), SAMPLE)), size=30_000, lowercase=True)
    made.save(Path(out))
    return {"entries": len(made)}


def encode_batch(corpus: str, folder: str) -> dict[str, Any]:
    """What the tokenizers library does alone: nothing but encode_batch, one share a process."""
    context, processes = multiprocessing.get_context("spawn"), cores()
    barrier, seconds = context.Barrier(processes), context.Queue()
    written = list(texts(Path(corpus)))
    shares = [written[i::processes] for i in range(processes)]
    workers = [
        context.Process(target=_encode, args=(folder, share, barrier, seconds)) for share in shares
    ]
    for worker in workers:
        worker.start()
    slowest = max(seconds.get() for _ in workers)
    for worker in workers:
        worker.join()
    records = sum(map(len, shares)) / 3  # three texts each
    return {"processes": processes, "records_per_s": round(records / slowest)}


def _encode(folder: str, share: list[str], barrier: Any, seconds: Any) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from tokenizers import Tokenizer

    backend = Tokenizer.from_file(f"{folder}/tokenizer.json")
    barrier.wait()
    began = time.perf_counter()
    for start in range(0, len(share), 1000):
        backend.encode_batch(share[start : start + 1000], add_special_tokens=False)
    seconds.put(time.perf_counter() - began)


def tokenize(corpus: str, folder: str, store: str) -> dict[str, Any]:
    """Rate of making a store: reading, checking, encoding, writing."""
    from mclas_lightning.data.store import open_store
    from mclas_lightning.data.tokenizer import Tokenizer

    loaded = Tokenizer.load(folder)
    began = time.perf_counter()
    made = open_store(Path(corpus, "train.jsonl"), loaded, LIMIT, Path(store))
    seconds = time.perf_counter() - began
    return {
        "records": len(made), "records_per_s": round(len(made) / seconds),
        "seconds": round(seconds, 1), "store_mb": megabytes(made.folder),
    }  # fmt: skip


def first_batch(corpus: str, folder: str, store: str, scenario: str) -> dict[str, Any]:
    """Time and memory from an idle process to the first batch of a scenario."""
    data = prepared(corpus, folder, store, scenario)
    idle = memory("VmRSS")
    began = time.perf_counter()
    loader = data()
    batch = next(iter(loader))
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "mb_above_idle": round(memory("VmHWM") - idle, 1),
        "micro_batches": len(loader),
        "documents": len(batch.source_BS),
    }


def loader(corpus: str, folder: str, store: str) -> dict[str, Any]:
    """Documents a second from a shuffled epoch of the whole corpus, one process."""
    batches = iter(prepared(corpus, folder, store, "full")())
    next(batches)
    began, documents = time.perf_counter(), 0
    for _ in range(500):
        documents += len(next(batches).source_BS)
    return {"documents_per_s": round(documents / (time.perf_counter() - began))}


def prepared(corpus: str, folder: str, store: str, scenario: str) -> Callable[[], Any]:
    """All imports done and the tokenizer loaded; then what a training does to get its loader."""
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.data.datamodule import ResumableLoader, UpdateSampler
    from mclas_lightning.training.preparation import prepare

    words = [
        "dataset=zh2ensum", "network=tiny", "model=mclas", f"scenario={scenario}",
        f"dataset.path={corpus}", f"network.tokenizer={folder}", f"store={store}",
        "network.encoder.max_positions=512", "optim.batch_unit=both", "optim.max_tokens=8192",
        "optim.crowding=null",
    ]  # fmt: skip
    settings, _ = read_settings(compose("train", words))

    def begin() -> ResumableLoader:
        optim, data = settings.optim, prepare(settings).train
        shape = optim.shape(devices=1)
        sampler = UpdateSampler(data.lengths(shape.unit), shape)
        return ResumableLoader(data, batch_size=None, sampler=sampler)

    return begin


def training() -> dict[str, Any]:
    """Documents a second of a paper-size training step: 4 of 256 source tokens, 64 target."""
    import torch

    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.data.batch import make_batch
    from mclas_lightning.model.decoder import DecoderConfig
    from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
    from mclas_lightning.training.module import SummarizationModule

    settings, _ = read_settings(compose("train", ["dataset=zh2ensum"]))
    encoder = {"vocab_size": 105_879, "hidden_size": 768, "num_hidden_layers": 12,
               "num_attention_heads": 12, "intermediate_size": 3072,
               "max_position_embeddings": 512, "pad_token_id": 0}  # fmt: skip
    sizes = DecoderConfig(**vars(settings.network.decoder), dropout=0.1)
    network = Seq2Seq(NetworkConfig(encoder=encoder, decoder=sizes, decoders=("decoder",)))
    module = SummarizationModule(network, settings.optim, seed=0)
    optimizer = module.configure_optimizers()["optimizer"]  # pyright: ignore
    source_BS, target_BT = torch.randint(9, 100_000, (4, 256)), torch.randint(9, 100_000, (4, 65))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        batch = make_batch(source_BS, {"decoder": target_BT}, 4 * 64, pad_id=0)
        loss = module.losses(batch, 0.1)[0]
        (loss / (4 * 64)).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - began)
    return {
        "documents_per_s": round(4 / min(seconds), 2),
        "seconds_per_step": round(min(seconds), 2),
    }


def texts(corpus: Path, records: int | None = None) -> Iterable[str]:
    """The texts of a corpus's training examples."""
    from itertools import islice

    from mclas_lightning.example import read_jsonl

    for example in islice(read_jsonl(corpus / "train.jsonl", unique=False), records):
        yield from (example.document, example.mono or "", example.cross or "")


def memory(field: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at its peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return round(int(line.split()[1]) / 1024, 1)
    raise ValueError(field)


def megabytes(folder: Path) -> int:
    """Size of all files in a folder."""
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20)


def cores() -> int:
    """Cores that a benchmark may use."""
    return len(os.sched_getaffinity(0))


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "write": write, "import": import_, "tokenizer": tokenizer, "encode_batch": encode_batch,
    "tokenize": tokenize, "first_batch": first_batch, "loader": loader, "training": training,
}  # fmt: skip

if __name__ == "__main__":
    main()
