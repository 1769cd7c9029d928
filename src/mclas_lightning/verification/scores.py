"""Scores and signatures, counted again from a run's predictions."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mclas_lightning.errors import InputError, first_few
from mclas_lightning.example import Side, read_jsonl
from mclas_lightning.files import sha256
from mclas_lightning.metrics.profiles import PAPER_FAMILY, profiles_of
from mclas_lightning.metrics.score import SystemScores, text_scores
from mclas_lightning.runs.predictions import Prediction, read_predictions
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import run_folder_of
from mclas_lightning.verification.files import scored_set
from mclas_lightning.verification.finding import Finding, matched, mismatched, unchecked

TOLERANCE = 1e-9  # sums of the same numbers in another order differ by less


def score_findings(results: Results) -> Iterator[Finding]:
    """Findings on predictions, scores, signatures, and the documents' scores in scores.npz."""
    try:
        predictions = [*read_predictions(results).values()]
    except InputError as error:
        yield mismatched("predictions", str(error))
        return
    yield matched("predictions", f"{len(predictions):,} documents")
    yield from _test_set(results, predictions)
    try:
        kept = results.documents()
    except InputError as error:
        yield mismatched("scores.npz", str(error))
        kept = {}
    else:
        if not kept:
            yield unchecked("scores.npz", f"{results.folder}: has none")
    if kept and kept["ids"].tolist() != [prediction.id for prediction in predictions]:
        yield mismatched("scores.npz", "its ids are not those of predictions.jsonl, in their order")
        kept = {}
    for side in results.scores:
        yield from _side(results, side, predictions, kept)


def _test_set(results: Results, predictions: Sequence[Prediction]) -> Iterator[Finding]:
    """Whether documents and references are those of the scored set, where that is here."""
    path = scored_set(results)
    recorded = results.provenance.get(f"{results.split}_sha256")
    if path is None or not path.is_file() or sha256(path) != recorded:
        return  # The findings on files say so.
    examples = {example.id: example for example in read_jsonl(path)}
    unlike = [
        prediction.id
        for prediction in predictions
        if (example := examples.get(prediction.id)) is None
        or example.document != prediction.document
        or any((example.summary(s) or "") != text for s, text in prediction.references.items())
    ]
    if unlike:
        said = f"documents or references are not those of {path}: {first_few(unlike)}"
        yield mismatched("predictions", said)
    elif len(examples) != len(predictions):
        said = f"{len(predictions):,} of the {len(examples):,} documents of {path}"
        yield mismatched("predictions", said)
    else:
        yield matched("predictions", f"documents and references are those of {path}")


def _side(
    results: Results, side: Side, predictions: Sequence[Prediction], kept: Mapping[str, np.ndarray]
) -> Iterator[Finding]:
    """Findings on the scores of one side, family by family."""
    assert results.folder is not None
    profiles = profiles_of(results.language(side), run_folder_of(results.folder) / "tokenizer")
    again = text_scores(
        [prediction.hypotheses[side] for prediction in predictions],
        [prediction.references[side] for prediction in predictions],
        [prediction.document for prediction in predictions],
        profiles,
    )
    recorded, signed = results.scores[side], results.signatures[side]
    for family in sorted(signed.keys() - again.signatures.keys()):
        why = "their encoder" if family != PAPER_FAMILY else "the run's word pieces"
        yield unchecked("scores", f"{side} {family}: counting it again needs {why}")
    unlike = [f for f, s in again.signatures.items() if f in signed and signed[f] != s]
    for family in unlike:
        said = f"{side} {family}: '{signed[family]}', counted here by '{again.signatures[family]}'"
        yield mismatched("signatures", f"{said}; mclas rescore counts it again")
    names = [
        name
        for name in again.totals.keys() & recorded.keys()
        if not any(name.startswith(family) for family in unlike)
    ]
    wrong = [
        f"{name} {recorded[name]:.12g}, found {again.totals[name]:.12g}"
        for name in sorted(names)
        if not math.isclose(
            recorded[name], again.totals[name], rel_tol=TOLERANCE, abs_tol=TOLERANCE
        )
    ]
    if wrong:
        yield mismatched("scores", f"results.json, {side}: {first_few(wrong)}")
    else:
        yield matched("scores", f"{side}: {len(names)} of {len(recorded)} counted again")
    yield from _of_documents(side, again, kept, names)


def _of_documents(
    side: Side, again: SystemScores, kept: Mapping[str, np.ndarray], names: Sequence[str]
) -> Iterator[Finding]:
    """Findings on the scores of single documents."""
    if not kept:
        return
    counted = {f"{side}/{name}": again.documents[name] for name in names if name in again.documents}
    wrong = [f"{name} is missing" for name in sorted(counted.keys() - kept.keys())]
    wrong += [
        f"{name} of {kept['ids'][rows[0]]}" + f" and {len(rows) - 1:,} more" * (len(rows) > 1)
        for name in sorted(counted.keys() & kept.keys())
        if len(rows := np.flatnonzero(_differ(kept[name], counted[name])))
    ]
    if wrong:
        yield mismatched("scores.npz", f"{side}: {first_few(wrong)}")
    else:
        yield matched("scores.npz", f"{side}: each document")


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return ~np.isclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)
