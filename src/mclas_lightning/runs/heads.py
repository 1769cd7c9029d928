"""``heads.json`` of a run: what its attention heads do, and ``heads.npz`` with some of their maps.

    {"format": 2, "run": {"dataset": ..., "scenario": ..., "model": ..., "seed": 0},
     "thresholds": {"self": {"translation": 0.2, ...}, "cross": {...}},
     "decoders": {"decoder": {"gold": {"self": {"translation": SCORE, ...}, "cross": {...}},
                              "own": {...}}},
     "alignment": {"best head": 0.2, "through the document": 0.2, "diagonal": 0.5,
                   "random": 0.9, "model 1": 0.1},
     "ablation": {"decoder": {"num": 100, "loss": {"mono": 1.5, "cross": 2.0},
                              "rouge1": {"mono": 0.5, "cross": 0.4},
                              "change": {"zero": {"self": {"loss": {"mono": [layers][heads], ...},
                                                           "rouge1": ...}, "cross": ...},
                                         "mean": {"self": {"loss": ...}, ...}}}},
     "shown": [{"id": ..., "decoder": ..., "target": [words], "target_sides": [0 or 1, ...],
                "source": [words], "links": [[j, i], ...]}, ...],
     "notes": [...]}

A SCORE holds the number ``num`` of documents that have the score, and lists ``[layers][heads]``:
the ``mean`` over documents, ``low`` and ``high`` of its 95 % interval, and the ``share`` of
documents that reach the threshold. ``gold`` is of reference summaries, ``own`` of the run's.
``links`` are of places in ``target``. ``heads.npz`` holds ``<place in shown>/self`` and ``/cross``,
``[layers, heads, words, words]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_versioned, whole_path, write_json
from mclas_lightning.runs.arrays import read_arrays
from mclas_lightning.schema import typed

HEADS, HEAD_MAPS = "heads.json", "heads.npz"

HEADS_FORMAT = 2

AHEAD = "_ahead"  # ends the name of a score of the row that predicts a word, not the word's own

ATTENTIONS = ("self", "cross")

SCORE_KEYS = ("mean", "low", "high", "share")

# What is measured where a head is silenced, by what its output is replaced with.
MEASURED = {"zero": ("loss", "rouge1"), "mean": ("loss",)}


class ShownMaps(NamedTuple):
    """The attention of one document between its words, and what ``shown`` says of it."""

    of: dict[str, Any]
    self_LHWW: np.ndarray
    cross_LHWV: np.ndarray


class Strongest(NamedTuple):
    """The head, from 0, with the highest score of a kind; ``ahead`` is 1 for the row before."""

    layer: int
    head: int
    ahead: int
    score: float


def strongest(scores: Mapping[str, Any], kind: str) -> Strongest:
    """The strongest head of a kind in the ``scores`` of an attention, which have the kind."""
    values = np.stack([scores[name]["mean"] for name in (kind, kind + AHEAD) if name in scores])
    ahead, layer, head = map(int, np.unravel_index(values.argmax(), values.shape))
    return Strongest(layer, head, ahead, float(values.max()))


def _check_scores(name: str, kinds: Mapping[str, Any]) -> None:
    """InputError unless scores of an attention have four lists, of one size."""
    try:
        shapes = {
            np.array(score[key], dtype=float).shape
            for score in kinds.values()
            for key in SCORE_KEYS
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"decoders.{name}: is no score ({error!r})") from None
    if len(shapes) > 1 or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise InputError(f"decoders.{name}: expected lists [layers][heads] of one size")


@dataclass(frozen=True, kw_only=True)
class HeadsResults:
    """The content of ``heads.json``."""

    run: dict[str, Any]
    thresholds: dict[str, dict[str, float]]
    decoders: dict[str, dict[str, dict[str, dict[str, dict[str, Any]]]]]
    alignment: dict[str, float] = field(default_factory=dict)
    ablation: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """InputError for what tables, pictures and pages would stumble over."""
        for key in ("dataset", "scenario", "model", "seed"):
            if key not in self.run:
                raise InputError(f"run.{key}: is missing")
        if self.thresholds.keys() != set(ATTENTIONS) or not self.decoders:
            raise InputError("expected thresholds of self and cross, and the scores of a decoder")
        if not all(isinstance(entry.get("id"), str) for entry in self.shown):
            raise InputError("shown: expected an id of each document")
        for decoder, targets in self.decoders.items():
            for target, attentions in targets.items():
                for attention, kinds in attentions.items():
                    _check_scores(f"{decoder}.{target}.{attention}", kinds)

    @classmethod
    def read(cls, folder: Path) -> "HeadsResults":
        """The results in a run's folder; InputError, with the command to run, where none are."""
        path = folder / HEADS
        advice = "analyze the run with mclas heads RUN"
        if not path.exists():
            raise InputError(f"{path}: no such file; {advice}")

        def build(record: dict[str, Any]) -> HeadsResults:
            try:
                return typed("heads", cls, record)
            except InputError as error:
                raise InputError(f"not the result of an analysis ({error}); {advice}") from None

        return read_versioned(path, HEADS_FORMAT, build, f"; {advice}")

    def write(self, folder: Path, maps: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        """Write both files; ``maps`` are those of ``shown``."""
        arrays = {
            f"{place}/{name}": array.astype(np.float16)
            for place, both in enumerate(maps)
            for name, array in zip(ATTENTIONS, both, strict=True)
        }
        with whole_path(folder / HEAD_MAPS) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        write_json(folder / HEADS, {"format": HEADS_FORMAT, **asdict(self)})

    def scores(self, attention: str, target: str = "gold") -> dict[str, dict[str, Any]]:
        """The scores of the decoder that writes S^B last."""
        return [*self.decoders.values()][-1].get(target, {}).get(attention, {})

    @property
    def name(self) -> str:
        """The run's place below the folder of all runs."""
        place = "/".join(str(self.run[key]) for key in ("dataset", "scenario", "model"))
        return f"{place}/seed={self.run['seed']}"

    def of_decoders(self) -> list["HeadsResults"]:
        """The results of each decoder alone."""
        return [
            replace(
                self,
                decoders={name: scores},
                ablation={key: of for key, of in self.ablation.items() if key == name},
            )
            for name, scores in self.decoders.items()
        ]

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The documents in ``shown`` of the decoder that writes S^B last."""
        return [*{entry["id"]: entry for entry in self.shown}.values()]

    def strength(
        self, attention: str, kind: str, target: str = "gold", key: str = "mean"
    ) -> np.ndarray:
        """The scores of a kind, ``[layers, heads]``.

        Each is the higher one of a word's own row and of the row that predicts the word.
        """
        scores = self.scores(attention, target)
        names = [name for name in (kind, kind + AHEAD) if name in scores]
        return np.max([scores[name][key] for name in names], axis=0)

    def kinds(
        self, attention: str, target: str = "gold", key: str = "mean", factor: float = 1
    ) -> dict[str, np.ndarray]:
        """The heads ``[layers, heads]`` of each kind.

        A head is of a kind where the ``key`` of its score reaches ``factor`` times the threshold.
        """
        known = self.scores(attention, target)
        return {
            kind: self.strength(attention, kind, target, key) >= factor * threshold
            for kind, threshold in self.thresholds[attention].items()
            if kind in known
        }

    def maps(self, folder: Path, id: str | None = None) -> ShownMaps:
        """The maps of the document ``id``, or of the first; InputError for a document without."""
        places = {entry["id"]: place for place, entry in enumerate(self.shown)}
        ids = [*places]  # A later decoder's entry replaces an earlier one's.
        if id is not None and id not in ids:
            kept = ", ".join(ids) or "none"
            raise InputError(
                f"{folder / HEADS}: holds no attention of document '{id}', only of {kept}; keep it "
                f"with mclas heads RUN --id ID"
            )
        place = places[ids[0] if id is None else id]
        path = folder / HEAD_MAPS
        try:
            names = [f"{place}/{name}" for name in ATTENTIONS]
            arrays = read_arrays(path, names)
            found = [arrays[name].astype(np.float32) for name in names]
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error}); run mclas heads again") from error
        return ShownMaps(self.shown[place], *found)
