"""Examples from files to splits; leaks and repeated documents are left out if asked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.corpora.check.judge import repeated_rows
from mclas_lightning.corpora.near import HeldOut
from mclas_lightning.corpora.own.files import POOL, OwnFiles, ordered
from mclas_lightning.corpora.own.groups import Texts, dealt, joined, leaking
from mclas_lightning.corpora.own.records import Fields, read_examples
from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.errors import InputError
from mclas_lightning.example import example_line, read_jsonl
from mclas_lightning.progress import progress_bar


@dataclass(frozen=True)
class ReadFiles:
    """Examples as they were read: hashes of their texts, and the rows and the log of each split."""

    texts: Texts
    rows: Mapping[str, slice]
    logs: Mapping[str, Log]


def read_files(files: OwnFiles, fields: Fields, sources: Sources, out: Path) -> ReadFiles:
    """Write all examples to ``out``, split after split."""
    texts, rows, logs = Texts(), {}, {}
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for split, paths in ordered(files.splits):
            log, begin, seen = Log(), len(texts), set[int]()
            for example in read_examples(files.kind, paths, split, fields, sources, log):
                if hash(example.id) in seen:
                    log.skip("the id was used before")
                    continue
                seen.add(hash(example.id))
                log.kept += 1
                texts.add(example)
                file.write(example_line(example))
            _check_kept(log, paths[0])
            rows[split], logs[split] = slice(begin, len(texts)), log
    return ReadFiles(texts, rows, logs)


def _check_kept(log: Log, path: Path) -> None:
    """InputError where there is no example, or where more records are skipped than kept."""
    if log.kept >= max(1, log.num_skipped):
        return
    if not log.skipped:
        raise InputError(f"{path}: holds no example; expected one at least")
    reason, most = max(log.skipped.items(), key=lambda item: item[1]["records"])
    raise InputError(
        f"{path}: {log.num_skipped:,} of {log.num_skipped + log.kept:,} records cannot be used, "
        f"{most['records']:,} because {reason} (first {most['first']})"
    )


def splits_of(
    read: ReadFiles, source: Path, *, clean: bool, seed: int
) -> tuple[list[str], list[str]]:
    """The split of each example, "" where it is left out; and lines on what was decided.

    ``source`` holds the examples, whose documents are compared with those that are held out.
    """
    groups, said = read.texts.groups(), list[str]()
    found = np.full(len(groups), POOL, dtype="<U8")
    for split, rows in read.rows.items():
        found[rows] = "train" if split == POOL else split
    if clean:
        groups = joined(groups, near_pairs(source, found != "train"))
        said += _clean(read, groups, found)
    if missing := [split for split in ("test", "valid") if split not in read.rows]:
        pool = np.flatnonzero(found == "train")
        ids = [read.texts.ids[row] for row in pool]
        found[pool] = dealt(groups[pool], ids, missing, seed)
        _give_back(found, joined(groups, near_pairs(source, np.isin(found, missing))), missing)
        num = len(np.unique(groups[pool]))
        said.append(f"{' and '.join(missing)}: taken from {num:,} groups with common texts")
    return found.tolist(), said


def near_pairs(source: Path, held_out: np.ndarray) -> list[tuple[int, int]]:
    """The rows of nearly equal documents, of which the second of each pair is held out."""
    index = HeldOut()
    for row, example in enumerate(read_jsonl(source, unique=False)):
        if held_out[row]:
            index.add("held out", str(row), example.document)
    with progress_bar(len(held_out), "comparing", "documents", disable=not held_out.any()) as bar:
        pairs = []
        for row, example in enumerate(read_jsonl(source, unique=False) if held_out.any() else ()):
            near = index.all_near(example.id, example.document)
            pairs += [(row, int(each.there)) for each in near]
            bar.update()
    return pairs


def _give_back(found: np.ndarray, groups: np.ndarray, missing: Sequence[str]) -> None:
    """Put each group that is in several splits into training, but for splits that were given."""
    numbers = np.unique(found, return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, numbers])[:, found != ""], axis=1)
    several = np.flatnonzero(np.bincount(pairs[0], minlength=len(groups)) > 1)
    found[np.isin(groups, several) & np.isin(found, missing)] = "train"


def _clean(read: ReadFiles, groups: np.ndarray, found: np.ndarray) -> Iterator[str]:
    """Take leaks and repeated documents out of ``found``; lines on how many there were."""
    leaks = leaking(groups, read.rows)
    repeats = np.zeros(len(groups), dtype=bool)
    for rows in read.rows.values():
        repeats[rows.start + repeated_rows(np.asarray(read.texts.documents)[rows])] = True
    for split, rows in read.rows.items():
        num_leaks, num_repeats = leaks[rows].sum(), (repeats & ~leaks)[rows].sum()
        yield (
            f"{split}: {num_leaks:,} left out that have texts of a split that is judged on, "
            f"{num_repeats:,} that repeat a document"
        )
    found[leaks | repeats] = ""


def deal_lines(source: Path, part: Path, splits: Sequence[str]) -> None:
    """Copy each line to the file of its split."""
    with ExitStack() as stack:
        files = {
            split: stack.enter_context((part / f"{split}.jsonl").open("wb")) for split in SPLITS
        }
        lines = stack.enter_context(source.open("rb"))
        for split, line in zip(splits, lines, strict=True):
            if split:
                files[split].write(line)
