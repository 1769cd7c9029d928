import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.rouge import standard_profile


@pytest.mark.parametrize("mark", "\u00ad\ufeff\u200b\u200c\u200d\u200e\u2060\ufe0f")
def test_what_nobody_can_see_inside_a_word_does_not_part_it(mark: str):
    assert normalize(f"Bundes{mark}tag") == "Bundestag"
    found = standard_profile("de").scores([f"Bundes{mark}tag"], ["Bundestag"])
    assert found["rouge1_f"].item() == 1


def test_a_zero_width_space_separates_words_in_khmer_and_thai():
    assert normalize("ภาษา\u200bไทย") == "ภาษา ไทย"
    assert normalize("ភាសា\u200bខ្មែរ") == "ភាសា ខ្មែរ"
    assert normalize("Donau\u200bdampf") == "Donaudampf"


def test_one_letter_has_one_spelling():
    assert normalize("u\u0308") == normalize("u\u00ad\u0308") == "ü"
    assert normalize("\u1112\u1161\u11ab") == "한"


def test_what_is_neither_a_letter_nor_seen_separates():
    assert normalize("a\x00b\ufffdc\ue000d\ud800e") == "a b c d e"
    assert normalize("a\nb\tc\r\n") == "a\nb\tc\r\n"


@given(st.text(st.characters(), max_size=20))
def test_a_normalized_text_is_its_own_spelling(text: str):
    once = normalize(text)
    assert normalize(once) == once
    assert not regex.search(r"[[\p{C}]--[\t\n\r]]", once, regex.VERSION1)
