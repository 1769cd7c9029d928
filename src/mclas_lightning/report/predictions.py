"""``predictions.jsonl``, beside each ``results.json``: what a run wrote for each test document.

One line per document, with the sides that the model writes and the references of those sides:

    {"id": str, "document": str,
     "hypotheses": {"mono": str, "cross": str}, "references": {"mono": str, "cross": str}}
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mclas_lightning.data.example import SIDES, Side, id_of
from mclas_lightning.errors import InputError
from mclas_lightning.files import json_lines
from mclas_lightning.report.results import Results

PREDICTIONS = "predictions.jsonl"


@dataclass(frozen=True)
class Prediction:
    """What one system wrote for one document, and what it should have written."""

    id: str
    document: str
    hypotheses: dict[Side, str]
    references: dict[Side, str]


def read(run: Results) -> dict[str, Prediction]:
    """The predictions of a run by document; InputError, with file and line, for a broken one."""
    path = place(run)
    try:
        with path.open("rb") as file:
            lines = [_parse(line, f"{path}:{n}") for n, line in json_lines(file)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    return {prediction.id: prediction for prediction in lines}


def place(run: Results) -> Path:
    """Where the predictions of a run lie."""
    if run.folder is None:
        raise InputError(f"these results of {run.name} were not read from a run's folder")
    return run.folder / PREDICTIONS


def shared(written: Mapping[str, Mapping[str, Prediction]], seed: int) -> list[str]:
    """The documents that all systems have, in an order that depends on ids and ``seed`` alone."""
    ids = set.intersection(*(set(predictions) for predictions in written.values()))
    if not ids:
        raise InputError(f"no document is shared by the predictions of {', '.join(written)}")
    return sorted(ids, key=lambda id: hashlib.sha256(f"{seed}:{id}".encode()).digest())


def _parse(line: bytes, where: str) -> Prediction:
    try:
        record = json.loads(line.decode("utf-8"))
        hypotheses, references = dict(record["hypotheses"]), dict(record["references"])
        if unknown := {*hypotheses, *references} - set(SIDES):
            raise ValueError(f"no side is called {min(unknown)}")
        return Prediction(id_of(record), record["document"], hypotheses, references)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: not a line of predictions ({error!r})") from error
