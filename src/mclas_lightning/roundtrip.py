"""Build a cross-lingual corpus from document-summary pairs by round trip (section 5.1).

A summary is translated and translated back. The pair is kept if the back-translation is near the
summary: ROUGE-1 F at least T1 = 0.6 and ROUGE-2 F at least T2 = 0.2, both lower-cased. Translations
are written down batch by batch beside the corpus, so that nothing is lost or done twice when it is
interrupted; thresholds are applied at the end.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mclas_lightning.data.dataset import SPLITS
from mclas_lightning.data.example import Example, read_jsonl, to_line
from mclas_lightning.data.manifest import check_replaceable
from mclas_lightning.errors import InputError, check_range
from mclas_lightning.files import (
    clear_when_full,
    make_folder,
    read_json,
    sha256,
    whole_folder,
    write_json,
)
from mclas_lightning.metrics.rouge import rouge, signature
from mclas_lightning.progress import progress_bar
from mclas_lightning.report.histogram import draw_scores
from mclas_lightning.translate import Translator

Item = TypeVar("Item")
WINDOW = 2048  # pairs that are sorted by length together


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """What is built, and how; the thresholds are T1 and T2."""

    source: str
    target: str
    forward: Translator
    backward: Translator
    batch: int
    rouge1: float
    rouge2: float

    def __post_init__(self) -> None:
        check_range("--rouge1", self.rouge1, 0, 1)
        check_range("--rouge2", self.rouge2, 0, 1)

    def keeps(self, scored: Mapping[str, Any]) -> bool:
        """Section 5.1, equations for T1 and T2."""
        return scored["rouge1_f"] >= self.rouge1 and scored["rouge2_f"] >= self.rouge2

    def score(self, examples: Sequence[Example]) -> list[dict[str, Any]]:
        """Both translations of each summary, and how near the second is to it."""
        summaries = [example.mono or "" for example in examples]
        cross = self.forward.translate(summaries)
        back = self.backward.translate(cross)
        lower = [[text.lower() for text in texts] for texts in (back, summaries)]
        scores = rouge(lower[0], lower[1], self.source)
        return [
            {"cross": there, "back": here, **{key: row[key] for key in ("rouge1_f", "rouge2_f")}}
            for there, here, row in zip(cross, back, scores, strict=True)
        ]


def build(source: Path, out: Path, job: RoundTrip) -> dict[str, Any]:
    """Translate what is not translated yet, then write ``out``, whole or not at all; the manifest.

    ``source`` is a folder with train, valid or test.jsonl, or one such file, taken as train.
    """
    inputs = _inputs(source)
    check_replaceable(out, "roundtrip")
    work = _work(out)
    _claim(work, inputs, job)
    files = {split: Scored(work / f"{split}.jsonl") for split in inputs}
    total = sum(_num_lines(path) for path in inputs.values())
    done = sum(scored.done for scored in files.values())
    with progress_bar(total, "translating", "summaries", done=done) as bar:
        for split, path in inputs.items():
            for finished in files[split].complete(path, job):
                bar.update(finished)
    return _write(out, inputs, files, job)


class Scored:
    """A file of scored pairs, one window of the input after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = self._cut_torn_line() if path.exists() else 0

    def complete(self, source: Path, job: RoundTrip) -> Iterator[int]:
        """Append what is missing, batch by batch; how many pairs each time."""
        at = self.done // WINDOW * WINDOW
        finished = {row["row"] for row in islice(self.rows(), at, None)}
        with clear_when_full(self.path), self.path.open("a", encoding="utf-8") as file:
            for window in _windows(islice(_pairs(source), at, None), WINDOW):
                numbered = enumerate(window, start=at)
                left = [(row, example) for row, example in numbered if row not in finished]
                left.sort(key=lambda pair: len(pair[1].mono or ""))
                for batch in _windows(iter(left), job.batch):
                    self._append(file, batch, job)
                    yield len(batch)
                at += len(window)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The scored pairs, as they were written."""
        if self.path.exists():
            with self.path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The scored pairs in the order of the input."""
        for window in _windows(self.rows(), WINDOW):
            yield from sorted(window, key=lambda scored: scored["row"])

    def _append(self, file: Any, batch: Sequence[tuple[int, Example]], job: RoundTrip) -> None:
        scored = job.score([example for _, example in batch])
        for (row, example), scores in zip(batch, scored, strict=True):
            line = {"row": row, "id": example.id, "mono": example.mono, **scores}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())

    def _cut_torn_line(self) -> int:
        """Drop what was being written when the last process ended; the lines that are whole."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return whole.count(b"\n")


def _inputs(source: Path) -> dict[str, Path]:
    if source.is_file():
        return {"train": source}
    found = {split: source / f"{split}.jsonl" for split in SPLITS}
    inputs = {split: path for split, path in found.items() if path.exists()}
    if not inputs:
        raise InputError(
            f"{source}: expected a jsonl file, or a folder with train, valid or test.jsonl"
        )
    return inputs


def _claim(work: Path, inputs: Mapping[str, Path], job: RoundTrip) -> None:
    """Note whose translations ``work`` holds; InputError where they are another job's."""
    identity = {
        "inputs": {split: sha256(path) for split, path in inputs.items()},
        "forward": job.forward.identity,
        "backward": job.backward.identity,
        "languages": [job.source, job.target],
    }
    make_folder(work)
    path = work / "job.json"
    if not path.exists():
        write_json(path, identity)
        return
    kept = read_json(path, dict)
    for key, value in identity.items():
        if kept.get(key) != value:
            raise InputError(
                f"{work}: holds translations of another job ({key} was {kept.get(key)}, is "
                f"{value}); delete it, or choose another --out"
            )


def _write(
    out: Path, inputs: Mapping[str, Path], files: Mapping[str, Scored], job: RoundTrip
) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "corpus": "roundtrip",
        "dataset": None,
        "languages": {"source": job.source, "target": job.target},
        "translators": {"forward": job.forward.identity, "backward": job.backward.identity},
        "thresholds": {"rouge1_f": job.rouge1, "rouge2_f": job.rouge2},
        "signature": signature(job.source),
        "counts": {},
        "files": {},
    }
    scores: list[np.ndarray] = []
    with whole_folder(out) as part:
        for split, path in inputs.items():
            kept, of_split = _write_split(part, split, path, files[split], job)
            dropped = len(of_split) - kept
            reason = {"the round trip is too far": {"records": dropped, "first": split}}
            manifest["counts"][split] = {"kept": kept, "skipped": reason if dropped else {}}
            file = part / f"{split}.jsonl"
            manifest["files"][file.name] = {"records": kept, "sha256": sha256(file)}
            scores.append(of_split)
        draw_scores(part / "scores.png", np.concatenate(scores), (job.rouge1, job.rouge2))
        write_json(part / "manifest.json", manifest)
    return manifest


def _write_split(
    part: Path, split: str, source: Path, scored: Scored, job: RoundTrip
) -> tuple[int, np.ndarray]:
    """Write a split's corpus and all its scores; how many are kept, ROUGE-1 and 2 of all."""
    scores: list[tuple[float, float]] = []
    kept = 0
    with (
        (part / f"{split}.jsonl").open("w", encoding="utf-8") as corpus,
        (part / f"{split}.kept.jsonl").open("w", encoding="utf-8") as keeping,
        (part / f"{split}.dropped.jsonl").open("w", encoding="utf-8") as dropping,
    ):
        for example, row in zip(_pairs(source), scored.in_order(), strict=True):
            scores.append((row["rouge1_f"], row["rouge2_f"]))
            keep = job.keeps(row)
            line = {key: value for key, value in row.items() if key != "row"}
            file = keeping if keep else dropping
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            if keep:
                kept += 1
                cross = row["cross"]
                corpus.write(
                    to_line(
                        Example(
                            id=example.id, document=example.document, mono=example.mono, cross=cross
                        )
                    )
                )
    return kept, np.array(scores).reshape(-1, 2)


def _pairs(source: Path) -> Iterator[Example]:
    return read_jsonl(source, require=("mono",), unique=False)


def _windows(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while window := list(islice(items, size)):
        yield window


def _num_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def describe(out: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Lines that say what was kept, and where it is."""
    for split, counts in manifest["counts"].items():
        kept = counts["kept"]
        dropped = sum(reason["records"] for reason in counts["skipped"].values())
        share = kept / max(1, kept + dropped)
        yield f"{out}: {split}: {kept:,} pairs kept ({share:.1%}), {dropped:,} dropped"
    least = manifest["thresholds"]
    yield f"  thresholds: ROUGE-1 F {least['rouge1_f']}, ROUGE-2 F {least['rouge2_f']}"
    yield f"  all pairs with their scores: {out}/*.kept.jsonl, *.dropped.jsonl and scores.png"
    yield f"  translations, for other thresholds: {_work(out)} (delete them when done)"


def _work(out: Path) -> Path:
    """Where the translations of a corpus lie."""
    return out.with_name(f"{out.name}.translations")
