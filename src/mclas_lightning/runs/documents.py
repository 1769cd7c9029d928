"""``scores.npz`` beside ``results.json``: what each test document scored.

One float64 array a score, named ``<side>/<score>`` (``cross/rouge1_f``), and ``ids``, in the order
of ``predictions.jsonl``, whose hash is ``predictions_sha256``. Systems are compared document by
document from these.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.files import whole_path

DOCUMENT_SCORES = "scores.npz"

PREDICTIONS_HASH = "predictions_sha256"

REDO = "score the run again with mclas-evaluate"


def write_documents(
    path: Path,
    ids: Sequence[str],
    sides: Mapping[str, Mapping[str, np.ndarray]],
    predictions_sha256: str | None = None,
) -> None:
    """Write each side's scores of the documents ``ids`` as ``path``, whole or not at all.

    The hash of the predictions that were scored ties the file to the results.json beside it.
    """
    arrays: dict[str, np.ndarray] = {}
    if predictions_sha256 is not None:
        arrays[PREDICTIONS_HASH] = np.array(predictions_sha256)
    arrays |= {f"{side}/{name}": a for side, scores in sides.items() for name, a in scores.items()}
    with whole_path(path) as part, part.open("wb") as file:
        np.savez(file, **{"ids": np.array(ids, dtype=np.str_), **arrays})


def read_documents(
    path: Path,
    means: Mapping[Side, Mapping[str, float]],
    names: Sequence[str] | None = None,
    predictions_sha256: str | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of ``path``, or of it those ``names`` that it has and ``ids``.

    ``means`` are each side's in results.json, which was scored from the predictions of this hash;
    InputError where the arrays are not theirs.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = file.files if names is None else ["ids", PREDICTIONS_HASH, *names]
            found = {name: file[name] for name in wanted if name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error}); {REDO}") from error
    if "ids" not in found:
        raise InputError(f"{path}: lacks 'ids'; {REDO}")
    scored = found.pop(PREDICTIONS_HASH, None)
    if None not in (scored, predictions_sha256) and str(scored) != predictions_sha256:
        raise InputError(f"{path}: is of other predictions than results.json; {REDO}")
    expected = {
        f"{side}/{name}": (value, of_side["num"])
        for side, of_side in means.items()
        for name, value in of_side.items()
    }
    for name in found.keys() - {"ids"}:
        _check(f"{path}: '{name}'", found, name, expected)
    return found


def _check(
    where: str,
    found: Mapping[str, np.ndarray],
    name: str,
    expected: Mapping[str, tuple[float, float]],
) -> None:
    """InputError where the array is not of the score and documents of results.json."""
    if name not in expected:
        raise InputError(f"{where} is no score of the results.json beside it; {REDO}")
    values, (mean, num) = found[name], expected[name]
    if not values.shape == found["ids"].shape == (num,):
        raise InputError(
            f"{where}: expected a value for each of the {num:,} documents of results.json, found "
            f"{values.size:,} values for {found['ids'].size:,} ids; {REDO}"
        )
    if values.dtype != np.float64 or not np.isfinite(values).all():
        raise InputError(f"{where}: expected finite float64 numbers; {REDO}")
    if abs(values.mean() - mean) > 1e-9 * max(1, abs(mean)):
        raise InputError(
            f"{where}: its mean is {values.mean():.6g}, that in results.json is {mean:.6g}; {REDO}"
        )
