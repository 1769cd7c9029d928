"""TLTran and TETran: two trained systems, one after the other, as one summarizer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.data.dataset import DatasetConfig
from mclas_lightning.data.example import Side
from mclas_lightning.decoding.summarizer import DecodingConfig, Summaries, Summarizer
from mclas_lightning.errors import InputError
from mclas_lightning.files import json_lines, sha256, whole_file
from mclas_lightning.metrics.language import CHINESE
from mclas_lightning.run import ms_run
from mclas_lightning.task import Pipeline
from mclas_lightning.translate import Translator, default_translator, load_translator

DOCUMENTS = 64  # that go through both steps together
TEXTS = 32  # that are translated at a time
UNSPACED = CHINESE | {"ja"}  # languages without spaces between sentences


@dataclass(frozen=True, kw_only=True)
class PipelineSummarizer:
    """A pipeline together with its trained systems."""

    pipeline: Pipeline
    summarizer: Summarizer
    translator: Translator
    source: str  # language of the documents
    target: str
    provenance: dict[str, str]

    @property
    def writes(self) -> dict[Side, dict[str, bool]]:
        """What each side keeps of case and accents, as far as it is known."""
        (mono,) = self.summarizer.writes.values()
        if self.pipeline.reads == "cross":
            return {"cross": mono}
        return {"mono": mono, "cross": getattr(self.translator, "writes", {})}

    def summarize(
        self,
        texts: Sequence[str],
        config: DecodingConfig,
        progress: Callable[[int], object] = lambda done: None,
    ) -> list[Summaries]:
        """The summaries of each text; ``progress`` hears of every batch's number of texts."""
        step = self._late if self.pipeline.reads == "mono" else self._early
        summaries: list[Summaries] = []
        rest = iter(texts)
        while documents := list(islice(rest, DOCUMENTS)):
            summaries += step(documents, config)
            progress(len(documents))
        if isinstance(self.translator, TranslationFile):
            self.translator.check_complete()
        return summaries

    def _late(self, documents: Sequence[str], config: DecodingConfig) -> list[Summaries]:
        """Summarize, then translate (section 5.3); a summary's lines are its sentences."""
        written = [s["mono"] for s in self.summarizer.summarize(documents, config)]
        translated = self._translate_each([summary.split("\n") for summary in written], "\n")
        pairs = zip(written, translated, strict=True)
        return [{"mono": mono, "cross": cross} for mono, cross in pairs]

    def _early(self, documents: Sequence[str], config: DecodingConfig) -> list[Summaries]:
        """Translate sentence by sentence, then summarize (Zhu et al. 2019)."""
        split = [[s.strip() for s in segment(self.source, text) if s.strip()] for text in documents]
        texts = self._translate_each(split, "" if self.target in UNSPACED else " ")
        return [{"cross": s["mono"]} for s in self.summarizer.summarize(texts, config)]

    def _translate_each(self, split: Sequence[Sequence[str]], border: str) -> list[str]:
        """Texts that are given by their sentences; ``border`` is between the translated ones."""
        translated = iter(self._translate([sentence for text in split for sentence in text]))
        return [border.join(islice(translated, len(sentences))) for sentences in split]

    def _translate(self, texts: Sequence[str]) -> list[str]:
        # Of similar lengths at a time: padding costs as much as text.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        translations = [""] * len(texts)
        for start in range(0, len(order), TEXTS):
            batch = order[start : start + TEXTS]
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
    """Its ms run and its translator, ready to work; InputError where one is missing."""
    source, target = dataset.source, dataset.language("cross")
    language = dataset.language(pipeline.reads)
    if pipeline.summarizer is None:
        raise InputError(
            f"model '{pipeline.name}' summarizes with an ms run in the language '{language}'; "
            f"name its folder with model.summarizer=..."
        )
    run = ms_run(pipeline.summarizer, seed, "model.summarizer")
    found = run.dataset.source
    if found != language:
        raise InputError(
            f"model.summarizer={run}: summarizes texts in '{found}', model '{pipeline.name}' needs "
            f"'{language}' here"
        )
    summarizer = run.summarizer()
    summarizer.network.to(device)
    name = pipeline.translator or default_translator(source, target, "model.translator")
    if name.endswith(".jsonl"):
        translator: Translator = TranslationFile.read(Path(name))
    else:
        of_seed = Path(name, f"seed={seed}")
        name = str(of_seed) if of_seed.is_dir() else name
        translator = load_translator(name, source, target, beam=decoding.beam, device=device)
    return PipelineSummarizer(
        pipeline=pipeline,
        summarizer=summarizer,
        translator=translator,
        source=source,
        target=target,
        provenance={
            "summarizer": f"{run} {sha256(run.best)}",
            "translator": translator.identity,
        },
    )


@dataclass(frozen=True)
class TranslationFile:
    """Translations from elsewhere: jsonl lines ``{"text": ..., "translation": ...}``."""

    path: Path
    known: dict[str, str]
    missing: dict[str, None] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "TranslationFile":
        """Those of ``path``; none where it does not exist, so that it can be asked for."""
        if not path.exists():
            return cls(path, {})
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        known: dict[str, str] = {}
        for number, line in json_lines(lines):
            try:
                record = json.loads(line.decode("utf-8"))
                text, translation = record["text"], record["translation"]
                if not isinstance(text, str) or not isinstance(translation, str):
                    raise TypeError
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f'{path}:{number}: expected a line {{"text": ..., "translation": ...}}'
                ) from error
            if translation.strip():
                known[text] = translation
        return cls(path, known)

    @property
    def identity(self) -> str:
        """The file, and its content."""
        return f"{self.path} {sha256(self.path)}" if self.path.exists() else str(self.path)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """What the file has; texts that it lacks are remembered."""
        asked = (text for text in texts if text.strip() and text not in self.known)
        self.missing.update(dict.fromkeys(asked))
        return [self.known.get(text, "") for text in texts]

    def check_complete(self) -> None:
        """InputError where texts were asked for that it lacks; they are written down beside it."""
        if not self.missing:
            return
        todo = self.path.with_suffix(".missing.jsonl")
        with whole_file(todo) as file:
            for text in self.missing:
                record = {"text": text, "translation": ""}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        raise InputError(
            f"{self.path}: lacks the translations of {len(self.missing):,} texts; they are in "
            f"{todo}: fill in each 'translation', add the lines to {self.path}, and start again"
        )
