import pytest
from rich.console import Console

from mclas_lightning.evaluation.systems import comparison_sentence, systems_table, with_intervals
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.score import system_scores
from mclas_lightning.metrics.significance import Comparison

METHOD = "paired randomization, 10,000 resamples, Holm-corrected over 6 comparisons"
BETTER = Comparison(0.012, 0.004, 0.02, 0.003, METHOD)


def test_the_better_system_is_named_with_all_that_supports_it():
    assert comparison_sentence(BETTER, "A", "B", "ROUGE-1") == (
        "A is better than B by 1.2 ROUGE-1 points (95 % interval 0.4 to 2.0; p = 0.003, paired "
        "randomization, 10,000 resamples, Holm-corrected over 6 comparisons)"
    )


def test_who_is_named_first_does_not_matter():
    turned = Comparison(-0.012, -0.02, -0.004, 0.003, METHOD)
    assert comparison_sentence(turned, "B", "A", "ROUGE-1") == comparison_sentence(
        BETTER, "A", "B", "ROUGE-1"
    )


@pytest.mark.parametrize(("p", "shown"), [(0.0501, "p = 0.050"), (0.0004, "p < 0.001")])
def test_p_is_shown_to_three_places(p: float, shown: str):
    assert f"; {shown}, m)" in comparison_sentence(
        Comparison(0.1, 0.0, 0.2, p, "m"), "A", "B", "ROUGE-L"
    )


def test_no_winner_is_named_where_there_may_be_none():
    found = comparison_sentence(
        Comparison(-0.003, -0.011, 0.005, 0.4567, "exact test"), "A", "B", "ROUGE-2"
    )
    assert found == (
        "no significant difference between A and B: B is ahead by 0.3 ROUGE-2 points "
        "(95 % interval -0.5 to 1.1; p = 0.457, exact test)"
    )


def test_names_that_differ_in_their_ends_are_told_apart_in_a_narrow_table():
    scores = system_scores(["storm"], ["storm"], [standard_profile("en")])
    names = ["mclas_of_the_minimum_scenario_" + end for end in ("beam_1", "beam_5")]
    systems = with_intervals(dict.fromkeys(names, scores), resamples=10, seed=0)
    with (console := Console(width=70)).capture() as shown:
        console.print(systems_table(systems, [], "words").renderables[0])
    column = "".join(line[1:].split("  ")[0] for line in shown.get().splitlines())
    assert all(name in column.replace(" ", "") for name in names)
