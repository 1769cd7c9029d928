from dataclasses import replace

from rich.console import Console

from mclas_lightning.human.drawing import draw_results
from mclas_lightning.human.results import AnnotatorSigns, HumanAnalysis, SystemDifference
from tests.human.test_results import HUMAN


def shown(results) -> str:
    console = Console(width=150)
    with console.capture() as captured:
        console.print(draw_results(results))
    return captured.get()


def test_intervals_significant_differences_and_signs_are_shown():
    ends = {name: [-0.25, 0.75] for name in ("informativeness", "conciseness", "fluency")}
    clear = SystemDifference(
        perspective="fluency", a="mclas", b="gold", difference=0.5, interval=[0.25, 0.75],
        p=0.001, holm=0.0125,
    )  # fmt: skip
    analysis = HumanAnalysis(
        intervals={"mclas": ends, "gold": ends}, kappa_interval=[0.3, 0.4], alpha=0.36,
        differences=[clear, replace(clear, perspective="conciseness", holm=0.06)],
        annotators=[
            AnnotatorSigns(annotator=7, agreement=0.625, seconds=4.5, signs=["takes no time"])
        ],
    )  # fmt: skip
    text = shown(replace(HUMAN, analysis=analysis, by_perspective={"fluency": HUMAN.agreement}))
    assert "+0.500 [-0.25, +0.75]" in text
    assert "kappa 0.37 [0.30, 0.40]" in text
    assert "fluency: kappa 0.37" in text
    assert "alpha 0.36" in text
    assert "MCLAS - Gold" in text
    assert "0.0125" in text
    assert "0.0600" not in text
    assert "62.50%" in text
    assert "takes no time" in text


def test_a_value_that_rounds_to_zero_has_no_minus():
    ends = {name: [-0.001, 0.75] for name in ("informativeness", "conciseness", "fluency")}
    analysis = HumanAnalysis(
        intervals={"mclas": ends}, kappa_interval=[-0.001, 0.4], alpha=-0.001,
        differences=[], annotators=[],
    )  # fmt: skip
    text = shown(replace(HUMAN, analysis=analysis))
    assert "[+0.00, +0.75]" in text
    assert "[0.00, 0.40]" in text
    assert "alpha 0.00" in text


def test_a_file_without_an_analysis_is_shown_without():
    text = shown(HUMAN)
    assert "+0.500" in text
    assert "[" not in text
