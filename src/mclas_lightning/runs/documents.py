"""``scores.npz`` beside ``results.json``: the scores of each test document.

The file holds one float64 array ``[documents]`` for each score, named ``<side>/<score>``
(``cross/rouge1_f``), the documents' ``ids``, and the SHA-256 of ``predictions.jsonl`` under
``predictions_sha256``. All arrays are in the order of ``predictions.jsonl``. Significance tests
compare systems document by document from these files.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.files import whole_path
from mclas_lightning.runs.arrays import read_arrays

DOCUMENT_SCORES = "scores.npz"

PREDICTIONS_HASH = "predictions_sha256"

SCORE_AGAIN = "score the run again with mclas-evaluate"


def write_document_scores(
    path: Path,
    ids: Sequence[str],
    sides: Mapping[str, Mapping[str, np.ndarray]],
    predictions_sha256: str | None = None,
) -> None:
    """Write the arrays ``sides[side][name]``, each ``[documents]``, whole or not at all.

    results.json holds the same hash of the predictions, so that a reader can tell whether both
    files were written together.
    """
    arrays: dict[str, np.ndarray] = {}
    if predictions_sha256 is not None:
        arrays[PREDICTIONS_HASH] = np.array(predictions_sha256)
    arrays |= {f"{side}/{name}": a for side, scores in sides.items() for name, a in scores.items()}
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(file, **{"ids": np.array(ids, dtype=np.str_), **arrays})


def read_document_scores(
    path: Path,
    means: Mapping[Side, Mapping[str, float]],
    names: Sequence[str] | None = None,
    predictions_sha256: str | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of ``path`` by name; with ``names``, only ``ids`` and those of ``names`` it holds.

    ``means`` (by side and score) and ``predictions_sha256`` are those of results.json. InputError
    where the file cannot be read, or where its arrays do not have these means or this hash.
    """
    try:
        found = read_arrays(path, None if names is None else ["ids", PREDICTIONS_HASH, *names])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); {SCORE_AGAIN}") from error
    if "ids" not in found:
        raise InputError(f"{path}: lacks 'ids'; {SCORE_AGAIN}")
    scored = found.pop(PREDICTIONS_HASH, None)
    if None not in (scored, predictions_sha256) and str(scored) != predictions_sha256:
        raise InputError(f"{path}: is of other predictions than results.json; {SCORE_AGAIN}")
    expected = {
        f"{side}/{name}": (value, of_side["num"])
        for side, of_side in means.items()
        for name, value in of_side.items()
    }
    for name in found.keys() - {"ids"}:
        _check_score(f"{path}: '{name}'", found, name, expected)
    return found


def _check_score(
    where: str,
    found: Mapping[str, np.ndarray],
    name: str,
    expected: Mapping[str, tuple[float, float]],
) -> None:
    """InputError unless ``found[name]`` has the mean and number of documents in ``expected``."""
    if name not in expected:
        raise InputError(f"{where} is no score of the results.json beside it; {SCORE_AGAIN}")
    values, (mean, num) = found[name], expected[name]
    if not values.shape == found["ids"].shape == (num,):
        raise InputError(
            f"{where}: expected a value for each of the {num:,} documents of results.json, found "
            f"{values.size:,} values for {found['ids'].size:,} ids; {SCORE_AGAIN}"
        )
    if values.dtype != np.float64 or not np.isfinite(values).all():
        raise InputError(f"{where}: expected finite float64 numbers; {SCORE_AGAIN}")
    if abs(values.mean() - mean) > 1e-9 * max(1, abs(mean)):
        found_mean = f"its mean is {values.mean():.12g}, that in results.json is {mean:.12g}"
        raise InputError(f"{where}: {found_mean}; {SCORE_AGAIN}")
