"""Scores of summaries, and new scores of finished runs from their predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mclas_lightning.example import Side
from mclas_lightning.metrics.neural.scores import NEURAL_SCORES, NeuralScores
from mclas_lightning.metrics.profiles import PAPER_FAMILY, profiles_of
from mclas_lightning.metrics.rouge import Profile
from mclas_lightning.metrics.score import SystemScores, text_scores
from mclas_lightning.runs.documents import DOCUMENT_SCORES, write_document_scores
from mclas_lightning.runs.lock import locked
from mclas_lightning.runs.moves import finish_moves, whole_files
from mclas_lightning.runs.predictions import Prediction, read_predictions
from mclas_lightning.runs.results import Results, read_unedited
from mclas_lightning.runs.run import run_folder_of


def score_side(
    hypotheses: Sequence[str],
    references: Sequence[str],
    documents: Sequence[str],
    profiles: Sequence[Profile],
    neural: NeuralScores,
) -> SystemScores:
    """All scores of the summaries of one side, neural ones included."""
    found = text_scores(hypotheses, references, documents, profiles)
    language = profiles[0].language
    (found,) = neural.add([found], [hypotheses], references, documents, language)
    return found


def rescore(run: Path, neural: NeuralScores) -> Results:
    """Score predictions.jsonl in the folder ``run`` again; replaces results.json and scores.npz.

    Old scores of an encoder are kept where ``neural`` lacks the encoder or has the same signature.
    The run's folder is locked meanwhile. InputError for unreadable or changed predictions.
    """
    with locked(run_folder_of(run)):
        finish_moves(run)
        return _rescore(run, neural)


def lost_families(old: Results, new: Results) -> list[str]:
    """The families of scores, such as ``cross bertscore``, that only ``old`` has."""
    return [
        f"{side} {family}"
        for side, signatures in old.signatures.items()
        for family in signatures
        if family not in new.signatures[side]
    ]


def _rescore(run: Path, neural: NeuralScores) -> Results:
    old = read_unedited(run / "results.json")
    predictions = [*read_predictions(old).values()]
    scores: dict[Side, SystemScores] = {
        side: _side_scores(side, predictions, old, neural) for side in old.scores
    }
    new = replace(
        old,
        scores={side: found.totals for side, found in scores.items()},
        signatures={side: dict(found.signatures) for side, found in scores.items()},
    )
    documents = {side: found.documents for side, found in scores.items()}
    ids = [prediction.id for prediction in predictions]
    with whole_files(run) as folder:
        scored = old.provenance.get("predictions_sha256")
        write_document_scores(folder / DOCUMENT_SCORES, ids, documents, scored)
        new.write(folder / "results.json")
    return new


def _side_scores(
    side: Side, predictions: Sequence[Prediction], old: Results, neural: NeuralScores
) -> SystemScores:
    assert old.folder is not None
    profiles = profiles_of(old.language(side), run_folder_of(old.folder) / "tokenizer")
    asked, before = neural.signatures(old.language(side)), old.signatures[side]
    kept = {
        f: NEURAL_SCORES[f]
        for f in NEURAL_SCORES
        if f in before and asked.get(f, before[f]) == before[f]
    }
    if PAPER_FAMILY in before and not any(profile.name == "paper" for profile in profiles):
        # Without the run's word pieces, ROUGE of the profile ``paper`` cannot be counted again.
        kept[PAPER_FAMILY] = tuple(
            name for name in old.scores[side] if name.startswith(PAPER_FAMILY)
        )
    columns = _kept_scores(old, side, kept)
    found = score_side(
        [prediction.hypotheses[side] for prediction in predictions],
        [prediction.references[side] for prediction in predictions],
        [prediction.document for prediction in predictions],
        profiles,
        neural.without(columns.keys() & NEURAL_SCORES.keys()),
    )
    for family, values in columns.items():
        found = found.plus(values, {family: before[family]})
    return found


def _kept_scores(
    old: Results, side: Side, families: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, np.ndarray]]:
    """The old scores ``[documents]`` of each family in ``families``, by name.

    Results without the predictions' hash give none: their scores may be of other predictions.
    """
    if not families or "predictions_sha256" not in old.provenance:
        return {}
    arrays = old.documents([f"{side}/{name}" for names in families.values() for name in names])
    return {
        family: {name: arrays[f"{side}/{name}"] for name in names}
        for family, names in families.items()
        if all(f"{side}/{name}" in arrays for name in names)
    }
