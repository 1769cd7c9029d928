"""Low-resource scenarios: which training examples a run may use (section 5.1, Table 1).

Ids are ranked by a seeded hash and the first n taken. So the subsets are nested (minimum in medium
in maximum in full), do not depend on the order of the file, and are the same for every model.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mclas_lightning.data.example import Example
from mclas_lightning.errors import InputError, one_of
from mclas_lightning.files import read_json, write_json


def subset_size(scenario: str, sizes: Mapping[str, float], total: int) -> int:
    """Examples in ``scenario``: a count as it stands, a fraction up to 1.0 of ``total``."""
    if scenario not in sizes:
        raise one_of("scenario", scenario, sizes)
    size = sizes[scenario]
    count = round(size * total) if isinstance(size, float) and size <= 1 else int(size)
    if not 0 < count <= total:
        raise InputError(
            f"scenario '{scenario}' asks for {count:,} training examples and the corpus has "
            f"{total:,}; lower dataset.sizes.{scenario}"
        )
    return count


def choose(ids: Sequence[str], size: int, seed: int) -> list[str]:
    """``size`` ids, the first by the hash of seed and id."""
    return sorted(ids, key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).digest())[:size]


def scenario_subset(
    examples: Sequence[Example],
    scenario: str,
    sizes: Mapping[str, float],
    *,
    seed: int,
    corpus_sha256: str,
) -> tuple[list[Example], dict[str, Any]]:
    """The scenario's examples, in the order of the corpus, and the manifest that describes them."""
    size = subset_size(scenario, sizes, len(examples))
    ids = choose([example.id for example in examples], size, seed)
    chosen = set(ids)
    manifest = {
        "scenario": scenario,
        "seed": seed,
        "size": size,
        "of": len(examples),
        "corpus_sha256": corpus_sha256,
        "sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        "ids": ids if size < len(examples) else "all",
    }
    return [example for example in examples if example.id in chosen], manifest


def write_or_check(path: Path, manifest: Mapping[str, Any]) -> None:
    """Keep the manifest at ``path``; InputError where another one is kept there already."""
    if not path.exists():
        write_json(path, dict(manifest))
        return
    kept = read_json(path, dict)
    for key, value in manifest.items():
        if kept.get(key) != value:
            shown = "" if key == "ids" else f" ({key} was {kept.get(key)}, is {value})"
            raise InputError(
                f"{path}: its runs were trained on another subset{shown}; "
                f"restore the corpus and split_seed, or use another 'runs' folder"
            )
