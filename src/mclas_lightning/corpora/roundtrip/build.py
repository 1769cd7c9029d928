"""Build a cross-lingual corpus from document-summary pairs by round trip (section 5.1).

A summary is translated and translated back. The pair is kept if the back-translation is near the
summary: ROUGE-1 F at least T1 = 0.6 and ROUGE-2 F at least T2 = 0.2, both texts lower-cased.
Translations are written batch by batch into a folder beside the corpus, so that an interrupted
build loses none and repeats none. The thresholds are applied at the end.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout

from mclas_lightning.config.dataset import SPLITS, check_two_languages
from mclas_lightning.corpora.manifest import check_replaceable, whole_corpus
from mclas_lightning.corpora.roundtrip.histogram import draw_scores
from mclas_lightning.corpora.roundtrip.translations import (
    SCORE_NAMES,
    ScoredPairs,
    check_pairs,
    pairs,
)
from mclas_lightning.errors import InputError, check_range
from mclas_lightning.example import Example, example_line
from mclas_lightning.files import make_folder, read_json, sha256, write_json
from mclas_lightning.metrics.language import check_language
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.lock import one_at_a_time
from mclas_lightning.task import Translator


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """Languages, translators and thresholds of a build."""

    source: str
    target: str
    forward: Translator
    backward: Translator
    batch: int  # summaries that are translated at a time
    rouge1: float  # T1
    rouge2: float  # T2

    def __post_init__(self) -> None:
        check_two_languages(self.source, self.target)
        for option, language in (("--source", self.source), ("--target", self.target)):
            check_language(language, option)
        check_range("--rouge1", self.rouge1, 0, 1)
        check_range("--rouge2", self.rouge2, 0, 1)

    def keeps(self, scored: Mapping[str, Any]) -> bool:
        """Whether a scored pair reaches T1 and T2 (section 5.1) and has a translation."""
        near = scored["rouge1_f"] >= self.rouge1 and scored["rouge2_f"] >= self.rouge2
        return near and bool(scored["cross"])

    def score(self, examples: Sequence[Example]) -> list[dict[str, Any]]:
        """The translation and back-translation of each summary, and the ROUGE of the latter."""
        summaries = [example.mono or "" for example in examples]
        cross = self.forward.translate(summaries)
        back = self.backward.translate(cross)
        lower = [[text.lower() for text in texts] for texts in (back, summaries)]
        scores = standard_profile(self.source).scores(
            lower[0], lower[1], kinds=("rouge1", "rouge2")
        )
        # Rounded, since an F of exactly 1/5 or 3/5 may be computed a bit below the threshold.
        rows = np.stack([scores[key] for key in SCORE_NAMES], axis=1).round(9).tolist()
        return [
            {"cross": there, "back": here, **dict(zip(SCORE_NAMES, row, strict=True))}
            for there, here, row in zip(cross, back, rows, strict=True)
        ]


def build_roundtrip(source: Path, out: Path, job: RoundTrip) -> dict[str, Any]:
    """Translate the missing pairs, then write ``out``, whole or not at all; the manifest.

    ``source`` is a folder with train, valid or test.jsonl, or a file that is taken for train.jsonl.
    InputError where ``out`` is the source or another corpus, where a line is no pair, and where the
    translations beside ``out`` are another job's or another process writes them.
    """
    inputs = _inputs(source)
    if any(out.resolve() == path.resolve().parent for path in inputs.values()):
        raise InputError(f"{out}: holds the pairs themselves; choose another --out")
    check_replaceable(out, "roundtrip")
    # All lines are checked before the first translation: a line mended later would change the hash
    # of the file, by which its translations are found again.
    total = sum(check_pairs(path) for path in inputs.values())
    work = _work_folder(out)
    make_folder(work)
    try:
        with one_at_a_time(work / "lock", timeout=0):
            identity = _claim(work, inputs, job)
            files = {split: ScoredPairs(work / f"{split}.scored.jsonl") for split in inputs}
            _translate(inputs, files, total, job)
            return _write(out, inputs, files, job, identity)
    except Timeout as error:
        raise InputError(f"{work}: another process is at work here; wait for it") from error


def _translate(
    inputs: Mapping[str, Path], files: Mapping[str, ScoredPairs], total: int, job: RoundTrip
) -> None:
    done = sum(scored.done for scored in files.values())
    if done == total:
        print(f"all {total:,} summaries are translated; thresholds are applied")
    with progress_bar(total, "translating", "summaries", done=done) as bar:
        for split, path in inputs.items():
            for finished in files[split].add_missing(path, job.score, job.batch):
                bar.update(finished)


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


def _claim(work: Path, inputs: Mapping[str, Path], job: RoundTrip) -> dict[str, Any]:
    """The identity of a job, noted in ``work``; InputError where ``work`` has another job's."""
    identity = {
        "inputs": {split: sha256(path) for split, path in inputs.items()},
        "forward": job.forward.identity,
        "backward": job.backward.identity,
        "languages": [job.source, job.target],
    }
    path = work / "job.json"
    if not path.exists():
        write_json(path, identity)
    kept = read_json(path, dict)
    for key, value in identity.items():
        if kept.get(key) != value:
            raise InputError(
                f"{work}: holds translations of another job ({key} was {kept.get(key)}, is "
                f"{value}); delete it, or choose another --out"
            )
    return identity


def _write(
    out: Path,
    inputs: Mapping[str, Path],
    files: Mapping[str, ScoredPairs],
    job: RoundTrip,
    identity: Mapping[str, Any],
) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "corpus": "roundtrip",
        "dataset": None,
        "languages": {"source": job.source, "target": job.target},
        "inputs": identity["inputs"],
        "translators": {"forward": job.forward.identity, "backward": job.backward.identity},
        "thresholds": {"rouge1_f": job.rouge1, "rouge2_f": job.rouge2},
        "signature": standard_profile(job.source).signature,
        "counts": {},
        "files": {},
    }
    scores: list[np.ndarray] = []
    with whole_corpus(out) as part:
        for split, path in inputs.items():
            kept, of_split = _write_split(part, split, path, files[split], job)
            dropped = len(of_split) - kept
            reason = {"the round trip is too far": {"records": dropped, "first": split}}
            manifest["counts"][split] = {"kept": kept, "skipped": reason if dropped else {}}
            file = part / f"{split}.jsonl"
            manifest["files"][file.name] = {"records": kept, "sha256": sha256(file)}
            scores.append(of_split)
        together = np.concatenate(scores)
        manifest["quartiles"] = _quartiles(together)
        draw_scores(part / "scores.png", together, (job.rouge1, job.rouge2))
        write_json(part / "manifest.json", manifest)
    return manifest


def _write_split(
    part: Path, split: str, source: Path, scored: ScoredPairs, job: RoundTrip
) -> tuple[int, np.ndarray]:
    """Write a split and the scores of its pairs; the number kept, and ROUGE of all pairs."""
    scores: list[tuple[float, float]] = []
    kept = 0
    with (
        (part / f"{split}.jsonl").open("w", encoding="utf-8") as corpus,
        (part / f"{split}.kept.jsonl").open("w", encoding="utf-8") as keeping,
        (part / f"{split}.dropped.jsonl").open("w", encoding="utf-8") as dropping,
    ):
        for example, row in zip_longest(pairs(source), scored.in_order()):
            if not (example and row and example.id == row["id"]):
                raise scored.damaged(f"it has not the pairs of {source}")
            scores.append((row["rouge1_f"], row["rouge2_f"]))
            keep = job.keeps(row)
            line = {key: value for key, value in row.items() if key != "row"}
            file = keeping if keep else dropping
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            if keep:
                kept += 1
                corpus.write(example_line(replace(example, cross=row["cross"])))
    return kept, np.array(scores).reshape(-1, 2)


def _quartiles(scores: np.ndarray) -> dict[str, list[float]]:
    """The quartiles of each score over all pairs; empty without pairs."""
    if not len(scores):
        return {}
    return {
        name: np.quantile(column, (0.25, 0.5, 0.75)).round(4).tolist()
        for name, column in zip(SCORE_NAMES, scores.T, strict=True)
    }


def describe_roundtrip(out: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Lines on kept and dropped pairs, thresholds, quartiles and files."""
    for split, counts in manifest["counts"].items():
        kept = counts["kept"]
        dropped = sum(reason["records"] for reason in counts["skipped"].values())
        share = kept / max(1, kept + dropped)
        yield f"{out}: {split}: {kept:,} pairs kept ({share:.1%}), {dropped:,} dropped"
    least = manifest["thresholds"]
    yield f"  thresholds: ROUGE-1 F {least['rouge1_f']}, ROUGE-2 F {least['rouge2_f']}"
    if quartiles := manifest["quartiles"]:
        first, second = (
            " ".join(f"{value:.3f}" for value in quartiles[name]) for name in SCORE_NAMES
        )
        yield f"  quartiles of all pairs: ROUGE-1 F {first}, ROUGE-2 F {second}"
    yield f"  all pairs with their scores: {out}/*.kept.jsonl, *.dropped.jsonl and scores.png"
    yield f"  translations, for other thresholds: {_work_folder(out)} (delete them when done)"


def _work_folder(out: Path) -> Path:
    """The folder of a corpus's translations."""
    return out.with_name(f"{out.name}.translations")
