"""Scores of finished runs once more, from their predictions: nothing is decoded."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mclas_lightning.data.example import Side
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation import profiles_of, score_side
from mclas_lightning.metrics.neural import NAMES, NeuralScores
from mclas_lightning.metrics.score import Scores
from mclas_lightning.report.documents import NAME, write_documents
from mclas_lightning.report.predictions import Prediction, read
from mclas_lightning.report.results import Results


def runs_in(folders: Sequence[Path]) -> list[Path]:
    """The finished runs that ``folders`` are or hold; InputError where one has none."""
    found: dict[Path, None] = {}
    for folder in folders:
        results = sorted(folder.rglob("results.json"))
        if not results:
            raise InputError(f"{folder}: no finished run here or below (no results.json)")
        found |= dict.fromkeys(path.parent for path in results)
    return [*found]


def rescore(run: Path, neural: NeuralScores) -> Results:
    """Replace results.json and scores.npz by the scores of predictions.jsonl.

    What other encoders scored before stays; so does what would be scored in the same way.
    """
    old = Results.read(run / "results.json")
    predictions = [*read(old).values()]
    scores: dict[Side, Scores] = {
        side: _score(side, predictions, old, neural) for side in old.scores
    }
    new = replace(
        old,
        scores={side: found.totals for side, found in scores.items()},
        signatures={side: dict(found.signatures) for side, found in scores.items()},
    )
    documents = {side: found.documents for side, found in scores.items()}
    write_documents(run / NAME, [prediction.id for prediction in predictions], documents)
    new.write(run / "results.json")
    return new


def _score(
    side: Side, predictions: Sequence[Prediction], old: Results, neural: NeuralScores
) -> Scores:
    assert old.folder is not None
    profiles = profiles_of(old.language(side), old.folder / "tokenizer")
    other = old.languages["target" if side == "mono" else "source"]
    asked, before = neural.signatures(old.language(side)), old.signatures[side]
    kept = [f for f in NAMES if f in before and asked.get(f, before[f]) == before[f]]
    columns = _columns(old, side, kept)
    found = score_side(
        [prediction.hypotheses[side] for prediction in predictions],
        [prediction.references[side] for prediction in predictions],
        [prediction.document for prediction in predictions],
        profiles,
        other,
        neural.without(columns),
    )
    for family, values in columns.items():
        found = found.plus(values, {family: before[family]})
    return found


def _columns(
    old: Results, side: Side, families: Collection[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Each family's scores of the documents, where they are of these predictions for certain."""
    if not families or "predictions_sha256" not in old.provenance:
        return {}
    arrays = old.documents([f"{side}/{name}" for family in families for name in NAMES[family]])
    return {
        family: {name: arrays[f"{side}/{name}"] for name in NAMES[family]}
        for family in families
        if all(f"{side}/{name}" in arrays for name in NAMES[family])
    }
