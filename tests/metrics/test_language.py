import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.language import (
    KNOWN_LANGUAGES,
    _identifier,
    check_language,
    is_chinese,
    share_in_wrong_language,
)

ENGLISH = ["The police are looking for witnesses of the accident.", "It will rain in the north."]
GERMAN = ["Die Polizei sucht Zeugen des Unfalls.", "Im Norden wird es morgen regnen."]
CHINESE = ["警方正在寻找事故的目击者。", "明天北方将会下雨。"]
TEXTS = {"en": ENGLISH, "de": GERMAN, "zh": CHINESE}


@pytest.mark.parametrize("expected", TEXTS)
@pytest.mark.parametrize("other", TEXTS)
def test_clear_sentences_are_told_apart(expected: str, other: str):
    if expected != other:
        assert share_in_wrong_language(TEXTS[expected], expected) == 0
        assert share_in_wrong_language(TEXTS[other], expected) == 1


def test_the_share_is_of_the_texts_with_letters():
    texts = [*GERMAN, ENGLISH[0], "", " ", "...", "42"]
    assert share_in_wrong_language(texts, "de") == 1 / 3


def test_no_text_at_all_has_a_share_of_0():
    assert share_in_wrong_language(["", "..."], "de") == 0


def test_a_language_that_is_not_of_the_corpus_is_wrong_too():
    french = "Le gouvernement a annoncé hier une nouvelle loi sur les retraites."
    assert share_in_wrong_language([french, *ENGLISH], "en") == 1 / 3


def test_a_chinese_sentence_may_have_latin_names_and_numbers():
    assert is_chinese("wireshark thunderbird 更新 2024 10 12")
    assert not is_chinese("The Chinese word for network is 网络")
    assert not is_chinese("2024")


def test_text_with_kana_is_not_chinese():
    assert not is_chinese("東京で大きな地震があった")
    assert not is_chinese("東京の天気")
    assert is_chinese(
        "警方正在尋找這起發生在北部城市郊區的嚴重交通事故的「の」字招牌目擊者，並呼籲市民提供線索"
    )


def test_traditional_and_simplified_characters_are_both_chinese():
    assert is_chinese("警方正在尋找事故的目擊者。")
    assert is_chinese("警方正在寻找事故的目击者。")


OF_EACH = {
    **TEXTS,
    "ja": ["東京で大きな地震があった", "警察は事故の目撃者を探している。"],
    "yue": ["佢哋今日喺香港開會", "警方正在尋找事故的目擊者。"],
    "hi": ["पुलिस दुर्घटना के गवाहों की तलाश कर रही है।", "कल उत्तर में बारिश होगी।"],
    "ko": ["경찰이 사고 목격자를 찾고 있다.", "내일 북쪽에 비가 온다."],
    "ru": ["Полиция ищет свидетелей аварии.", "Завтра на севере будет дождь."],
    "fr": ["La police cherche des témoins de l'accident.", "Il pleuvra demain dans le nord."],
    "th": ["ตำรวจกำลังหาพยาน", "พรุ่งนี้ฝนจะตก"],
}


@pytest.mark.parametrize("expected", OF_EACH)
@pytest.mark.parametrize("language", OF_EACH)
def test_a_text_is_right_in_its_own_language_alone(language: str, expected: str):
    right = language == expected or {language, expected} == {"yue", "zh"}
    assert share_in_wrong_language(OF_EACH[language], expected) == (0 if right else 1)


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(InputError, match="language 'german' is not supported"):
        share_in_wrong_language(GERMAN, "german")


def test_the_languages_are_those_of_the_identifier():
    assert sorted(_identifier().labels) == KNOWN_LANGUAGES


@pytest.mark.parametrize(
    ("given", "meant"), [("zh-CN", "zh"), ("zh_Hans_CN", "zh"), ("pt-BR", "pt"), ("DE", "de")]
)
def test_a_code_with_a_region_gets_the_one_without(given, meant):
    with pytest.raises(
        InputError, match=f"dataset.target: language '{given}' .* did you mean '{meant}'"
    ):
        check_language(given, "dataset.target: language")


def test_an_unknown_code_gets_a_line_and_not_the_list():
    with pytest.raises(InputError, match="all: mclas score --help") as error:
        check_language("german")
    assert len(str(error.value)) < 150
