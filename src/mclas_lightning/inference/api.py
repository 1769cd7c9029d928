"""The Python interface to trained systems: ``Summarizer.load("runs/...")(["..."])``."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import DecodingConfig, PipelineConfig
from mclas_lightning.decoding.candidates import Candidate, Search
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.distributed import device_of
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.inference.export import find_run
from mclas_lightning.inference.trained import dataset_of, decoding_of, load_summarizer
from mclas_lightning.metrics.language import language_test
from mclas_lightning.runs.run import Run
from mclas_lightning.schema import typed
from mclas_lightning.task import Pipeline

if TYPE_CHECKING:
    from mclas_lightning.inference.pipeline import PipelineSummarizer

FIRST_TOGETHER, MOST_TOGETHER = 4, 512  # documents of a stream that are summarized together


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The best summaries of a document; None for a side that the system does not write."""

    candidates: tuple[Candidate, ...]  # best first
    notes: tuple[str, ...]  # what a reader should know of the document

    @property
    def mono(self) -> str | None:
        """S^A, the summary in the document's language."""
        return self.candidates[0].summaries.get("mono")

    @property
    def cross(self) -> str | None:
        """S^B, the summary in the other language."""
        return self.candidates[0].summaries.get("cross")

    @property
    def score(self) -> float:
        """The length-normalized log-probability of the best candidate."""
        return self.candidates[0].score


@dataclass(frozen=True, kw_only=True)
class Summarizer:
    """A trained system with the decoding that it was configured with."""

    system: "NetworkSummarizer | PipelineSummarizer"
    dataset: DatasetConfig
    decoding: DecodingConfig
    max_source: int

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that the system writes."""
        return tuple(self.system.writes)

    @classmethod
    def load(cls, name: str | Path, *, device: str = "auto") -> "Summarizer":
        """The system of a run's or an exported folder, or of a model on a hub.

        ``device`` is ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``. InputError where no
        system can be loaded from there.
        """
        run = find_run(name)
        if "copies" in run.config["model"]:
            raise InputError(f"{run}: is a baseline; it summarizes the examples of a corpus alone")
        return _pipeline(run, device) if "steps" in run.config["model"] else _trained(run, device)

    def __call__(
        self, texts: Sequence[str], *, n_best: int = 1, decoding: Mapping[str, Any] | None = None
    ) -> list[Summary]:
        """A summary of each text, with its ``n_best`` best candidates.

        ``decoding`` changes keys of the decoding: ``{"beam": 10, "max_length": 40}``. InputError
        for an empty text, or for a key or value that decoding does not have.
        """
        _check_several(texts)
        for number, text in enumerate(texts, start=1):
            _check_text(text, f"{number} of {len(texts)}")
        with self.system.prepared(self.changed(decoding or {})) as search:
            return self._summaries(search, texts, n_best)

    def stream(
        self, texts: Iterable[str], *, n_best: int = 1, decoding: Mapping[str, Any] | None = None
    ) -> Iterator[Summary]:
        """The summaries of texts, in order, while ``texts`` are still read.

        Few documents are summarized together at first, and more later, which is faster. InputError
        for a text that cannot be summarized, after the summaries of those before it.
        """
        _check_several(texts)
        together, mistakes = FIRST_TOGETHER, list[InputError]()
        checked = _until_mistake(texts, mistakes)
        with self.system.prepared(self.changed(decoding or {})) as search:
            while batch := list(islice(checked, together)):
                yield from self._summaries(search, batch, n_best)
                together = min(2 * together, MOST_TOGETHER)
        if mistakes:
            raise mistakes[0]

    def _summaries(self, search: Search, texts: Sequence[str], n_best: int) -> list[Summary]:
        return [
            Summary(candidates=tuple(candidates), notes=notes)
            for candidates, notes in zip(search(texts, n_best), self._notes(texts), strict=True)
        ]

    def changed(self, decoding: Mapping[str, Any]) -> DecodingConfig:
        """The system's decoding with other values of some keys."""
        return typed("decoding", DecodingConfig, {**asdict(self.decoding), **decoding})

    def _notes(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """What was not read of each text, and whether it is in another language."""
        lengths = self.system.source_lengths(texts) or [0] * len(texts)
        language = self.dataset.source
        is_right = language_test(language)
        return [
            tuple(
                [f"was cut: {self.max_source:,} of its {length:,} word pieces were read"]
                * (length > self.max_source)
                + [f"is not in the language '{language}', which this system reads"]
                * (any(map(str.isalpha, text)) and not is_right(text))
            )
            for text, length in zip(texts, lengths, strict=True)
        ]


def _until_mistake(texts: Iterable[str], mistakes: list[InputError]) -> Iterator[str]:
    """The texts before the first that cannot be summarized, whose error joins ``mistakes``."""
    try:
        for number, text in enumerate(texts, start=1):
            _check_text(text, str(number))
            yield text
    except InputError as error:
        mistakes.append(error)


def _check_several(texts: Iterable[str]) -> None:
    if isinstance(texts, str | bytes):
        raise InputError("texts: expected a list of texts, found one text; give [text]")


def _check_text(text: str, which: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"text {which}: expected a str, found {type(text).__name__}")
    if not text.strip():
        raise InputError(f"text {which}: is empty; there is no summary")


def _trained(run: Run, device: str) -> Summarizer:
    run.check_trained()
    system = load_summarizer(run)
    system.network.to(_device(device))
    return Summarizer(
        system=system,
        dataset=dataset_of(run),
        decoding=decoding_of(run),
        max_source=system.max_source,
    )


def _pipeline(run: Run, device: str) -> Summarizer:
    # Translators need modules of transformers that take seconds to import.
    from mclas_lightning.inference.pipeline import load_pipeline

    config, dataset, decoding = run.config, dataset_of(run), decoding_of(run)
    section = typed("model", PipelineConfig, config["model"])
    pipeline = Pipeline(**{**vars(section), "steps": tuple(section.steps)})
    system = load_pipeline(
        pipeline, dataset, seed=config["seed"], decoding=decoding, device=_device(device)
    )
    return Summarizer(
        system=system, dataset=dataset, decoding=decoding, max_source=system.summarizer.max_source
    )


def _device(name: str) -> torch.device:
    try:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
            raise ValueError(name)
        found = device_of("auto", 1) if name == "auto" else torch.device(name)
        torch.empty(0, device=found)
    except (AssertionError, RuntimeError, ValueError) as error:
        here = "auto, cpu or cuda" if torch.cuda.is_available() else "auto or cpu: there is no GPU"
        raise InputError(f"device '{name}': expected {here}") from error
    return found
