"""``predictions.jsonl``, beside each ``results.json``: what a run wrote for each test document.

One line per document, with the sides that the model writes and the references of those sides:

    {"id": str, "document": str,
     "hypotheses": {"mono": str, "cross": str}, "references": {"mono": str, "cross": str}}
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from mclas_lightning.errors import InputError
from mclas_lightning.example import SIDES, Side, id_of
from mclas_lightning.files import json_lines
from mclas_lightning.runs.results import Results

PREDICTIONS = "predictions.jsonl"

AGAIN = "write it again with mclas-evaluate RUN"

SAME = "score both again on the same test set with mclas-evaluate"


@dataclass(frozen=True)
class Prediction:
    """What one system wrote for one document, and what it should have written."""

    id: str
    document: str
    hypotheses: dict[Side, str]
    references: dict[Side, str]


class Written(NamedTuple):
    """What several systems wrote for the documents of one test set, by system and document."""

    systems: dict[str, dict[str, Prediction]]
    aside: list[str]  # why others are not among them


def of_one_test_set(runs: Mapping[str, Results]) -> Written:
    """The predictions of all ``runs``, by their names, that can be shown beside each other.

    Set aside is a run without predictions, with others than it was scored from, or of another test
    set than most: ids alone do not make two documents the same.
    """
    read_of: dict[str, dict[str, Prediction]] = {}
    aside: list[str] = []
    for name, run in runs.items():
        try:
            read_of[name] = read(run)
        except InputError as error:
            aside.append(str(error))
    wrong = _of_another_test_set({name: runs[name] for name in read_of})
    seen: dict[str, tuple[str, Prediction]] = {}
    for name, predictions in read_of.items():
        if name not in wrong and (reason := _differs(name, predictions, seen)):
            wrong[name] = reason
    kept = {name: found for name, found in read_of.items() if name not in wrong}
    return Written(kept, [*aside, *wrong.values()])


def read(run: Results) -> dict[str, Prediction]:
    """What a run wrote, by document: the one reader of predictions.

    InputError, with file and line, for a broken line, and where this is not what the run's results
    were scored from.
    """
    path = place(run)
    try:
        written = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    kept = run.provenance.get("predictions_sha256")  # An outside system need not say it.
    if kept is not None and hashlib.sha256(written).hexdigest() != kept:
        raise InputError(f"{path}: is not the file that results.json was scored from; {AGAIN}")
    lines = [_parse(line, f"{path}:{n}") for n, line in json_lines(BytesIO(written))]
    found = {prediction.id: prediction for prediction in lines}
    if len(found) < len(lines):
        ids = Counter(prediction.id for prediction in lines)
        raise InputError(f"{path}: id '{ids.most_common(1)[0][0]}' is used more than once")
    _check_whole(run, path, lines)
    return found


def _check_whole(run: Results, path: Path, found: Sequence[Prediction]) -> None:
    """InputError where summaries or references of a side that was scored are missing."""
    for side, scores in run.scores.items():
        full = [
            p for p in found if isinstance(p.hypotheses.get(side), str) and side in p.references
        ]
        if not len(full) == len(found) == scores["num"]:
            raise InputError(
                f"{path}: expected {side} summaries and references of {scores['num']:,} documents, "
                f"as results.json; found {len(full):,} of {len(found):,}; {AGAIN}"
            )


def _of_another_test_set(runs: Mapping[str, Results]) -> dict[str, str]:
    """Why some runs cannot stand beside the others: their results name another test set."""
    named = {name: run.provenance.get(f"{run.split}_sha256") for name, run in runs.items()}
    counted = Counter(sha for sha in named.values() if sha is not None)
    if len(counted) < 2:
        return {}
    usual = counted.most_common(1)[0][0]
    first = next(name for name, sha in named.items() if sha == usual)
    return {
        name: f"{runs[name].folder}: was scored on another test set than {first}; {SAME}"
        for name, sha in named.items()
        if sha not in (None, usual)
    }


def _differs(
    name: str, predictions: Mapping[str, Prediction], seen: dict[str, tuple[str, Prediction]]
) -> str | None:
    """Where a document or reference is another one than in ``seen``, to which they are added."""
    for id, new in predictions.items():
        first, old = seen.get(id, (name, new))
        common = old.references.keys() & new.references.keys()
        same = all(old.references[side] == new.references[side] for side in common)
        if not same or old.document != new.document:
            return f"document '{id}' or its reference differs between {first} and {name}; {SAME}"
    for id, new in predictions.items():
        first, old = seen.get(id, (name, new))
        seen[id] = first, replace(old, references=old.references | new.references)
    return None


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
        texts = [record["document"], *hypotheses.values(), *references.values()]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is no string")
        return Prediction(id_of(record), record["document"], hypotheses, references)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{where}: not a line of predictions ({error!r})") from error
