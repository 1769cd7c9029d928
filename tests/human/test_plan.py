import numpy as np
import pytest
from rich.console import Console

from mclas_lightning.errors import InputError
from mclas_lightning.human import plan as module
from mclas_lightning.human.analysis import bootstrap_preferences, differences
from mclas_lightning.human.plan import Judges, effect_of, fit, kappa_of, plan, power, simulate
from mclas_lightning.human.score import fleiss


def test_fitted_annotators_show_the_effect_and_the_kappa():
    judges = fit(0.3, 0.26)
    scores = simulate(judges, (20_000, 5), seed=3)
    assert effect_of(scores) == pytest.approx(0.3, abs=0.02)
    assert kappa_of(scores) == pytest.approx(0.26, abs=0.01)


def test_kappa_is_that_of_fleiss():
    scores_DAS = simulate(Judges(0.5, 1.0), (11, 5), seed=0)
    counts = [
        [int((row == label).sum()) for label in (1, -1, 0)]
        for document in scores_DAS
        for row in document.T
    ]
    assert kappa_of(scores_DAS) == pytest.approx(fleiss(counts).kappa)


def test_everyone_names_one_best_and_one_worst():
    scores = simulate(Judges(0.5, 1.0), (7, 5, 3), seed=0)
    assert scores.shape == (7, 5, 3, 4)
    assert (np.sort(scores, -1) == [-1, 0, 0, 1]).all()


@pytest.mark.parametrize("spread", [0.0, 1.1])
@pytest.mark.parametrize("size", [(20, 7), (10, 3)])
def test_systems_that_do_not_differ_are_rarely_found_to_differ(spread, size):
    assert power(Judges(0.0, spread), *size) <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


def test_power_is_that_of_the_corrected_tests_of_an_evaluation(monkeypatch):
    monkeypatch.setattr(module, "RESAMPLES", 2_000)
    judges, num, size = fit(0.6, 0.26), 40, (20, 7)
    by_perspective = [simulate(judges, (num, *size), seed=seed) for seed in (5, 6, 7)]
    found = 0
    for scores_PDAS in np.stack(by_perspective, axis=1):
        resampled = bootstrap_preferences(scores_PDAS, module.RESAMPLES, seed=0)
        pairs = differences(resampled, scores_PDAS, "abcd")
        assert len(pairs) == module.TESTS
        found += pairs[0].holm < 0.05
    assert power(judges, *size) == pytest.approx(found / num, abs=2 * (0.25 / num) ** 0.5)


def test_power_grows_with_documents_annotators_and_effect(monkeypatch):
    monkeypatch.setattr(module, "RESAMPLES", 2_000)
    monkeypatch.setattr(module, "DOCUMENTS", (10, 20, 80))
    monkeypatch.setattr(module, "ANNOTATORS", (3, 7))
    monkeypatch.setattr(module, "EFFECTS", (0.2, 0.8))
    found = plan(0.6)
    assert found.power[80, 7] > 0.95 > found.power[20, 7] > found.power[10, 3]
    assert found.power[20, 7] > found.power[20, 3]
    assert found.of_papers_size[0.8] > found.power[20, 7] > found.of_papers_size[0.2]
    console = Console(width=120)
    with console.capture() as captured:
        console.print(module.draw_plan(found))
    text = captured.get()
    assert f"{100 * found.power[20, 7]:.0f}*" in text
    assert "differ by 0.6, at kappa 0.26" in text
    assert "20 documents, 7 annotators, by effect: 0.2:" in text
    assert "80% with the fewest judgements: 80 documents, 3 annotators." in text


@pytest.mark.parametrize("effect", [0, -0.2, 1.5, float("nan")])
def test_an_impossible_effect_is_refused(effect):
    with pytest.raises(InputError, match="--effect: expected more than 0, up to"):
        plan(effect)
