import json

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.results import (
    FleissAgreement,
    HumanResults,
    find_human_results,
    human_results_path,
)

ROW = {"informativeness": 0.5, "conciseness": 0.25, "fluency": 0.0}
HUMAN = HumanResults(
    dataset="toy_en2de",
    scenario="minimum",
    documents=11,
    annotators=3,
    preferences={"mclas": ROW, "gold": {name: -value for name, value in ROW.items()}},
    agreement=FleissAgreement(kappa=0.37, overall=0.6),
    provenance={"seed": 0},
)

NOTHING = {"intervals": {}, "differences": [], "annotators": []}
ANALYSIS = {**NOTHING, "kappa_interval": None, "alpha": 0.3}


@pytest.fixture
def path(tmp_path):
    HUMAN.write(human_results_path(tmp_path, "toy_en2de", "minimum"))
    return human_results_path(tmp_path, "toy_en2de", "minimum")


def test_a_human_evaluation_survives_writing_and_reading(path):
    assert HumanResults.read(path) == HUMAN


def test_it_is_found_in_its_place(path, tmp_path):
    assert find_human_results(tmp_path, "toy_en2de", "minimum") == HUMAN
    assert find_human_results(tmp_path, "toy_en2de", "full") is None


def test_a_file_in_anothers_place_is_refused(path, tmp_path):
    HUMAN.write(human_results_path(tmp_path, "toy_en2de", "full"))
    with pytest.raises(InputError, match=r"full/human\.json: this file belongs at .*minimum"):
        find_human_results(tmp_path, "toy_en2de", "full")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 0}, "expected format 1, found 0; score the sheets again"),
        ({"annotators": 1}, "annotators: expected 2 or more, found 1"),
        ({"documents": "x"}, "human.documents: expected a whole number, found 'x'"),
        ({"scores": {}}, "'scores' does not exist"),
        ({"preferences": {"gold": {"fluencies": 0}}}, "did you mean 'fluency'"),
        ({"preferences": {"gold": {"fluency": 0}}}, "preferences.gold.informativeness: is missing"),
        ({"preferences": {"gold": ROW | {"fluency": 2}}}, "from -1 to 1, found 2"),
        ({"preferences": {"gold": ROW | {"fluency": float("nan")}}}, "from -1 to 1, found nan"),
        ({"agreement": {"kappa": 0.5}}, "human.agreement.overall: is missing"),
        ({"agreement": {"kappa": 0.5, "overall": 60.48}}, "from 0 to 1, found 60.48"),
        ({"provenance": {"not_returned": 3}}, "not_returned: expected a list, found 3"),
        (
            {"analysis": ANALYSIS | {"intervals": {"mclas": {"fluency": [0.1]}}}},
            "analysis, interval of mclas.fluency: expected two ends, found [0.1]",
        ),
        ({"analysis": ANALYSIS | {"kappa_interval": []}}, "of kappa: expected two ends, found []"),
    ],
)
def test_a_wrong_file_is_refused_with_its_path_and_reason(path, change, message):
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as caught:
        HumanResults.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_missing_key_is_named(path):
    record = json.loads(path.read_text())
    del record["agreement"]
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"human\.json: human\.agreement: is missing"):
        HumanResults.read(path)
