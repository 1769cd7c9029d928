import re

import pytest
from rich.console import Console

from mclas_lightning.errors import InputError
from mclas_lightning.human.drawing import draw_results
from mclas_lightning.human.results import find_human_results
from mclas_lightning.human.sheet import write_sheets
from mclas_lightning.human.simulated import simulate_evaluation
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.human_tables import human_table_sheets

NEAR = {"ncls": "x y z", "ncls_ms": "x of z", "mclas": "reference of {n}"}


@pytest.fixture
def judged(tmp_path, run):
    """Three simulated annotators' evaluation; MCLAS writes the reference's words."""
    runs = [run(model, text=text) for model, text in NEAR.items()]
    return simulate_evaluation(runs, tmp_path / "out", num=20)


def test_simulated_annotators_prefer_what_shares_words_with_the_reference(judged):
    for perspective in ("informativeness", "conciseness", "fluency"):
        values = {system: row[perspective] for system, row in judged.preferences.items()}
        assert min(values["mclas"], values["gold"]) > max(values["ncls"], values["ncls_ms"])
    assert values["ncls"] < 0
    assert 0 < judged.agreement.kappa < 1


def test_they_are_called_simulated_wherever_their_numbers_stand(judged, tmp_path):
    console = Console(width=150)
    with console.capture() as captured:
        console.print(draw_results(judged))
    assert "20 documents, 3 simulated annotators" in " ".join(captured.get().split())
    for number in (3, 4):
        (sheet,) = human_table_sheets(number, ["toy_en2de"], Runs(tmp_path / "out" / "runs"))
        assert "minimum: 20 documents, 3 simulated annotators." in sheet.notes
        assert "simulated annotators" in sheet.title
        assert not sheet.commands  # which would need runs beside the simulation
        assert sheet.name == f"table{number}-toy_en2de-simulated"  # in CSV, which has no notes
    for annotator in (1, 2, 3):
        page = (tmp_path / "out/pages" / f"annotator{annotator}.html").read_text(encoding="utf-8")
        assert re.search(r'"mark": " \(simulated\)"', page)
        answers = (tmp_path / "out" / f"annotator{annotator}-answers.csv").read_text()
        assert answers.count("simulated annotator") == 20


def test_tables_of_the_runs_themselves_never_see_them(judged, tmp_path):
    assert find_human_results(tmp_path / "runs", "toy_en2de", "minimum") is None
    assert find_human_results(tmp_path / "out" / "runs", "toy_en2de", "minimum") == judged


def test_a_second_simulation_replaces_the_first_and_nothing_else(judged, tmp_path, runs):
    assert simulate_evaluation(runs, tmp_path / "out", num=3).documents == 3
    write_sheets(runs, tmp_path / "real", num=3, seed=0, annotators=2)
    with pytest.raises(InputError, match="real: holds no simulated evaluation"):
        simulate_evaluation(runs, tmp_path / "real", num=3)
    assert (tmp_path / "real" / "key.json").exists()
