"""Small files in the forms of corpora that can be downloaded, of the examples of the tests."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import write_table

from mclas_lightning.example import Example
from tests.conftest import examples

Records = Iterable[Mapping[str, Any]]

SIZES = {"train": 17, "val": 5, "test": 3}


def stories() -> dict[str, list[Example]]:
    """Different stories for each split, English with English and German summaries."""
    made, start = {}, 0
    for split, num in SIZES.items():
        made[split] = [replace(e, document=e.document.strip()) for e in examples(num, start)]
        start += num
    return made


def jsonl(path: Path, records: Records) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines(records)))
    return path


def lines(records: Records) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records]


def archive(path: Path, members: Mapping[str, Records]) -> Path:
    """A tar.bz2 with a jsonl file for each of ``members``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:bz2") as tar:
        for name, records in members.items():
            content = b"".join(lines(records))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def parquet(path: Path, records: Records) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(pa.Table.from_pylist([dict(record) for record in records]), path)
    return path


def crosssum(story: Example, **changed: Any) -> dict[str, Any]:
    """A record of CrossSum, from English to German."""
    return {
        "source_url": f"https://bbc.com/news/{story.id}",
        "target_url": f"https://bbc.com/german/{story.id}",
        "text": story.document,
        "summary": story.cross,
    } | changed


def xlsum(story: Example, **changed: Any) -> dict[str, Any]:
    """A record of XL-Sum in English."""
    return {
        "id": story.id, "url": f"https://bbc.com/news/{story.id}", "title": "News",
        "text": story.document, "summary": story.mono,
    } | changed  # fmt: skip
