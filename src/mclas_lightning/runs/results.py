"""``results.json``: what one run scored, with all that is needed to read it alone.

    {"format": 2,
     "dataset": "toy_en2de", "scenario": "minimum", "model": "mclas", "seed": 0,
     "languages": {"source": "en", "target": "de"},
     "scores": {"cross": {"rouge1_f": 0.31, ..., "num": 100}, "mono": {...}},
     "signatures": {"cross": {"rouge": "rouge|profile:standard|lang:de|...", ...}, "mono": {...}},
     "decoding": {...}, "provenance": {...}}

``scores`` and ``signatures`` hold the sides that the model writes. A side's scores are those of
``metrics.score``; the table needs ``TABLE_SCORES``. ``signatures`` has one for each of ``FAMILIES``
that there are scores of. Tables are drawn from these files, and what each document scored, in
``scores.npz`` beside them, alone; so an outside system enters one by writing such a file to
``<dataset>/<scenario>/<model>/seed=<n>/``.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from mclas_lightning.errors import InputError, one_of
from mclas_lightning.example import SIDES, Side
from mclas_lightning.files import read_json, write_json

if TYPE_CHECKING:
    import numpy as np

FORMAT = 2

SEED = re.compile(r"seed=\d+")

SCENARIOS = ("minimum", "medium", "maximum", "full")

MODELS = {
    "ms": "MS",
    "mt": "MT, of reference summaries",
    "ncls": "NCLS",
    "ncls_ms": "NCLS+MS",
    "mclas": "MCLAS",
    "ncls_scratch": "NCLS, from scratch",
    "ncls_ms_scratch": "NCLS+MS, from scratch",
    "mclas_scratch": "MCLAS, from scratch",
    "ncls_ms_half": "NCLS+MS, half initialized",
    "tltran": "TLTran",
    "tetran": "TETran",
}

TABLE_SCORES = (
    *("rouge1_f", "rouge2_f", "rougeL_f", "length", "reference_length"),
    *("wrong_language", "reference_wrong_language", "num"),
)

# What has a signature of its own; the names of its scores begin so.
FAMILIES = ("rouge", "folded_rouge", "paper_rouge", "bertscore", "similarity")


@dataclass(frozen=True, kw_only=True)
class Results:
    """The scores of one run; ``folder`` is where they were read from."""

    dataset: str
    scenario: str
    model: str
    seed: int
    languages: dict[str, str | None]  # no target in a monolingual corpus
    scores: dict[Side, dict[str, float]]
    signatures: dict[Side, dict[str, str]]  # by family
    decoding: dict[str, Any]
    provenance: dict[str, Any]
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            if name not in self.languages:
                raise InputError(f"'languages' lacks '{name}'")
        for side, scores in self.scores.items():
            if side not in SIDES:
                raise one_of("side", side, SIDES)
            if side not in self.signatures:
                raise InputError(f"'signatures' lacks '{side}'")
            _check_scores(side, scores)
            _check_signatures(side, self.signatures[side], scores)

    @property
    def name(self) -> str:
        """The model's name in a table."""
        return MODELS.get(self.model, self.model)

    @property
    def split(self) -> str:
        """What was summarized: the test set, unless ``provenance`` says otherwise."""
        return self.provenance.get("split", "test")

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """How the run was trained (``mclas_lightning.runs.recipe``); empty where nothing says it.

        Files that were written before ``provenance`` had it lie beside a config.yaml, which has it.
        """
        if "recipe" in self.provenance or self.folder is None:
            return self.provenance.get("recipe", {})
        from mclas_lightning.runs.identity import read_config  # omegaconf: not in every table
        from mclas_lightning.runs.recipe import recipe

        try:
            return recipe(read_config(self.folder))
        except InputError:
            return {}

    def metrics(self) -> dict[str, float]:
        """The scores under the names that loggers use, such as ``test/cross/rouge1_f``."""
        return {
            f"{self.split}/{side}/{name}": value
            for side, scores in self.scores.items()
            for name, value in scores.items()
        }

    def language(self, side: Side) -> str:
        """The language that the summaries of ``side`` are in."""
        return self.languages["source" if side == "mono" else "target"] or ""

    def documents(self, names: Sequence[str] | None = None) -> "dict[str, np.ndarray]":
        """What each test document scored: ``{"ids": ..., "cross/rouge1_f": ..., ...}``.

        Empty where there is no ``scores.npz``. With ``names``, of these only those that it has,
        which is faster; InputError where it does not fit this.
        """
        path = self.folder / "scores.npz" if self.folder else None
        if path is None or not path.exists():
            return {}
        from mclas_lightning.runs.documents import read_documents  # numpy: not in every table

        scored = self.provenance.get("predictions_sha256")
        return read_documents(path, self.scores, names, scored)

    def write(self, path: Path) -> None:
        """Write this as ``path``, whole or not at all."""
        write_json(path, {"format": FORMAT} | {name: getattr(self, name) for name in KEYS})

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read a ``results.json``; InputError where it is not one of this format."""
        record = read_json(path, dict)
        if record.get("format") != FORMAT:
            raise InputError(
                f"{path}: expected format {FORMAT}, found {record.get('format')!r}; score the run "
                f"again: mclas-evaluate with the words that it was trained with"
            )
        for name, kind in KEYS.items():
            if type(record.get(name)) is not kind:
                state = "has the wrong type" if name in record else "is missing"
                raise InputError(f"{path}: '{name}' {state}; expected {kind.__name__}")
        try:
            return cls(**{name: record[name] for name in KEYS}, folder=path.parent)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def headline(results: Results) -> str:
    """The main scores in a line: of the cross summaries, or of the only ones there are."""
    side: Side = "cross" if "cross" in results.scores else "mono"
    scores = results.scores[side]
    rouge = ", ".join(f"ROUGE-{n} {100 * scores[f'rouge{n}_f']:.2f}" for n in ("1", "2", "L"))
    more = f", BERTScore {scores['bertscore_f']:.4f}" if "bertscore_f" in scores else ""
    number = f"{scores['num']:,}"
    return f"{side} summaries ({results.language(side)}) of {number} documents: {rouge}{more}"


# The fields in the file, in order, with the JSON type of each.
KEYS: dict[str, Any] = {
    f.name: get_origin(f.type) or f.type for f in fields(Results) if f.name != "folder"
}


def find(
    runs: Path, dataset: str | None = None, scenario: str | None = None, model: str | None = None
) -> list[Results]:
    """The results under ``runs``, by dataset, scenario, model and seed, in the tables' order.

    InputError where one cannot be read. A folder that is called otherwise than ``seed=<n>``, such
    as a copy of a run, is none of a run.
    """
    paths = files(runs, dataset, scenario, model)
    own = [path for path in paths if SEED.fullmatch(path.parent.name)]
    return sorted(map(read_in_place, own), key=order)


def files(
    runs: Path, dataset: str | None = None, scenario: str | None = None, model: str | None = None
) -> list[Path]:
    """The ``results.json`` at the places of runs; nothing is read."""
    folders = ["*" if name is None else escape(name) for name in (dataset, scenario, model)]
    return [*runs.glob("/".join([*folders, "seed=*", "results.json"]))]


def read_in_place(path: Path) -> Results:
    """Read ``path``, whose folders must say what it says: a run's place is its identity."""
    found = Results.read(path)
    place = Path(found.dataset, found.scenario, found.model, f"seed={found.seed}", path.name)
    if path.parts[-5:] != place.parts:
        raise InputError(f"{path}: this file belongs at {place} by what it says")
    return found


def order(results: Results) -> tuple[Any, ...]:
    """What sorts results as the tables have them."""
    return (
        results.dataset,
        *_rank(results.scenario, SCENARIOS),
        *_rank(results.model, tuple(MODELS)),
        results.seed,
    )


def _rank(name: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _check_scores(side: Side, scores: Any) -> None:
    if not isinstance(scores, dict):
        raise InputError(f"'scores.{side}' must be an object, found {scores!r}")
    if missing := sorted(set(TABLE_SCORES) - set(scores)):
        raise InputError(f"'scores.{side}' lacks {', '.join(missing)}")
    for key, value in scores.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"'scores.{side}.{key}' must be a finite number, found {value!r}")


def _check_signatures(side: Side, signatures: Any, scores: Mapping[str, float]) -> None:
    if not isinstance(signatures, dict):
        raise InputError(f"'signatures.{side}' must be an object, found {signatures!r}")
    for family in sorted({*signatures, *FAMILIES}):
        signed, scored = family in signatures, any(name.startswith(family) for name in scores)
        if scored and not signed:
            raise InputError(f"'signatures.{side}' lacks '{family}', of which there are scores")
        if signed and not scored:
            raise InputError(f"'signatures.{side}' has '{family}', of which there are no scores")
