import math

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.score import score


def test_all_scores_of_a_small_corpus_equal_a_count_by_hand():
    hypotheses = ["Die Polizei sucht Zeugen", "", "The police look for witnesses here"]
    references = ["Die Polizei sucht Zeugen", "Regen im Norden", "Polizei sucht die Zeugen hier"]
    found = score(hypotheses, references, language="de", other_language="en")
    assert found["rouge1_f"] == pytest.approx((1 + 0 + 0) / 3)
    assert found["rouge2_p"] == found["rougeL_r"] == pytest.approx(1 / 3)
    assert found["length"] == pytest.approx((4 + 0 + 6) / 3)
    assert found["reference_length"] == pytest.approx((4 + 3 + 5) / 3)
    assert found["wrong_language"] == 1 / 2  # the empty one is in no language
    assert found["reference_wrong_language"] == 0
    assert (found["empty"], found["num"]) == (1, 3)


def test_a_chinese_summary_is_as_long_as_its_characters():
    found = score(["安全更新"], ["nginx 的安全更新"], language="zh", other_language="en")
    assert (found["length"], found["reference_length"]) == (4, 6)


def test_the_scores_are_flat_finite_numbers():
    found = score(["a b"], ["b c"], language="en", other_language=None)
    kinds = {f"{kind}_{name}" for kind in ("rouge1", "rouge2", "rougeL") for name in "prf"}
    others = {"length", "reference_length", "wrong_language", "reference_wrong_language"}
    assert set(found) == kinds | others | {"empty", "num"}
    assert all(math.isfinite(value) for value in found.values())


def test_scoring_nothing_is_refused():
    with pytest.raises(InputError, match="no summaries"):
        score([], [], language="en", other_language="de")


def test_a_missing_hypothesis_is_refused():
    with pytest.raises(InputError, match="1 hypotheses and 2 references"):
        score(["a"], ["a", "b"], language="en", other_language="de")
