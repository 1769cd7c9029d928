"""The languages of translators: the default model of a pair, and how a model is told its pair."""

import re
from collections.abc import Sequence
from typing import Any

from mclas_lightning.errors import InputError

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


def default_translator(source: str, target: str, option: str) -> str:
    """WMT19's model for a pair of languages; InputError, naming ``option``, for other pairs."""
    if (source, target) not in WMT19_MODELS:
        raise InputError(
            f"no translator from '{source}' to '{target}' is known; name one with {option}: a "
            f"model on a hub, its folder, or a run of model=mt"
        )
    return WMT19_MODELS[source, target]


def check_pair(name: str, model: Any, tokenizer: Any, pair: list[str]) -> None:
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


def choose_languages(name: str, tokenizer: Any, source: str, target: str) -> int | None:
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


def t5_prefix(name: str, model: Any, tokenizer: Any, source: str, target: str) -> str:
    """MADLAD-400's token of ``target``, or T5's instruction for this pair; empty for others.

    InputError for a T5 that has instructions for other pairs alone: it would not translate.
    """
    vocabulary, token = tokenizer.get_vocab(), f"<2{target}>"
    if "<2en>" in vocabulary:
        if token not in vocabulary:
            raise InputError(f"translator '{name}': does not know the language '{target}'")
        return f"{token} "
    tasks = getattr(model.config, "task_specific_params", None) or {}
    known = sorted(task for task in tasks if task.startswith("translation_"))
    if known and (asked := f"translation_{source}_to_{target}") not in known:
        raise InputError(
            f"translator '{name}': has instructions for {', '.join(known)}, and none for {asked}; "
            f"take another model, or add its instruction to task_specific_params in its config.json"
        )
    return tasks[asked].get("prefix", "") if known else ""
