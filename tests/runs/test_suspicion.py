import pytest

from mclas_lightning.runs.suspicion import suspicions, with_suspicions

HEALTHY = {
    **{"distinct": 0.95, "repetition": 0.04, "copied": 0.1, "empty": 1, "num": 200},
    **{"reference_distinct": 0.99, "reference_repetition": 0.0, "reference_copied": 0.0},
    "wrong_language": 0.04,
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"distinct": 0.2}, "20% of the summaries are different texts (references 99%)"),
        ({"repetition": 0.3}, "30% of a summary's word pairs stand in it before (references 0%)"),
        ({"copied": 0.6}, "60% of the summaries are copied from their document word for word"),
        ({"wrong_language": 0.4}, "40% of the summaries are in another language (references 2%)"),
        ({"empty": 30}, "15% of the summaries are empty"),
    ],
)
def test_a_collapsed_system_is_suspect_and_its_references_are_the_measure(made_up, changes, reason):
    assert suspicions(made_up("ncls", **HEALTHY), "cross") == []
    run = made_up("ncls", **HEALTHY | changes)
    (said,) = suspicions(run, "cross")
    assert said.startswith(reason)
    assert with_suspicions(run).endswith(f"\n  suspect, cross: {said}")
    # References are never empty: their figure is no score.
    alike = {f"reference_{k}": v for k, v in changes.items() if k != "empty"} or {"empty": 1}
    assert suspicions(made_up("ncls", **HEALTHY | changes | alike), "cross") == []
    assert suspicions(made_up("lead_1", **HEALTHY | changes), "cross") == []
    assert suspicions(made_up("ncls", **HEALTHY | changes | {"num": 19}), "cross") == []


def test_references_in_another_language_are_of_another_test_set(made_up):
    run = made_up("ncls", **HEALTHY | {"wrong_language": 0.0, "reference_wrong_language": 0.95})
    assert suspicions(run, "cross") == ["95% of the references are in another language"]


def test_results_of_an_earlier_version_are_judged_by_what_they_have(made_up):
    assert suspicions(made_up("ncls", num=200), "cross") == []
    assert len(suspicions(made_up("ncls", num=200, wrong_language=0.9), "cross")) == 1
    assert "suspect" not in with_suspicions(made_up("ncls", num=200))
