"""``predictions.jsonl`` beside ``results.json``: a run's summaries of each test document.

Each line holds one document, the summaries of the sides that the model writes, and their
references:

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
from mclas_lightning.example import SIDES, Side, record_id
from mclas_lightning.files import json_lines
from mclas_lightning.runs.results import Results

PREDICTIONS = "predictions.jsonl"

EVALUATE_AGAIN = "write it again with mclas-evaluate RUN"

ONE_TEST_SET = "score both again on the same test set with mclas-evaluate"


@dataclass(frozen=True)
class Prediction:
    """One system's summaries of one document, with the references."""

    id: str
    document: str
    hypotheses: dict[Side, str]
    references: dict[Side, str]


class ComparablePredictions(NamedTuple):
    """The predictions of several systems on one test set."""

    systems: dict[str, dict[str, Prediction]]  # by the system's name and the document's id
    aside: list[str]  # for each system that was left out, the reason


def comparable_predictions(runs: Mapping[str, Results]) -> ComparablePredictions:
    """The predictions of those ``runs`` (by name) that may be shown beside each other.

    A run is set aside where its predictions cannot be read, are not those that were scored, or are
    of another test set than most runs'. Documents are the same if id, text and references are.
    """
    read_of: dict[str, dict[str, Prediction]] = {}
    aside: list[str] = []
    for name, run in runs.items():
        try:
            read_of[name] = read_predictions(run)
        except InputError as error:
            aside.append(str(error))
    wrong = _of_another_test_set({name: runs[name] for name in read_of})
    seen: dict[str, tuple[str, Prediction]] = {}
    for name, predictions in read_of.items():
        if name not in wrong and (reason := _conflict(name, predictions, seen)):
            wrong[name] = reason
    kept = {name: found for name, found in read_of.items() if name not in wrong}
    return ComparablePredictions(kept, [*aside, *wrong.values()])


def read_predictions(run: Results) -> dict[str, Prediction]:
    """The run's predictions by the document's id.

    InputError for a broken line, with its number; for a file that results.json was not scored from;
    and for missing summaries or references.
    """
    path = predictions_path(run)
    try:
        written = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {EVALUATE_AGAIN}") from error
    check_scored(run, hashlib.sha256(written).hexdigest())
    lines = [_parse(line, f"{path}:{n}") for n, line in json_lines(BytesIO(written))]
    found = {prediction.id: prediction for prediction in lines}
    if len(found) < len(lines):
        ids = Counter(prediction.id for prediction in lines)
        raise InputError(f"{path}: id '{ids.most_common(1)[0][0]}' is used more than once")
    _check_sides(run, path, lines)
    return found


def check_scored(run: Results, predictions_sha256: str) -> None:
    """InputError where results.json was scored from predictions of another hash."""
    kept = run.provenance.get("predictions_sha256")  # absent in results of an outside system
    if kept not in (None, predictions_sha256):
        raise InputError(
            f"{predictions_path(run)}: is not the file that results.json was scored from; "
            f"{EVALUATE_AGAIN}"
        )


def _check_sides(run: Results, path: Path, found: Sequence[Prediction]) -> None:
    """InputError where a prediction lacks the summary or reference of a scored side."""
    for side, scores in run.scores.items():
        full = [
            p for p in found if isinstance(p.hypotheses.get(side), str) and side in p.references
        ]
        if not len(full) == len(found) == scores["num"]:
            raise InputError(
                f"{path}: expected {side} summaries and references of {scores['num']:,} documents, "
                f"as results.json; found {len(full):,} of {len(found):,}; {EVALUATE_AGAIN}"
            )


def _of_another_test_set(runs: Mapping[str, Results]) -> dict[str, str]:
    """The runs whose results name another test set than most runs' do, each with this reason."""
    named = {name: run.provenance.get(f"{run.split}_sha256") for name, run in runs.items()}
    counted = Counter(sha for sha in named.values() if sha is not None)
    if len(counted) < 2:
        return {}
    usual = counted.most_common(1)[0][0]
    first = next(name for name, sha in named.items() if sha == usual)
    return {
        name: f"{runs[name].folder}: was scored on another test set than {first}; {ONE_TEST_SET}"
        for name, sha in named.items()
        if sha not in (None, usual)
    }


def _conflict(
    name: str, predictions: Mapping[str, Prediction], seen: dict[str, tuple[str, Prediction]]
) -> str | None:
    """The first document whose text or reference differs from that in ``seen``, as a sentence.

    Without such a document, the predictions are added to ``seen``: for each id, the first system
    that has it, and all known references.
    """
    for id, new in predictions.items():
        first, old = seen.get(id, (name, new))
        common = old.references.keys() & new.references.keys()
        same = all(old.references[side] == new.references[side] for side in common)
        if not same or old.document != new.document:
            where = f"document '{id}' or its reference differs between {first} and {name}"
            return f"{where}; {ONE_TEST_SET}"
    for id, new in predictions.items():
        first, old = seen.get(id, (name, new))
        seen[id] = first, replace(old, references=old.references | new.references)
    return None


def predictions_path(run: Results) -> Path:
    """The path of a run's predictions; InputError for results without a folder."""
    if run.folder is None:
        raise InputError(f"these results of {run.name} were not read from a run's folder")
    return run.folder / PREDICTIONS


def shared_documents(written: Mapping[str, Mapping[str, Prediction]], seed: int) -> list[str]:
    """The ids of documents that all systems have, in an order that only ids and ``seed`` decide.

    InputError where the systems share no document.
    """
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
        id = record_id(record)
        "".join((id, *texts)).encode()
        return Prediction(id, record["document"], hypotheses, references)
    except UnicodeEncodeError:
        raise InputError(f"{where}: a text holds half a character (a lone surrogate)") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}: not a line of predictions ({error!r})") from error
