from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.metrics.tokens import tokens
from mclas_lightning.report.matches import lacking, matched


def marked(text: str, reference: str) -> list[tuple[str, int]]:
    return [(piece.text, piece.size) for piece in matched(text, reference) if piece.size]


def test_the_longest_n_grams_are_marked_in_the_texts_own_spelling():
    reference = "Fire at Dublin hotel: eight people in hospital"
    assert marked("FIRE at Dublin's hotel, eight people die", reference) == [
        ("FIRE at Dublin", 3), ("hotel, eight people", 3),
    ]  # fmt: skip


def test_a_longer_n_gram_further_on_in_the_reference_wins():
    assert marked("a b c", "a b x a b c") == [("a b c", 3)]


def test_chinese_is_marked_by_characters():
    found = marked("都柏林一家酒店着火", "巴黎一家酒店失火")
    assert found == [("一家酒店", 4), ("火", 1)]
    assert lacking("都柏林一家酒店着火", "巴黎一家酒店失火") == ["巴黎", "失"]


def test_german_words_keep_their_umlauts():
    assert marked("Grüße aus Köln", "viele grüße") == [("Grüße", 1)]


def test_what_is_lacking_keeps_the_references_punctuation_inside():
    assert lacking("two people hurt", "More than two people, badly hurt") == [
        "More than", "badly",
    ]  # fmt: skip


def test_what_is_lacking_is_one_line_where_the_reference_has_several():
    assert lacking("storm hits", "storm hits Vienna\nnobody hurt") == ["Vienna nobody hurt"]


WORDS = st.lists(st.sampled_from(["Ab", "b", "ß", "Ö", "火", "店", ",", " ", "-"])).map("".join)


@given(WORDS, WORDS)
def test_pieces_are_the_text_and_marks_are_what_rouge_counts(text, reference):
    pieces = matched(text, reference)
    assert "".join(piece.text for piece in pieces) == text
    known = tokens(reference)
    for piece in pieces:
        found = tokens(piece.text)
        if piece.size:
            assert len(found) == piece.size
            starts = range(len(known) - piece.size + 1)
            assert any(known[i : i + piece.size] == found for i in starts)
        else:
            assert not set(found) & set(known)


@given(WORDS)
def test_a_text_lacks_nothing_of_itself(text):
    assert lacking(text, text) == []
    assert [p.size for p in matched(text, text) if p.size] in (
        [], [len(tokens(text))],
    )  # fmt: skip
