import math

import numpy as np
import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.counting import ROUGE_KINDS
from mclas_lightning.metrics.rouge import paper_profile, standard_profile
from mclas_lightning.metrics.score import overlap_scores, system_scores, text_scores

LENGTHS = {"length", "reference_length"}


def test_all_scores_of_a_small_corpus_equal_a_count_by_hand():
    hypotheses = ["Die Polizei sucht Zeugen", "", "The police look for witnesses here"]
    references = ["Die Polizei sucht Zeugen", "Regen im Norden", "Polizei sucht die Zeugen hier"]
    scores = system_scores(hypotheses, references, [standard_profile("de")])
    assert scores.documents["rouge1_f"].tolist() == [1, 0, 0]
    assert scores.documents["length"].tolist() == [4, 0, 6]
    found = scores.totals
    assert found["rouge1_f"] == pytest.approx((1 + 0 + 0) / 3)
    assert found["rouge2_p"] == found["rougeL_r"] == pytest.approx(1 / 3)
    assert found["length"] == pytest.approx((4 + 0 + 6) / 3)
    assert found["reference_length"] == pytest.approx((4 + 3 + 5) / 3)
    assert found["wrong_language"] == 1 / 2  # the empty one is in no language
    assert found["reference_wrong_language"] == 0
    assert (found["empty"], found["num"]) == (1, 3)


def test_a_chinese_summary_is_as_long_as_its_characters():
    found = overlap_scores(["安全更新"], ["nginx 的安全更新"], [standard_profile("zh")]).totals
    assert (found["length"], found["reference_length"]) == (4, 6)


def test_each_profile_has_its_names_and_its_signature():
    profiles = [standard_profile("de"), paper_profile("de")]
    found = system_scores(["Städtes"], ["Stadt"], profiles)
    names = {
        f"{prefix}{kind}_{n}" for prefix in ("", "paper_") for kind in ROUGE_KINDS for n in "prf"
    }
    assert set(found.documents) == names | LENGTHS
    shares = {"wrong_language", "reference_wrong_language"}
    assert set(found.totals) == names | LENGTHS | shares | {"empty", "num"}
    assert all(math.isfinite(value) for value in found.totals.values())
    assert (found.totals["rouge1_f"], found.totals["paper_rouge1_f"]) == (0, 1)
    assert found.signatures == {
        "rouge": profiles[0].signature, "paper_rouge": profiles[1].signature
    }  # fmt: skip


def test_further_scores_join_them():
    found = overlap_scores(["a", "b"], ["a", "c"], [standard_profile("en")])
    more = found.plus({"similarity": np.array([0.5, 0.25])}, {"similarity": "similarity|encoder:x"})
    assert more.totals == found.totals | {"similarity": 0.375}
    assert more.signatures == {**found.signatures, "similarity": "similarity|encoder:x"}


def test_scoring_nothing_is_refused():
    with pytest.raises(InputError, match="no summaries"):
        system_scores([], [], [standard_profile("en")])


def test_a_missing_hypothesis_is_refused():
    with pytest.raises(InputError, match="1 hypotheses and 2 references"):
        system_scores(["a"], ["a", "b"], [standard_profile("en")])


def test_signs_of_a_collapse_are_among_the_scores_of_texts():
    profiles = [standard_profile("de")]
    found = text_scores(["a b", "a b"], ["a b", "c d"], ["x", "y"], profiles)
    expected = system_scores(["a b", "a b"], ["a b", "c d"], profiles)
    assert found.totals.items() >= expected.totals.items()
    assert (found.totals["distinct"], found.totals["reference_distinct"]) == (0.5, 1)
