"""Steps from a downloaded corpus to a training's batch, each measured in a process of its own."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mclas_lightning.progress import cores

LIMIT = 512
SAMPLE = 20_000  # records that the tokenizer is trained on


def write(name: str, folder: str, records: str) -> dict[str, Any]:
    """Write a synthetic corpus."""
    from benchmarks.corpora import write_crosssum, write_en2zh, write_zh2en

    if name.startswith("crosssum"):
        write_crosssum(Path(folder), int(records), name.partition("-")[2])
    else:
        writer = write_zh2en if name == "ncls-zh2en" else write_en2zh
        writer(Path(folder), int(records))
    return {"mb": megabytes(Path(folder))}


def import_(name: str, raw: str, out: str) -> dict[str, Any]:
    """Rate and peak memory of ``mclas data import`` on one core."""
    from mclas_lightning.corpora.importing import import_corpus

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    format, files, words = name, [Path(raw)], dict[str, Any]()
    if name.startswith("crosssum"):
        format, files = "crosssum", sorted(Path(raw).glob("english-*"))
        words = {"source": "en", "target": "zh", "mono": [Path(raw) / "xlsum"]}
    began, used = time.perf_counter(), time.process_time()
    manifest = import_corpus(format, files, Path(out), **words)
    seconds = time.perf_counter() - began
    kept = sum(file["records"] for file in manifest["files"].values())
    return {
        "records": kept, "records_per_s": round(kept / seconds), "peak_mb": memory("VmHWM"),
        "source_mb": megabytes(Path(raw)), "seconds": round(seconds, 1),
        "processor_s": round(time.process_time() - used, 1),
    }  # fmt: skip


def tokenizer(corpus: str, out: str) -> dict[str, Any]:
    """A vocabulary of the size that a language's side of mBERT has."""
    from mclas_lightning.data.tokenizer import train_tokenizer

    made = train_tokenizer(list(texts(Path(corpus), SAMPLE)), size=30_000, lowercase=True)
    made.save(Path(out))
    return {"entries": len(made)}


def encode_batch(corpus: str, folder: str) -> dict[str, Any]:
    """Rate of the tokenizers library's encode_batch alone, in a process for each core."""
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
    records = sum(map(len, shares)) / 3  # A record has three texts.
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
    """Rate of making a store: read, check, encode, write."""
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
    """Seconds and memory from an idle process to the first batch of a scenario."""
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
    """Documents a second of a shuffled epoch of the whole corpus, in one process."""
    batches = iter(prepared(corpus, folder, store, "full")())
    next(batches)
    began, documents = time.perf_counter(), 0
    for _ in range(500):
        documents += len(next(batches).source_BS)
    return {"documents_per_s": round(documents / (time.perf_counter() - began))}


def prepared(corpus: str, folder: str, store: str, scenario: str) -> Callable[[], Any]:
    """A function that makes a training's loader, with imports done and the tokenizer loaded."""
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.data.sampler import ResumableLoader, UpdateSampler
    from mclas_lightning.training.preparation import prepare

    words = [
        "dataset=zh2ensum", "network=tiny", "model=mclas", f"scenario={scenario}",
        f"dataset.path={corpus}", f"network.tokenizer={folder}", f"store={store}",
        "network.encoder.max_positions=512", "optim.batch_unit=texts", "optim.max_tokens=8192",
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
    """Documents a second of a step at the paper's size: 4 of 256 source and 64 target tokens."""
    import torch

    from benchmarks.networks import paper_network
    from mclas_lightning.config.compose import compose
    from mclas_lightning.config.settings import read_settings
    from mclas_lightning.data.batch import make_batch
    from mclas_lightning.training.module import SummarizationModule

    settings, _ = read_settings(compose("train", ["dataset=zh2ensum"]))
    network = paper_network()
    module = SummarizationModule(network, settings.optim, task=settings.task, lsep_id=1, seed=0)
    optimizer = module.configure_optimizers()["optimizer"]  # pyright: ignore
    source_BS, target_BT = torch.randint(9, 100_000, (4, 256)), torch.randint(9, 100_000, (4, 65))
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        batch = make_batch(source_BS, {"decoder": target_BT}, 4 * 64, pad_id=0)
        loss = module.loss(batch, 0.1)
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
    """Megabytes of this process: ``VmRSS`` is the present, ``VmHWM`` the peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return round(int(line.split()[1]) / 1024, 1)
    raise ValueError(field)


def megabytes(folder: Path) -> int:
    """Megabytes of all files below a folder."""
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20)


def near(held_out: str, compared: str) -> dict[str, Any]:
    """Rate and memory of the search for near-duplicates, in articles of 400 words."""
    from benchmarks.corpora import article
    from mclas_lightning.corpora.near import HeldOut

    before, index = memory("VmRSS"), HeldOut()
    for i in range(int(held_out)):
        index.add("test", str(i), article(i))
    articles = [article(10**6 + i) for i in range(int(compared))]
    began = time.process_time()
    found = sum(index.nearest("", each) is not None for each in articles)
    seconds = time.process_time() - began
    return {
        "held_out": int(held_out), "held_out_mb": round(memory("VmRSS") - before, 1),
        "documents_per_processor_s": round(len(articles) / seconds), "found": found,
    }  # fmt: skip


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "write": write, "import": import_, "near": near, "tokenizer": tokenizer,
    "encode_batch": encode_batch, "tokenize": tokenize, "first_batch": first_batch,
    "loader": loader, "training": training,
}  # fmt: skip
