"""Low-resource scenarios: which training examples a run may use (section 5.1, Table 1).

``random``, the paper's word: ids are ranked by a seeded hash and the first n taken. So the subsets
are nested (minimum in medium in maximum in full), do not depend on the order of the file, and are
the same for every model. ``first_shards``, what the released code does: whole shards of the file,
in lexicographic order of their names (0, 1, 10, 11, 2, ...).
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.files import read_json, write_json

SPLITTINGS = ("random", "first_shards")

LEAST = {"training": 100, "validation": 10}  # the paper's smallest scenario has 1,500


@dataclass(frozen=True, kw_only=True)
class SubsetRule:
    """How a scenario's examples are chosen."""

    scenario: str
    split: str  # random | first_shards
    seed: int


def subset_size(scenario: str, sizes: Mapping[str, float], total: int, least: int = 0) -> int:
    """Examples in ``scenario``: a count as it stands, a fraction up to 1.0 of ``total``.

    A fraction stands for ``least`` examples or more, where there are as many.
    """
    if scenario not in sizes:
        raise unknown_choice("scenario", scenario, sizes)
    size = sizes[scenario]
    if not math.isfinite(size) or (size > 1 and size % 1):
        raise InputError(
            f"dataset.sizes.{scenario}: expected a number of examples, or a fraction up to 1.0; "
            f"found {size}"
        )
    count = round(size * total) if isinstance(size, float) and size <= 1 else int(size)
    if isinstance(size, float) and size <= 1:
        count = max(count, min(least, total))
    if not 0 < count <= total:
        advice = "lower" if count > total else "raise"
        raise InputError(
            f"scenario '{scenario}' asks for {count:,} training examples and the corpus has "
            f"{total:,}; {advice} dataset.sizes.{scenario} (it is {size})"
        )
    return count


def few_examples(scenario: str, size: float, found: Mapping[str, int]) -> str | None:
    """A sentence where there is too little to learn or choose from; ``found`` as LEAST."""
    small = [
        f"{num:,} {kind} example{'' if num == 1 else 's'}"
        for kind, num in found.items()
        if num < LEAST[kind]
    ]
    if not small:
        return None
    one = isinstance(size, int) and size == 1
    hint = f" (dataset.sizes.{scenario}=1 is one example; 1.0 is all of them)" if one else ""
    return f"scenario '{scenario}' has {' and '.join(small)}; scores of so few say little{hint}"


def choose(keys: np.ndarray, size: int, seed: int) -> np.ndarray:
    """``size`` rows, the first by a hash of seed and key (uint64, of each id)."""
    start = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8])
    ranks = _mixed(keys ^ np.uint64(start))
    rows = np.argpartition(ranks, size - 1)[:size]
    return rows[np.argsort(ranks[rows])]


def first_shards(shards: Sequence[tuple[str, int]], num: int) -> np.ndarray:
    """The rows of the first ``num`` shards by name; each has a name and a number of rows."""
    if num > len(shards):
        raise InputError(
            f"split=first_shards: asks for {num} shards and the corpus has {len(shards)}; "
            f"lower dataset.shards.take"
        )
    starts = np.cumsum([0, *(size for _, size in shards)])
    taken = sorted(range(len(shards)), key=lambda i: shards[i][0])[:num]
    return np.concatenate([np.arange(starts[i], starts[i + 1]) for i in taken])


def scenario_subset(
    rule: SubsetRule,
    dataset: DatasetConfig,
    *,
    keys: np.ndarray,
    ids: Callable[[Sequence[int]], list[str]],
    corpus_sha256: str,
) -> tuple[np.ndarray, dict[str, Any]]:
    """The scenario's rows, in the order of the corpus, and the manifest that describes them."""
    rows = _rows(rule, dataset, keys)
    whole = len(rows) == len(keys)
    chosen = [] if whole else ids(rows.tolist())
    manifest = {
        **_sizes(rule, len(rows), len(keys)),
        "corpus_sha256": corpus_sha256,
        "sha256": None if whole else hashlib.sha256("\n".join(chosen).encode()).hexdigest(),
        "ids": "all" if whole else chosen,
    }
    return np.sort(rows), manifest


def planned_subset(rule: SubsetRule, dataset: DatasetConfig, total: int) -> dict[str, Any]:
    """The entries of the manifest that need no more of the corpus than its number of examples."""
    # Keys decide which rows are chosen, not how many.
    return _sizes(rule, len(_rows(rule, dataset, np.arange(total, dtype=np.uint64))), total)


def _sizes(rule: SubsetRule, size: int, total: int) -> dict[str, Any]:
    seed = rule.seed if rule.split == "random" else None
    return {
        "scenario": rule.scenario, "split": rule.split, "seed": seed, "size": size, "of": total
    }  # fmt: skip


def write_or_check(path: Path, manifest: Mapping[str, Any]) -> None:
    """Keep the manifest at ``path``; InputError where another one is kept there already."""
    check_subset(path, manifest)
    if not path.exists():
        write_json(path, dict(manifest))


def check_subset(path: Path, manifest: Mapping[str, Any]) -> None:
    """InputError where a manifest is kept at ``path`` with other entries than in ``manifest``."""
    kept = read_json(path, dict) if path.exists() else manifest
    for key, value in manifest.items():
        if kept.get(key) != value:
            word = "split_seed" if key == "seed" else key
            shown = "" if key == "ids" else f" ({word} was {kept.get(key)}, is {value})"
            raise InputError(
                f"{path}: its runs were trained on another subset{shown}; "
                f"restore the corpus and the split, or use another 'runs' folder"
            )


def _rows(rule: SubsetRule, dataset: DatasetConfig, keys: np.ndarray) -> np.ndarray:
    if rule.split not in SPLITTINGS:
        raise unknown_choice("split", rule.split, SPLITTINGS)
    if rule.split == "random":
        return choose(
            keys, subset_size(rule.scenario, dataset.sizes, len(keys), dataset.least), rule.seed
        )
    if dataset.shards is None:
        raise InputError(
            f"split=first_shards: dataset '{dataset.name}' has no shards; give dataset.shards, or "
            f"take split=random"
        )
    if rule.scenario not in dataset.shards.take:
        return np.arange(len(keys))
    return first_shards(_shards(dataset, len(keys)), dataset.shards.take[rule.scenario])


def _shards(dataset: DatasetConfig, total: int) -> list[tuple[str, int]]:
    """Name and size of each shard: the released ones that were imported, or equal ones."""
    assert dataset.shards is not None
    path = Path(dataset.path, "manifest.json")
    released = read_json(path, dict).get("shards") if path.exists() else None
    if not released:
        size = dataset.shards.size
        return [(str(i), min(size, total - s)) for i, s in enumerate(range(0, total, size))]
    shards = [(str(name), int(size)) for name, size in released["train"]]
    if sum(size for _, size in shards) != total:
        raise InputError(
            f"{path}: its shards do not add up to train.jsonl; import the corpus again"
        )
    return shards


def _mixed(values: np.ndarray) -> np.ndarray:
    """The finalizer of splitmix64 (Steele et al. 2014): neighbors come out far apart."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
