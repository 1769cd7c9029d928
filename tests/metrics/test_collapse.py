import pytest

from mclas_lightning.metrics.collapse import collapse_scores, repetition

DOCUMENTS = [
    "On Monday the storm hit Munich, and 7 people stayed.",
    "Rain fell in Bremen for two days.",
    "今天北京下了很大的雨，没有人受伤。",
]
REFERENCES = ["Storm hits Munich", "rain fell in Bremen", "北京大雨"]


def of(*hypotheses: str) -> dict[str, float]:
    return collapse_scores(hypotheses, REFERENCES, DOCUMENTS)


def test_equal_texts_are_counted_without_case_and_punctuation():
    assert of("a b", "A b!", "c")["distinct"] == pytest.approx(2 / 3)
    assert of("a", "b", "c")["reference_distinct"] == 1


def test_repetition_is_the_share_of_pairs_that_came_before():
    assert repetition(["the", "storm", "the", "storm", "the"]) == pytest.approx(1 - 2 / 4)
    assert repetition(["one"]) == repetition([]) == 0
    assert of("a a a", "a b c", "大雨大雨")["repetition"] == pytest.approx((1 / 2 + 0 + 1 / 3) / 3)
    assert of("a", "b", "c")["reference_repetition"] == 0


def test_a_copy_stands_in_its_own_document_at_a_words_borders():
    found = of("the storm hit Munich", "he storm hit Munich", "北京下了很大的雨")
    assert found["copied"] == pytest.approx(2 / 3)
    assert found["reference_copied"] == pytest.approx(1 / 3)
    assert of("and 7 people", DOCUMENTS[0], "")["copied"] == 0
