"""Readers of corpora by others, of scored translations, and of a user's YAML."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from mclas_lightning.cli.summarize import read_documents
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.own.files import own_files
from mclas_lightning.corpora.own.records import read_examples
from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.corpora.roundtrip.translations import ScoredPairs
from mclas_lightning.files import EXPERIMENTS
from mclas_lightning.sweep.axes import axes_of
from mclas_lightning.sweep.state import read_job


class Reader(NamedTuple):
    """``read`` is given the path of a file with a content that was made from ``valid``."""

    file: str
    valid: bytes
    read: Callable[[Path], object]
    beside: Callable[[Path], object] = lambda folder: None  # writes what the file needs beside it


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


OWN = {"document": "The storm hit.", "mono": "Storm hits.", "cross": "Sturm trifft."}
XLSUM = {"id": "1", "url": "u", "title": "t", "summary": "s", "text": "The storm hit."}
CROSSSUM = {"source_url": "u", "target_url": "v", "summary": "s", "text": "The storm hit."}
CONVSUMX = {"fname": "1", "en_dialogue": "The storm hit.", "en_summary": "s", "zh_summary": "z"}
SCORED = {"row": 0, "id": "1", "mono": "a", "cross": "b", "back": "c", "rouge1_f": 0.5,
          "rouge2_f": 0.2}  # fmt: skip


def table(kind: str, record: dict[str, str]) -> bytes:
    """Two records as parquet, or as a file or stream of Arrow."""
    texts, file = pa.table({name: [text, text] for name, text in record.items()}), io.BytesIO()
    if kind == "parquet":
        pq.write_table(texts, file, compression="NONE", use_dictionary=False)
    else:
        with (pa.ipc.new_file if kind == "file" else pa.ipc.new_stream)(file, texts.schema) as out:
            out.write_table(texts)
    return file.getvalue()


def packed(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as out:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        out.addfile(about, io.BytesIO(content))
    return file.getvalue()


def own(path: Path) -> None:
    files = own_files([path])
    for split, paths in files.splits.items():
        list(read_examples(files.kind, paths, split, {}, Sources(int), Log()))


def imported(format: str, source: str | None, target: str | None) -> Callable[[Path], object]:
    return lambda path: import_corpus(
        format, [path], path.parent / "out", source=source, target=target
    )


def dataset(path: Path) -> None:
    catalog._read.cache_clear()
    catalog._read(path)


def corpus_readers() -> dict[str, Reader]:
    """Readers by name."""
    crosssum, xlsum = imported("crosssum", "en", "fr"), imported("xlsum", "en", None)
    pair = "english-french_train"
    return {
        "own jsonl": Reader("a.jsonl", lines(OWN, OWN), own),
        "own csv": Reader("a.csv", b"document,mono,cross\n" + b'"a b","b","c"\n' * 2, own),
        "own parquet": Reader("a.parquet", table("parquet", OWN), own),
        "own arrow": Reader("a.arrow", table("file", OWN), own),
        "own arrow stream": Reader("a.arrow", table("stream", OWN), own),
        "jsonl to import": Reader(
            "train.jsonl", lines({"id": "1", **OWN}), imported("jsonl", "en", "de")
        ),
        "en2desum": Reader(
            "train.jsonl", lines({"text": "a", "summary": "b"}), imported("en2desum", None, None)
        ),
        "crosssum": Reader(f"{pair}.jsonl", lines(CROSSSUM), crosssum),
        "crosssum parquet": Reader(f"{pair}.parquet", table("parquet", CROSSSUM), crosssum),
        "xlsum": Reader(
            "english_XLSum_v2.0.tar.gz", packed("english_train.jsonl", lines(XLSUM)), xlsum
        ),
        "convsumx": Reader("x.dev.jsonl", lines(CONVSUMX), imported("convsumx", None, "zh")),
        "documents": Reader("a.jsonl", lines(OWN), lambda p: list(read_documents([str(p)]))),
        "scored pairs": Reader("t.jsonl", lines(SCORED), ScoredPairs),
        "sweep": Reader(
            "s.yaml", (EXPERIMENTS / "sweep" / "toy.yaml").read_bytes(), lambda p: axes_of(p, [])
        ),
        "dataset": Reader("d.yaml", b"defaults: [toy, _self_]\nname: d\ntarget: de\n", dataset),
        "job.json": Reader("job.json", b'{"id": "1", "log": "x"}', lambda p: read_job(p.parent)),
    }
