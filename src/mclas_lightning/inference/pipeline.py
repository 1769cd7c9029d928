"""The pipelines TLTran and TETran: a summarizer and a translator, one after the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.candidates import Candidate, Progress, Search, System
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.files import sha256
from mclas_lightning.inference.trained import dataset_of, load_summarizer, ms_run
from mclas_lightning.inference.translation_file import TranslationFile
from mclas_lightning.inference.translator_languages import default_translator
from mclas_lightning.inference.translators import load_translator
from mclas_lightning.metrics.language import CHINESE_LANGUAGES
from mclas_lightning.runs.run import run_of_seed
from mclas_lightning.task import Pipeline, Translator

DOCUMENTS_TOGETHER = 64  # documents that go through both steps of a pipeline together

TEXTS_TOGETHER = 32  # texts in one batch of the translator

UNSPACED = CHINESE_LANGUAGES | {"ja"}  # languages without spaces between sentences


@dataclass(frozen=True, kw_only=True)
class PipelineSummarizer(System):
    """A pipeline with its trained systems.

    Candidates have the scores of the summarizer; a translation has no score.
    """

    pipeline: Pipeline
    summarizer: NetworkSummarizer
    translator: Translator
    source: str  # language of the documents
    target: str  # language of the cross summaries
    provenance: dict[str, str]

    @property
    def writes(self) -> dict[Side, dict[str, bool]]:
        """For each side, whether its summaries can have case and accents; empty where unknown."""
        (mono,) = self.summarizer.writes.values()
        if self.pipeline.reads == "cross":
            return {"cross": mono}
        return {"mono": mono, "cross": getattr(self.translator, "writes", {})}

    def resolved(self, config: DecodingConfig) -> DecodingConfig:
        """As a summarizer's."""
        return self.summarizer.resolved(config)

    @contextmanager
    def prepared(self, config: DecodingConfig) -> Iterator[Search]:
        """As a summarizer's, whose network is prepared once, not for every few documents."""
        with self.summarizer.prepared(config) as summarize:
            yield partial(self._n_best, summarize)

    def _n_best(
        self,
        summarize: Search,
        texts: Sequence[str],
        num_best: int,
        progress: Progress = lambda done: None,
    ) -> list[list[Candidate]]:
        step = self._late if self.pipeline.reads == "mono" else self._early
        candidates: list[list[Candidate]] = []
        rest = iter(texts)
        while documents := list(islice(rest, DOCUMENTS_TOGETHER)):
            candidates += step(summarize, documents, num_best)
            progress(len(documents))
        if isinstance(self.translator, TranslationFile):
            self.translator.check_complete()
        return candidates

    def source_lengths(self, texts: Sequence[str]) -> list[int]:
        """As a summarizer's; empty where the summarizer reads translations of the texts."""
        return self.summarizer.source_lengths(texts) if self.pipeline.reads == "mono" else []

    def _late(
        self, summarize: Search, documents: Sequence[str], num_best: int
    ) -> list[list[Candidate]]:
        """Summarize, then translate (section 5.3); a summary's lines are its sentences."""
        found = summarize(documents, num_best)
        written = [candidate.summaries["mono"] for of_text in found for candidate in of_text]
        translated = iter(self._translate_each([text.split("\n") for text in written], "\n"))
        return [
            [replace(c, summaries={**c.summaries, "cross": next(translated)}) for c in of_text]
            for of_text in found
        ]

    def _early(
        self, summarize: Search, documents: Sequence[str], num_best: int
    ) -> list[list[Candidate]]:
        """Translate sentence by sentence, then summarize (Zhu et al. 2019)."""
        split = [[s.strip() for s in segment(self.source, text) if s.strip()] for text in documents]
        texts = self._translate_each(split, "" if self.target in UNSPACED else " ")
        return [
            [replace(c, summaries={"cross": c.summaries["mono"]}) for c in of_text]
            for of_text in summarize(texts, num_best)
        ]

    def _translate_each(self, split: Sequence[Sequence[str]], border: str) -> list[str]:
        """The translation of each text in ``split``, a list of sentences, joined by ``border``."""
        translated = iter(self._translate([sentence for text in split for sentence in text]))
        return [border.join(islice(translated, len(sentences))) for sentences in split]

    def _translate(self, texts: Sequence[str]) -> list[str]:
        # Of an empty text, a translator would invent a translation.
        filled = (i for i, text in enumerate(texts) if text.strip())
        # A batch holds texts of similar lengths, because padding costs as much time as text.
        order = sorted(filled, key=lambda i: len(texts[i]))
        translations = [""] * len(texts)
        for start in range(0, len(order), TEXTS_TOGETHER):
            batch = order[start : start + TEXTS_TOGETHER]
            found = self.translator.translate([texts[i] for i in batch])
            for i, translation in zip(batch, found, strict=True):
                translations[i] = translation
        return translations


def load_pipeline(
    pipeline: Pipeline,
    dataset: DatasetConfig,
    *,
    seed: int,
    decoding: DecodingConfig,
    device: torch.device,
) -> PipelineSummarizer:
    """The pipeline's ms run and translator on ``device``; InputError for a missing or unfit one."""
    source, target = dataset.source, dataset.language("cross")
    language = dataset.language(pipeline.reads)
    if pipeline.summarizer is None:
        raise InputError(
            f"model '{pipeline.name}' summarizes with an ms run in the language '{language}'; "
            f"name its folder with model.summarizer=..."
        )
    run = ms_run(pipeline.summarizer, seed, "model.summarizer")
    found = dataset_of(run).source
    if found != language:
        raise InputError(
            f"model.summarizer={run}: summarizes texts in '{found}', model '{pipeline.name}' needs "
            f"'{language}' here"
        )
    summarizer = load_summarizer(run)
    summarizer.network.to(device)
    name = pipeline.translator or default_translator(source, target, "model.translator")
    if name.endswith(".jsonl"):
        translator: Translator = TranslationFile.read(Path(name))
    else:
        of_seed = run_of_seed(name, seed)
        # The name of a model on a hub, or of its folder, stays as it was written.
        name = name if of_seed.folder == Path(name) else str(of_seed)
        translator = load_translator(name, source, target, beam=decoding.beam, device=device)
    return PipelineSummarizer(
        pipeline=pipeline,
        summarizer=summarizer,
        translator=translator,
        source=source,
        target=target,
        provenance={"summarizer": f"{run} {sha256(run.best)}", "translator": translator.identity},
    )
