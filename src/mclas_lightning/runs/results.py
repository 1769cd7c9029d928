"""``results.json``: the scores of one run, with the settings and hashes they depend on.

    {"format": 2,
     "dataset": "toy_en2de", "scenario": "minimum", "model": "mclas", "seed": 0,
     "languages": {"source": "en", "target": "de"},
     "scores": {"cross": {"rouge1_f": 0.31, ..., "num": 100}, "mono": {...}},
     "signatures": {"cross": {"rouge": "rouge|profile:standard|lang:de|...", ...}, "mono": {...}},
     "decoding": {...}, "provenance": {...}, "content_sha256": "9f2c..."}

``scores`` and ``signatures`` hold the sides that the model writes. A side's scores are means over
documents, from 0 to 1 (lengths in words or characters); ``metrics.score`` lists them, and tables
need those that ``runs.score_checks`` lists. ``signatures`` holds one signature for each family of
scores. Tables read only this file and ``scores.npz`` beside it: an outside system enters them by
such files in ``<dataset>/<scenario>/<model>/seed=<n>/``. ``content_sha256``, which these files may
lack, is the hash of all else: ``mclas verify`` finds a file that was edited.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.example import SIDES, Side
from mclas_lightning.files import read_json, read_versioned, write_json
from mclas_lightning.runs.score_checks import check_provenance, check_scores, check_signatures
from mclas_lightning.task import MODELS, system_name

if TYPE_CHECKING:
    import numpy as np

RESULTS_FORMAT = 2

CONTENT = "content_sha256"

SEED_FOLDER = re.compile(r"seed=\d+")

SCENARIOS = ("minimum", "medium", "maximum", "full")

# What version 0.1.0 did, whose configurations do not say it.
UNSAID = {"optim.monitor": "joint"}


@dataclass(frozen=True, kw_only=True)
class Results:
    """The content of a ``results.json``; InputError for missing or impossible values.

    ``folder`` is the one that the file was read from.
    """

    dataset: str
    scenario: str
    model: str
    seed: int
    languages: dict[str, str | None]  # source and target; a monolingual corpus has no target
    scores: dict[Side, dict[str, float]]
    signatures: dict[Side, dict[str, str]]  # by family
    decoding: dict[str, Any]
    provenance: dict[str, Any]
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            if name not in self.languages:
                raise InputError(f"'languages' lacks '{name}'")
            if not isinstance(code := self.languages[name], str | None):
                raise InputError(f"'languages.{name}' must be a text or null, found {code!r}")
        for side, scores in self.scores.items():
            if side not in SIDES:
                raise unknown_choice("side", side, SIDES)
            if side not in self.signatures:
                raise InputError(f"'signatures' lacks '{side}'")
            check_scores(side, scores)
            check_signatures(side, self.signatures[side], scores, self.language(side))
        check_provenance(self.provenance)

    @property
    def name(self) -> str:
        """The model's name in a table."""
        return system_name(self.model)

    @property
    def split(self) -> str:
        """The split that was summarized; "test" where ``provenance`` names none."""
        return self.provenance.get("split", "test")

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The recipe of the run's training (``mclas_lightning.runs.recipe``), by flat keys.

        The recipe of an older file is in the config.yaml beside it; an outside system has none.
        """
        found = self.provenance.get("recipe", {})
        if "recipe" not in self.provenance and self.config is not None:
            from mclas_lightning.runs.recipe import recipe

            found = recipe(self.config)
        return {**UNSAID, **found} if "optim.batch_unit" in found else found

    @cached_property
    def config(self) -> dict[str, Any] | None:
        """The configuration in the config.yaml beside the file; None where it cannot be read."""
        # identity imports this module.
        from mclas_lightning.runs.identity import read_config

        with suppress(InputError):
            return read_config(self.folder) if self.folder else None

    def metrics(self) -> dict[str, float]:
        """The scores under the names that loggers use, such as ``test/cross/rouge1_f``."""
        return {
            f"{self.split}/{side}/{name}": value
            for side, scores in self.scores.items()
            for name, value in scores.items()
        }

    def language(self, side: Side) -> str:
        """The language code of the summaries of ``side``; empty where the file names none."""
        return self.languages["source" if side == "mono" else "target"] or ""

    def documents(self, names: Sequence[str] | None = None) -> "dict[str, np.ndarray]":
        """The arrays ``[documents]`` of ``scores.npz``, such as ``ids`` and ``cross/rouge1_f``.

        The result is empty without a ``scores.npz``. ``names`` limits the arrays, which is faster.
        InputError where the file does not belong to this results.json.
        """
        path = self.folder / "scores.npz" if self.folder else None
        if path is None or not path.exists():
            return {}
        # numpy takes long to import, and not every table needs it.
        from mclas_lightning.runs.documents import read_document_scores

        scored = self.provenance.get("predictions_sha256")
        return read_document_scores(path, self.scores, names, scored)

    def write(self, path: Path) -> None:
        """Write a results.json as ``path``, whole or not at all."""
        content = {name: getattr(self, name) for name in FILE_FIELDS}
        record = {"format": RESULTS_FORMAT, **content}
        write_json(path, {**record, CONTENT: content_sha256(record)})

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read a ``results.json``; InputError where it is unreadable or has another format."""
        folder, advice = path.parent, "; another version wrote it"
        again = "; score the run again: mclas-evaluate RUN"  # An outside system cannot.
        try:
            return read_versioned(path, RESULTS_FORMAT, partial(_from_record, folder), advice)
        except InputError as error:
            raise InputError(f"{error}{again * (folder / 'config.yaml').exists()}") from None


def _from_record(folder: Path, record: Mapping[str, Any]) -> Results:
    for name, kind in FILE_FIELDS.items():
        if type(record.get(name)) is not kind:
            state = "has the wrong type" if name in record else "is missing"
            raise InputError(f"'{name}' {state}; expected {kind.__name__}")
    return Results(**{name: record[name] for name in FILE_FIELDS}, folder=folder)


def content_fits(record: Mapping[str, Any]) -> bool | None:
    """Whether a results.json is as it was written; None where it has no hash of its content."""
    return record[CONTENT] == content_sha256(record) if CONTENT in record else None


def read_unedited(path: Path) -> Results:
    """Read a ``results.json``; InputError where it was edited after it was written, too."""
    found = Results.read(path)
    if content_fits(read_json(path, dict)) is False:
        raise InputError(
            f"{path}: was edited after it was written, and what is made of it would hide that; "
            "put the file back as it was, or decode again: mclas-evaluate RUN"
        )
    return found


def content_sha256(record: Mapping[str, Any]) -> str:
    """The SHA-256 of all values of a results.json but for this one, in any order and layout."""
    rest = {name: value for name, value in record.items() if name != CONTENT}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


# The fields in the file, in order, with the JSON type of each.
FILE_FIELDS: dict[str, Any] = {
    f.name: get_origin(f.type) or f.type for f in fields(Results) if f.name != "folder"
}


def find_results(
    runs: Path, dataset: str | None = None, scenario: str | None = None, model: str | None = None
) -> list[Results]:
    """The results of a dataset, scenario and model (None: of all) under ``runs``, in tables' order.

    Folders with other names than ``seed=<n>``, such as copies of a run, are passed over. InputError
    for a file that cannot be read.
    """
    paths = results_paths(runs, dataset, scenario, model)
    own = [path for path in paths if SEED_FOLDER.fullmatch(path.parent.name)]
    return sorted(map(read_in_place, own), key=table_order)


def results_paths(
    runs: Path, dataset: str | None = None, scenario: str | None = None, model: str | None = None
) -> list[Path]:
    """The ``results.json`` files of a dataset, scenario and model (None: of all), unread."""
    names = (dataset, scenario, model)
    if any(name is not None and (not name or "/" in name) for name in names):
        return []  # No run has such a name.
    folders = ["*" if name is None else escape(name) for name in names]
    return [*runs.glob("/".join([*folders, "seed=*", "results.json"]))]


def read_in_place(path: Path) -> Results:
    """Read ``path``; InputError unless its folders are named as the dataset, ..., seed in it."""
    found = Results.read(path)
    place = Path(found.dataset, found.scenario, found.model, f"seed={found.seed}", path.name)
    if path.parts[-5:] != place.parts:
        raise InputError(f"{path}: this file belongs at {place} by what it says")
    return found


def table_order(results: Results) -> tuple[Any, ...]:
    """The sort key of tables: by dataset, then in the paper's order of scenarios and models."""
    return (
        results.dataset,
        *_rank(results.scenario, SCENARIOS),
        *_rank(results.model, tuple(MODELS)),
        results.seed,
    )


def _rank(name: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)
