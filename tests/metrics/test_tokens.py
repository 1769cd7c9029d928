import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenizers import DefaultTokenizer
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.metrics.tokens import plain, stems, tokens

ASCII = st.text(st.characters(min_codepoint=9, max_codepoint=126), max_size=40)
TEXTS = st.text("abcÄäöüßéжзあ中国安全〇12 ,.'-_、。!?\n\u0308", max_size=30)
LANGUAGES = ("de", "en", "zh")


def test_words_keep_their_umlauts_however_these_are_encoded():
    assert tokens("Größe, ÜBER", "de") == ["größe", "über"]
    assert tokens("U\u0308ber", "de") == ["über"]


def test_apostrophes_hyphens_and_commas_separate_words():
    words = ["don", "t", "well", "known", "1", "234", "a", "b"]
    assert tokens("don't well-known 1,234 a_b", "en") == words


def test_chinese_text_is_split_into_characters_and_runs_of_the_rest():
    assert tokens("在Linux 5.10中,二〇〇六𠀀", "zh") == [
        "在",
        "linux",
        "5",
        "10",
        "中",
        *"二〇〇六𠀀",
    ]


def test_accents_are_stripped_as_an_uncased_bert_strips_them():
    assert plain("Größe ÜBER café ﬁn İ 가") == "große uber cafe ﬁn i 가"


def test_stems_of_words_are_porters():
    # Nothing is cut of three letters or fewer; no rule of Porter's cuts "großen".
    assert stems(["Running dogs is fun", "Die großen Städtes"]) == [
        ["run", "dog", "is", "fun"],
        ["die", "großen", "stadt"],
    ]


@given(ASCII)
def test_on_ascii_text_words_and_stems_are_rouge_scores(text: str):
    assert tokens(text, "en") == DefaultTokenizer(use_stemmer=False).tokenize(text)
    assert stems([text]) == [DefaultTokenizer(use_stemmer=True).tokenize(text)]


@pytest.mark.parametrize("language", LANGUAGES)
@given(TEXTS)
def test_a_text_has_the_tokens_of_its_sentences(language: str, text: str):
    apart = [token for part in segment(language, text) for token in tokens(part, language)]
    assert apart == tokens(text, language)
