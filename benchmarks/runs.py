"""Made-up finished runs with random scores from a seed, for benchmarks and tests of tables."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mclas_lightning.example import Side
from mclas_lightning.runs.documents import DOCUMENT_SCORES, write_document_scores
from mclas_lightning.runs.results import Results

# Mean F1 in the full scenario. Each smaller scenario subtracts the same from all systems.
QUALITY = {"tltran": 0.29, "ncls": 0.31, "ncls_ms": 0.312, "mclas": 0.35, "ms": 0.38}
LESS = {"minimum": 0.14, "medium": 0.08, "maximum": 0.05, "full": 0.0}
SIDES: dict[str, tuple[Side, ...]] = {
    **{"ms": ("mono",), "ncls": ("cross",), "tltran": ("cross", "mono")},
    **{"ncls_ms": ("cross", "mono"), "mclas": ("cross", "mono")},
}


def write_run(
    runs: Path,
    dataset: str,
    scenario: str,
    model: str,
    seed: int,
    *,
    num: int,
    bertscore: bool = True,
) -> Results:
    """Write a run with scores of ``num`` documents; equal arguments give equal files."""
    named = re.search("([a-z]{2})2([a-z]{2})", dataset)
    source, target = named.groups() if named else ("en", "de")
    sides = SIDES[model.removesuffix("_scratch")]
    documents = {
        side: _documents(dataset, scenario, model, seed, side, num, bertscore) for side in sides
    }
    means: dict[Side, dict[str, float]] = {side: _means(documents[side], num) for side in sides}
    results = Results(
        dataset=dataset,
        scenario=scenario,
        model=model,
        seed=seed,
        languages={"source": source, "target": target},
        scores=means,
        signatures={
            side: _signatures(source if side == "mono" else target, bertscore) for side in sides
        },
        decoding={"beam": 5},
        provenance=_provenance(dataset, scenario, model),
    )
    folder = runs / dataset / scenario / model / f"seed={seed}"
    results.write(folder / "results.json")
    write_document_scores(
        folder / DOCUMENT_SCORES, [f"{dataset}-{i:06}" for i in range(num)], documents
    )
    return results


def write_runs(
    runs: Path, datasets: Sequence[str], places: Sequence[tuple[str, str]],
    seeds: Sequence[int], *, num: int,
) -> None:  # fmt: skip
    """A run of each scenario and model in ``places``, in every dataset, with every seed."""
    for dataset in datasets:
        for scenario, model in places:
            for seed in seeds:
                write_run(runs, dataset, scenario, model, seed, num=num)


def _documents(
    dataset: str, scenario: str, model: str, seed: int, side: Side, num: int, bertscore: bool
) -> dict[str, np.ndarray]:
    """Scores of a run: the part of a document is the same for all systems, the rest is random."""
    easy = _rng(dataset, side).normal(0, 0.1, num)
    own = _rng(dataset, scenario, model, seed, side)
    mean = QUALITY[model.removesuffix("_scratch")] - LESS[scenario]
    mean -= 0.06 * model.endswith("_scratch")
    f1 = np.clip(mean + easy + own.normal(0, 0.08, num) + own.normal(0, 0.004), 0, 1)
    scores = {}
    for kind, share in (("rouge1", 1.0), ("rouge2", 0.45), ("rougeL", 0.93), ("rougeLsum", 0.93)):
        for profile in ("", "paper_"):
            scale = share * (1.04 if profile else 1)
            for part, factor in zip("prf", (1.05, 0.95, 1.0), strict=True):
                scores[f"{profile}{kind}_{part}"] = np.clip(f1 * scale * factor, 0, 1)
    scores["length"] = own.integers(5, 16, num).astype(float) + 2 * (model == "ncls")
    if bertscore:
        scores |= {f"bertscore_{part}": 0.5 + f1 / 2 for part in "prf"}
    return scores


def _means(documents: dict[str, np.ndarray], num: int) -> dict[str, float]:
    return {name: float(values.mean()) for name, values in documents.items()} | {
        "reference_length": 9.5, "wrong_language": 0.01, "reference_wrong_language": 0.0,
        "empty": 0, "num": num,
    }  # fmt: skip


def _signatures(language: str, bertscore: bool) -> dict[str, str]:
    found = {
        "rouge": f"rouge|profile:standard|lang:{language}|version:2",
        "paper_rouge": f"rouge|profile:paper|lang:{language}|version:2",
    }
    return found | ({"bertscore": "bertscore|encoder:made-up|layer:9"} if bertscore else {})


def _provenance(dataset: str, scenario: str, model: str) -> dict:
    return {
        "config_sha256": _hash("config", dataset, scenario, model),
        "test_sha256": _hash("test", dataset),
        "subset_sha256": _hash("subset", dataset, scenario),
        "git_commit": _hash("commit")[:40],
        "git_changes": False,
        "python": "3.11.7",
        "packages": {"mclas-lightning": "0.1.0", "torch": "2.13.0"},
    }


def _rng(*names: object) -> np.random.Generator:
    return np.random.default_rng(int(_hash(*names)[:16], 16))


def _hash(*names: object) -> str:
    return hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()
