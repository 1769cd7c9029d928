import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.runs.score_checks import (
    TABLE_SCORES,
    check_provenance,
    check_scores,
    check_signatures,
)

SCORES = dict.fromkeys(TABLE_SCORES, 0.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rouge1_f", 33.65, "expected 0 to 1, found 33.65; divide percent by 100"),
        ("paper_rougeLsum_p", -0.1, "expected 0 to 1, found -0.1"),
        ("wrong_language", 5, "expected 0 to 1, found 5; divide percent by 100"),
        ("reference_wrong_language", 5, "expected 0 to 1, found 5; divide percent by 100"),
        ("length", -11.0, "expected 0 or more, found -11.0"),
        ("bertscore_f", 88.7, "expected -inf to 1, found 88.7; divide percent by 100"),
        ("similarity", 61.2, "expected -1 to 1, found 61.2; divide percent by 100"),
    ],
)
def test_an_impossible_score_is_refused(name, value, message):
    with pytest.raises(InputError) as caught:
        check_scores("cross", SCORES | {name: value})
    assert str(caught.value) == f"'scores.cross.{name}': {message}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("rouge1_f", value) for value in (0, 1, 1.0)),
        *(("similarity", 1 + 1e-6), ("bertscore_r", -1.7), ("bertscore_f", 1 + 1e-6)),
        *(("reference_length", 812.5), ("num", 2000), ("bleu", 33.65)),
    ],
)
def test_possible_scores_and_scores_of_no_table_are_taken(name, value):
    check_scores("cross", SCORES | {name: value})


def test_a_signature_is_of_the_language_of_its_side():
    signed = {"rouge": "rouge|profile:standard|lang:en|tok:words"}
    for language in ("en", ""):
        check_signatures("mono", signed, SCORES, language)
    said = "says that mono summaries are in zh, 'signatures.mono.rouge' that they are in en"
    with pytest.raises(InputError, match=said):
        check_signatures("mono", signed, SCORES, "zh")


@pytest.mark.parametrize(
    ("provenance", "message"),
    [
        ({"training": "3 epochs"}, "'provenance.training' must be an object, found '3 epochs'"),
        ({"training": {"seen": None}}, "'provenance.training.seen' must be an object, found None"),
        (
            {"training": {"seen": {"documents_per_update": "32"}}},
            "'provenance.training.seen.documents_per_update' must be a number, found '32'",
        ),
        ({"recipe": "mT5"}, "'provenance.recipe' must be an object, found 'mT5'"),
        ({"writes": {"cross": True}}, "'provenance.writes.cross' must be an object, found True"),
        ({"test_sha256": [3]}, "'provenance.test_sha256' must be a text or null, found [3]"),
    ],
)
def test_provenance_that_tables_would_stumble_over_is_refused(provenance, message):
    with pytest.raises(InputError) as caught:
        check_provenance(provenance)
    assert str(caught.value) == message


def test_provenance_of_an_outside_system_may_hold_anything_else():
    check_provenance({"git_commit": None, "checkpoint": ["mT5"], "training": {"epochs": 3}})
