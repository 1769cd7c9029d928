"""Translators: a Hugging Face sequence-to-sequence model, or a run of ``model=mt``."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.candidates import Search
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.files import sha256
from mclas_lightning.inference.trained import dataset_of, decoding_of, load_summarizer, task_of
from mclas_lightning.inference.translator_languages import (
    check_pair,
    choose_languages,
    t5_prefix,
)
from mclas_lightning.metrics.accents import kept_by_tokenizer
from mclas_lightning.metrics.neural.encoder import model_sha256
from mclas_lightning.model.checkpoint import check_whole
from mclas_lightning.runs.exported import ExportedRun, opened
from mclas_lightning.runs.run import Run
from mclas_lightning.task import Translator


@dataclass(frozen=True, kw_only=True)
class HuggingFaceTranslator:
    """A pretrained model of Hugging Face.

    ``first`` is the id of the token with which a multilingual model begins a text of the target
    language. ``prefix`` is the instruction before each of T5's source texts.
    """

    identity: str
    model: Any
    tokenizer: Any
    first: int | None
    prefix: str
    beam: int

    @property
    def writes(self) -> dict[str, bool]:
        """Whether translations can have case and accents; empty for a tokenizer in Python."""
        rules = getattr(self.tokenizer, "backend_tokenizer", None)
        return kept_by_tokenizer(rules) if isinstance(rules, Tokenizer) else {}

    @torch.inference_mode()
    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translations of ``texts``, which are one batch."""
        if not texts:
            return []
        # 512 where the model has no limit of its own, as T5 with its relative positions.
        positions = getattr(self.model.config, "max_position_embeddings", None) or 512
        limit = min(self.tokenizer.model_max_length, positions)
        batch = self.tokenizer(
            [self.prefix + text.replace("\n", " ") for text in texts],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=limit,
        ).to(self.model.device)
        forced = {} if self.first is None else {"forced_bos_token_id": self.first}
        written = self.model.generate(
            **batch,
            num_beams=self.beam,
            do_sample=False,
            max_length=limit,  # fixed, so that a translation does not depend on the batch
            **forced,
        )
        decoded = self.tokenizer.batch_decode(written, skip_special_tokens=True)
        return [" ".join(text.split()) for text in decoded]


@dataclass(frozen=True, kw_only=True)
class RunTranslator:
    """A run of ``model=mt``, which reads mono summaries and writes cross summaries."""

    identity: str
    summarizer: NetworkSummarizer
    decoding: DecodingConfig

    @property
    def writes(self) -> dict[str, bool]:
        """Whether translations can have case and accents."""
        return self.summarizer.writes["cross"]

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translations of ``texts``, decoded as the run's configuration says."""
        return [best.summaries["cross"] for best, *_ in self._search(list(texts), 1)]

    @cached_property
    def _opened(self) -> AbstractContextManager[Search]:
        return self.summarizer.prepared(self.decoding)

    @cached_property
    def _search(self) -> Search:
        """The summarizer, prepared at the first text for as long as there is this translator."""
        return self._opened.__enter__()


def load_translator(
    name: str, source: str, target: str, *, beam: int, device: torch.device
) -> Translator:
    """The translator that ``name`` stands for: a run's folder, a model's folder or name on a hub.

    InputError where there is none, or where it translates other languages.
    """
    if (run := translating_run(Path(name))) is not None:
        check_translates(run, source, target)
        return _from_run(run, device)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model, loading = AutoModelForSeq2SeqLM.from_pretrained(
            name, trust_remote_code=False, output_loading_info=True
        )
    except ImportError as error:
        raise InputError(
            f"translator '{name}': {first_line(error)} (pip install 'mclas-lightning[translation]')"
        ) from error
    except Exception as error:  # transformers raises many kinds for a folder without a model.
        raise InputError(
            f"translator '{name}': neither a run, nor a folder with a sequence-to-sequence model, "
            f"nor one that a hub could deliver"
        ) from error
    try:
        check_whole(loading)
    except ValueError as error:
        raise InputError(f"translator '{name}': its weights cannot be loaded ({error})") from error
    check_pair(name, model, tokenizer, [source, target])
    first = choose_languages(name, tokenizer, source, target)
    return HuggingFaceTranslator(
        identity=f"{name} {model_sha256(model, tokenizer)} beam={beam}",
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        first=first,
        prefix=t5_prefix(name, model, tokenizer, source, target),
        beam=beam,
    )


def translating_run(folder: Path) -> Run | None:
    """The run in ``folder``, exported or not; None for other libraries' models.

    network.json tells a run from other libraries' models that have a config.yaml.
    """
    run = opened(Run(folder))
    ours = isinstance(run, ExportedRun) or (run.started and (folder / "network.json").exists())
    return run if ours else None


def check_translates(run: Run, source: str, target: str) -> None:
    """InputError where ``run`` is no trained run of ``model=mt`` for these languages."""
    task, dataset = task_of(run), dataset_of(run)
    if task.source != "mono" or task.sides != ("cross",):
        raise InputError(
            f"{run}: is a run of model '{task.name}', which translates nothing; give mt"
        )
    if (dataset.source, dataset.target) != (source, target):
        raise InputError(
            f"{run}: translates from '{dataset.source}' to '{dataset.target}', not from "
            f"'{source}' to '{target}'"
        )
    run.check_trained()


def _from_run(run: Run, device: torch.device) -> RunTranslator:
    summarizer = load_summarizer(run)
    summarizer.network.to(device)
    return RunTranslator(
        identity=f"{run} {sha256(run.best)}",
        summarizer=summarizer,
        decoding=replace(decoding_of(run), captured=False),
    )
