import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rouge_score.tokenizers import DefaultTokenizer

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.language import KNOWN_LANGUAGES
from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.metrics.rouge import paper_profile, standard_profile
from mclas_lightning.metrics.self_test import SENTENCE_PAIRS, self_test, sentence_pairs

PIECES = WordPieces({"警": 0, "方": 1})
MARKED = "ar he hi mr ne bn pa gu or te kn ml si my km th"


def breaks(tokenize: Callable[[str], list[str]], language: str) -> bool:
    """Whether the self-test refuses ROUGE with this tokenizer."""
    broken = replace(standard_profile(language), tokenize=lambda texts: list(map(tokenize, texts)))
    try:
        self_test(broken)
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize("language", KNOWN_LANGUAGES)
def test_the_self_test_passes_in_every_language(language: str):
    self_test(standard_profile(language))
    self_test(paper_profile(language, PIECES))


def test_every_language_has_one_sample():
    assert sorted(sentence_pairs()) == KNOWN_LANGUAGES
    assert sum(len(row.split()) for row in SENTENCE_PAIRS) == len(KNOWN_LANGUAGES)


@pytest.mark.parametrize("language", MARKED.split())
def test_the_self_test_refuses_words_that_fall_apart_at_their_marks(language: str):
    assert breaks(lambda text: re.findall(r"[^\W_]+", text.lower()), language)


@pytest.mark.parametrize("language", ["ja", "km", "lo", "my", "wuu", "yue", "zh"])
def test_the_self_test_refuses_a_sentence_as_one_token(language: str):
    assert breaks(str.split, language)


@pytest.mark.parametrize("language", ["de", "fr", "vi", "ru", "el", "ar", "hi", "ko", "zh"])
def test_the_self_test_refuses_rouge_scores_own_tokenizer(language: str):
    assert breaks(DefaultTokenizer(use_stemmer=False).tokenize, language)


def test_a_failure_names_the_language_and_the_texts():
    broken = replace(standard_profile("de"), tokenize=lambda texts: [[] for _ in texts])
    with pytest.raises(RuntimeError, match="self-test failed for 'de': 'Grüße für alle aus Köln'"):
        self_test(broken)


def test_a_language_without_a_sample_is_refused():
    with pytest.raises(InputError, match="language 'tlh' is not supported"):
        self_test(standard_profile("tlh"))
