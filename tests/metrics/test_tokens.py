import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenizers import DefaultTokenizer
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.tokens import (
    length_unit,
    num_tokens,
    stemmed_tokens,
    token_spans,
    tokens,
    without_accents,
)

ASCII = st.text(st.characters(min_codepoint=9, max_codepoint=126), max_size=40)
TEXTS = st.text("abcÄäöüßéжзあ中国安全〇12 ,.'-_、。!?\n\u0308", max_size=30)
WORLD = st.text(
    "aßİΣςй\u0301가กำ\u0e49ကာខ្មែबालक日ーガ゙1٣_ '.\u00ad\u200b\u200d\ufeff\x01", max_size=30
)
LANGUAGES = ("de", "en", "zh")


def test_words_keep_their_umlauts_however_these_are_encoded():
    assert tokens("Größe, ÜBER") == ["größe", "über"]
    assert tokens("U\u0308ber") == ["über"]


def test_apostrophes_hyphens_and_commas_separate_words():
    words = ["don", "t", "well", "known", "1", "234", "a", "b"]
    assert tokens("don't well-known 1,234 a_b") == words


def test_chinese_text_is_split_into_characters_and_runs_of_the_rest():
    assert tokens("在Linux 5.10中,二〇〇六𠀀") == ["在", "linux", "5", "10", "中", *"二〇〇六𠀀"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("बालक बोलक", ["बालक", "बोलक"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("مُحَمَّد هنا", ["مُحَمَّد", "هنا"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("за́мок", ["за́мок"]),
        ("한국어 뉴스", ["한국어", "뉴스"]),
        ("ቋንቋ፡ነው", ["ቋንቋ", "ነው"]),
    ],
)
def test_a_letter_keeps_its_marks(text: str, words: list[str]):
    assert tokens(text) == [normalize(word) for word in words]


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("東京でビール", "東 京 で ビ ー ル"),
        ("ｶﾞｽ", "ｶﾞ ｽ"),
        ("佢哋今日", "佢 哋 今 日"),
        ("น้ำท่วมหนัก", "น้ำ ท่ ว ม ห นั ก"),
        ("ປະເທດລາວ", "ປ ະ ເ ທ ດ ລ າ ວ"),
        ("ភ្នំពេញ", "ភ្ នំ ពេ ញ"),
        ("မြန်မာ", "မြ န် မာ"),
        ("iPhone用ไทย2024年", "iphone 用 ไ ท ย 2024 年"),
    ],
)
def test_scripts_without_spaces_are_split_into_characters(text: str, characters: str):
    assert tokens(text) == characters.split()


def test_a_length_is_counted_in_characters_where_no_space_parts_words():
    assert [length_unit(language) for language in ("zh", "de")] == ["characters", "words"]


def test_no_case_splits_a_word():
    assert tokens("İmamoğlu gewinnt in İstanbul") == ["imamoğlu", "gewinnt", "in", "istanbul"]
    assert tokens("i\u0307stanbul") == ["istanbul"]  # as a tokenizer's lower-casing leaves it
    assert tokens("ΟΔΟΣ, οδος") == ["οδοσ", "οδοσ"]


def test_a_mark_without_a_letter_is_no_word():
    assert tokens("\u0301 , \u0941") == []


def test_accents_are_of_latin_greek_and_cyrillic_letters_alone():
    assert without_accents("Ἀθῆναι за́мок ньюй") == "αθηναι замок ньюи"
    for text in ("बालक", "ভাষা", "ที่นี่", "مُحَمَّد", "ガーデン"):
        assert without_accents(text) == text


def test_accents_are_stripped_as_an_uncased_bert_strips_them():
    assert without_accents("Größe ÜBER café ﬁn İ 가") == "große uber cafe ﬁn i 가"


def test_stems_of_words_are_porters():
    # Nothing is cut of three letters or fewer; no rule of Porter's cuts "großen".
    assert stemmed_tokens(["It was her runs"]) == [["it", "was", "her", "run"]]
    assert stemmed_tokens(["Running dogs is fun", "Die großen Städtes"]) == [
        ["run", "dog", "is", "fun"],
        ["die", "großen", "stadt"],
    ]


@given(ASCII)
def test_on_ascii_text_words_and_stems_are_rouge_scores(text: str):
    assert tokens(text) == DefaultTokenizer(use_stemmer=False).tokenize(text)
    assert stemmed_tokens([text]) == [DefaultTokenizer(use_stemmer=True).tokenize(text)]


@pytest.mark.parametrize("language", LANGUAGES)
@given(TEXTS)
def test_a_text_has_the_tokens_of_its_sentences(language: str, text: str):
    apart = [token for part in segment(language, text) for token in tokens(part)]
    assert apart == tokens(text)


@given(WORLD)
def test_places_and_length_are_of_the_same_tokens(text: str):
    found = list(token_spans(normalize(text)))
    assert [token.word for token in found] == tokens(text)
    assert len(found) == num_tokens(text)
    assert [tokens(normalize(text)[token.start : token.end]) for token in found] == [
        [token.word] for token in found
    ]


@given(st.text("aßİIıΣςöЙ1 '.", max_size=10))
def test_case_makes_no_difference(text: str):
    assert tokens(text.lower()) == tokens(text)
