import json

import pytest
from transformers import M2M100Tokenizer, NllbTokenizer
from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

from mclas_lightning.corpora.readers.formats import XWIKIS
from mclas_lightning.corpora.readers.pairs import BBC, WIKIHOW
from mclas_lightning.errors import InputError
from mclas_lightning.inference.translator_languages import (
    NLLB_CODES,
    choose_languages,
    default_translator,
)

# NLLB-200 and M2M100 as their tokenizers name languages (transformers 5.23).
LANGUAGES_OF_CORPORA = sorted({*BBC, *WIKIHOW, *XWIKIS, "uk"} - {"pcm"})


def test_nllb_is_told_every_language_of_the_open_corpora_by_a_code_that_it_has(tmp_path):
    assert set(LANGUAGES_OF_CORPORA) == set(NLLB_CODES)
    assert set(NLLB_CODES.values()) <= set(FAIRSEQ_LANGUAGE_CODES)
    vocabulary = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", "\u2581", "a"])}
    tokenizer = NllbTokenizer(
        vocab=vocabulary, merges=[], extra_special_tokens=FAIRSEQ_LANGUAGE_CODES
    )
    ids = {}
    for target in set(LANGUAGES_OF_CORPORA) - {"en"}:
        ids[target] = choose_languages("nllb", tokenizer, "en", target)
        assert tokenizer.src_lang == "eng_Latn"
    assert tokenizer.convert_ids_to_tokens(ids["fa"]) == "pes_Arab"
    assert len(set(ids.values())) == len(ids)


def test_m2m100_is_told_the_languages_by_their_iso_codes(pieces, tmp_path):
    model, written = pieces
    vocabulary = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *written])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = M2M100Tokenizer(str(tmp_path / "vocab.json"), str(model))
    lacks = []
    for target in set(LANGUAGES_OF_CORPORA) - {"en"}:
        try:
            first = choose_languages("m2m100", tokenizer, "en", target)
        except InputError:
            lacks.append(target)
        else:
            assert first == tokenizer.get_lang_id(target)
            assert tokenizer.src_lang == "en"
    assert sorted(lacks) == ["ky", "om", "te"]


def test_the_default_is_the_papers_translator():
    assert default_translator("en", "de", "--forward") == "facebook/wmt19-en-de"
    assert default_translator("de", "en", "--backward") == "facebook/wmt19-de-en"
    with pytest.raises(InputError, match=r"'en' to 'zh' is known; name one with --forward"):
        default_translator("en", "zh", "--forward")
