"""Translators: a Hugging Face sequence-to-sequence model, or a run of ``model=mt``."""

import re
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
from mclas_lightning.metrics.accents import kept_by_tokenizer
from mclas_lightning.metrics.neural.encoder import model_sha256
from mclas_lightning.runs.exported import ExportedRun, opened
from mclas_lightning.runs.run import Run
from mclas_lightning.task import Translator

# Hugging Face's names of WMT19's models by languages; the paper translates en-de (section 5.1).
WMT19_MODELS = {
    (source, target): f"facebook/wmt19-{source}-{target}"
    for source, target in (("en", "de"), ("de", "en"), ("en", "ru"), ("ru", "en"))
}

# NLLB's codes of languages by ISO 639-1 code: those of the corpora in ``conf/dataset/``.
NLLB_CODES = {
    "am": "amh_Ethi", "ar": "arb_Arab", "az": "azj_Latn", "bn": "ben_Beng", "cs": "ces_Latn",
    "cy": "cym_Latn", "de": "deu_Latn", "en": "eng_Latn", "es": "spa_Latn", "fa": "pes_Arab",
    "fr": "fra_Latn", "gu": "guj_Gujr", "ha": "hau_Latn", "hi": "hin_Deva", "id": "ind_Latn",
    "ig": "ibo_Latn", "it": "ita_Latn", "ja": "jpn_Jpan", "ko": "kor_Hang", "ky": "kir_Cyrl",
    "mr": "mar_Deva", "my": "mya_Mymr", "ne": "npi_Deva", "nl": "nld_Latn", "om": "gaz_Latn",
    "pa": "pan_Guru", "ps": "pbt_Arab", "pt": "por_Latn", "ru": "rus_Cyrl", "si": "sin_Sinh",
    "so": "som_Latn", "sr": "srp_Cyrl", "sw": "swh_Latn", "ta": "tam_Taml", "te": "tel_Telu",
    "th": "tha_Thai", "tr": "tur_Latn", "uk": "ukr_Cyrl", "ur": "urd_Arab", "uz": "uzn_Latn",
    "vi": "vie_Latn", "yo": "yor_Latn", "zh": "zho_Hans",
}  # fmt: skip

# ISO 639-3 codes of macrolanguages, which Marian's models have where NLLB's name one variety.
MACROLANGUAGES = {
    "ar": "ara", "az": "aze", "fa": "fas", "ne": "nep", "om": "orm", "ps": "pus", "sw": "swa",
    "uz": "uzb",
}  # fmt: skip


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


def default_translator(source: str, target: str, option: str) -> str:
    """WMT19's model for a pair of languages; InputError, naming ``option``, for other pairs."""
    if (source, target) not in WMT19_MODELS:
        raise InputError(
            f"no translator from '{source}' to '{target}' is known; name one with {option}: a "
            f"model on a hub, its folder, or a run of model=mt"
        )
    return WMT19_MODELS[source, target]


def load_translator(
    name: str, source: str, target: str, *, beam: int, device: torch.device
) -> Translator:
    """The translator that ``name`` stands for: a run's folder, a model's folder or name on a hub.

    InputError where there is none, or where it translates other languages.
    """
    # network.json tells a run from models of other libraries that have a config.yaml.
    run = opened(Run(Path(name)))
    if isinstance(run, ExportedRun) or (run.started and Path(name, "network.json").exists()):
        return _from_run(run, source, target, device)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model = AutoModelForSeq2SeqLM.from_pretrained(name, trust_remote_code=False)
    except ImportError as error:
        raise InputError(
            f"translator '{name}': {first_line(error)} (pip install 'mclas-lightning[translation]')"
        ) from error
    except Exception as error:  # transformers raises many kinds for a folder without a model.
        raise InputError(
            f"translator '{name}': neither a run, nor a folder with a sequence-to-sequence model, "
            f"nor one that a hub could deliver"
        ) from error
    _check_pair(name, model, tokenizer, [source, target])
    first = _choose_languages(name, tokenizer, source, target)
    return HuggingFaceTranslator(
        identity=f"{name} {model_sha256(model, tokenizer)} beam={beam}",
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        first=first,
        prefix=_t5_prefix(name, model, tokenizer, source, target),
        beam=beam,
    )


def _from_run(run: Run, source: str, target: str, device: torch.device) -> RunTranslator:
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
    summarizer = load_summarizer(run)
    summarizer.network.to(device)
    return RunTranslator(
        identity=f"{run} {sha256(run.best)}",
        summarizer=summarizer,
        decoding=replace(decoding_of(run), captured=False),
    )


def _check_pair(name: str, model: Any, tokenizer: Any, pair: list[str]) -> None:
    """InputError where a model of one pair, such as WMT19's or Marian's, has other languages."""
    marian = [getattr(tokenizer, key, None) for key in ("source_lang", "target_lang")]
    known = getattr(model.config, "langs", None) or marian
    if all(known) and any(
        # Marian: de or deu.
        found not in (asked, NLLB_CODES.get(asked, "")[:3], MACROLANGUAGES.get(asked))
        for found, asked in zip(known, pair, strict=True)
    ):
        raise InputError(
            f"translator '{name}': translates from '{known[0]}' to '{known[1]}', not from "
            f"'{pair[0]}' to '{pair[1]}'"
        )


def _choose_languages(name: str, tokenizer: Any, source: str, target: str) -> int | None:
    """The id of a multilingual tokenizer's token for ``target``; sets its language to ``source``.

    None for the tokenizer of a model of one pair.
    """
    # After transformers 5 has saved an M2M100, only lang_token_to_id names its languages.
    special = sorted({*tokenizer.get_added_vocab(), *getattr(tokenizer, "lang_token_to_id", ())})
    codes = {language: _language_token(special, language) for language in (source, target)}
    if not any(re.fullmatch(r"(__)?[a-z]{2}(_XX|__)|[a-z]{3}_[A-Z][a-z]{3}", t) for t in special):
        return None  # A model of one pair, such as Marian's, has no tokens for languages.
    for language, token in codes.items():
        if token is None:
            raise InputError(f"translator '{name}': does not know the language '{language}'")
    tokenizer.src_lang = str(codes[source]).strip("_")
    return tokenizer.convert_tokens_to_ids(codes[target])


def _language_token(special: Sequence[str], language: str) -> str | None:
    """A language's token: ``__en__`` of M2M100, ``en_XX`` of mBART, ``eng_Latn`` of NLLB."""
    own = re.compile(rf"__{language}__|{language}_[A-Z]{{2}}")
    found = [
        token for token in special if own.fullmatch(token) or token == NLLB_CODES.get(language)
    ]
    return found[0] if found else None


def _t5_prefix(name: str, model: Any, tokenizer: Any, source: str, target: str) -> str:
    """MADLAD-400's token of ``target``, or T5's instruction for this pair; empty for others."""
    vocabulary, token = tokenizer.get_vocab(), f"<2{target}>"
    if "<2en>" in vocabulary:
        if token not in vocabulary:
            raise InputError(f"translator '{name}': does not know the language '{target}'")
        return f"{token} "
    tasks = getattr(model.config, "task_specific_params", None) or {}
    return tasks.get(f"translation_{source}_to_{target}", {}).get("prefix", "")
