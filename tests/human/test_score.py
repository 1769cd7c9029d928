"""From runs to human.json, with simulated annotators."""

import json
import random
import sys
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations

import pytest
import torch
from torchmetrics.functional.nominal import fleiss_kappa

from mclas_lightning import paper
from mclas_lightning.cli import main as cli
from mclas_lightning.files import sha256
from mclas_lightning.human.judgements import Judgement
from mclas_lightning.human.results import FEWEST_DOCUMENTS, PERSPECTIVES, find_human_results
from mclas_lightning.human.score import fleiss, label_counts, preferences, score_filled_sheets
from mclas_lightning.human.sheet import write_sheets
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.human_tables import human_table_sheets

QUALITY = {"gold": 0.9, "mclas": 0.5, "ncls": 0.2, "ncls_ms": 0.1}


@pytest.fixture
def main(tmp_path, monkeypatch, capsys):
    """``mclas human ...`` in a folder with runs; what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["mclas", "human", *words])
        cli.main()
        return capsys.readouterr().out

    return run


def test_simulated_annotators_give_back_what_they_think(tmp_path, runs, fill, main):
    shown = main("sheet", "--dataset", "toy_en2de", "--scenario", "minimum", "--out", "sheets")
    assert "sheets: 7 sheets of 20 documents, 4 summaries each (ncls seed=0, " in shown
    assert shown.endswith("score what comes back with: mclas human score sheets\n")

    draw, tally, said = random.Random(0), Counter(), {}

    def choose(item, perspective):
        felt = {system: value + draw.gauss(0, 0.3) for system, value in QUALITY.items()}
        best, worst = max(felt, key=felt.__getitem__), min(felt, key=felt.__getitem__)
        tally[best, perspective] += 1
        tally[worst, perspective] -= 1
        said[item.annotator, item.document, perspective] = {best: "best", worst: "worst"}
        return best, worst

    fill(tmp_path / "sheets", choose)
    shown = main("score", "sheets")
    found = find_human_results(tmp_path / "runs", "toy_en2de", "minimum")
    assert found is not None
    assert (found.documents, found.annotators) == (20, 7)
    assert found.preferences == {
        system: {p: tally[system, p] / 140 for p in PERSPECTIVES} for system in found.preferences
    }
    assert list(found.preferences) == ["ncls", "ncls_ms", "mclas", "gold"]
    agreed = [
        said[a, document, perspective].get(system) == said[b, document, perspective].get(system)
        for document in {key[1] for key in said}
        for perspective in PERSPECTIVES
        for system in QUALITY
        for a, b in combinations(range(1, 8), 2)
    ]
    assert found.agreement.overall == pytest.approx(sum(agreed) / len(agreed))
    for perspective in PERSPECTIVES:
        column = {system: row[perspective] for system, row in found.preferences.items()}
        assert sorted(column, key=column.__getitem__)[2:] == ["mclas", "gold"]
    assert f"{found.preferences['gold']['fluency']:+.3f}" in shown
    assert f"Fleiss' kappa {found.agreement.kappa:.2f}" in shown
    assert "runs/toy_en2de/minimum/human.json" in shown


@pytest.mark.usefixtures("runs")
def test_scores_of_other_judgements_are_replaced_and_named(main, tmp_path, fill):
    main("sheet", "--dataset", "toy_en2de", "--scenario", "minimum", "--num=3", "--out", "sheets")
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    replaced = "human.json: held the scores of other judgements, which these replace\n"
    assert replaced not in main("score", "sheets")
    assert replaced not in main("score", "sheets")
    fill(tmp_path / "sheets", lambda item, perspective: ("gold", "ncls"))
    assert replaced in main("score", "sheets")


def test_annotators_of_one_mind_agree_wholly(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    found = score_filled_sheets(tmp_path / "sheets")
    assert (found.agreement.kappa, found.agreement.overall) == (1, 1)
    assert {system: row["fluency"] for system, row in found.preferences.items()} == {
        "ncls": -1, "ncls_ms": 0, "mclas": 1, "gold": 0,
    }  # fmt: skip


def test_provenance_names_runs_key_and_sheets_by_content(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=5, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    provenance = score_filled_sheets(tmp_path / "sheets").provenance
    assert provenance["seed"] == 5
    assert provenance["runs"]["mclas"] == {
        "seed": 0, "predictions_sha256": sha256(runs[2].folder / "predictions.jsonl"),
    }  # fmt: skip
    assert provenance["key_sha256"] == sha256(tmp_path / "sheets" / "key.json")
    sheet = tmp_path / "sheets" / "annotator2.csv"
    assert provenance["sheets_sha256"]["annotator2.csv"] == sha256(sheet)


def test_the_file_is_the_documented_one(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    score_filled_sheets(tmp_path / "sheets").write(tmp_path / "human.json")
    documented = "format dataset scenario documents annotators preferences agreement"
    documented += " by_perspective analysis provenance"
    assert list(json.loads((tmp_path / "human.json").read_text())) == documented.split()


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("num", [1, FEWEST_DOCUMENTS - 1, FEWEST_DOCUMENTS])
def test_too_few_documents_have_no_intervals_and_no_tests_and_say_so(main, tmp_path, fill, num):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--num", str(num)]
    main("sheet", *words, "--out", "sheets")
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    shown = main("score", "sheets")
    found = find_human_results(tmp_path / "runs", "toy_en2de", "minimum")
    assert found is not None
    assert found.analysis is not None
    assert len(found.analysis.annotators) == 7
    (table4,) = human_table_sheets(4, ["toy_en2de"], Runs(tmp_path / "runs"))
    enough = num == FEWEST_DOCUMENTS
    assert ("No intervals and no tests: fewer than 10 documents.\n" in shown) != enough
    assert ("[" in shown) == ("Differences whose" in shown) == enough
    assert bool(found.analysis.differences) == bool(found.analysis.intervals) == enough
    assert any("bootstrap" in note for note in table4.notes) == enough


SYSTEMS = ["ncls", "ncls_ms", "mclas", "gold"]

# Fleiss (1971) as textbooks work it out: 14 raters, 10 items, 5 labels; kappa 0.210.
WORKED = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip

# Fleiss (1971) himself: six psychiatrists' diagnoses of 30 patients; kappa 0.430.
DIAGNOSES = [
    [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0],
    [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6],
    [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1],
    [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3],
    [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1],
    [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
]  # fmt: skip


def by_pairs(counts: list[list[int]]) -> tuple[float, float]:
    """Kappa and agreement by going through all pairs of raters, in exact arithmetic."""
    given = [[label for label, k in enumerate(row) for _ in range(k)] for row in counts]
    pairs = [a == b for row in given for a, b in combinations(row, 2)]
    agree = Fraction(sum(pairs), len(pairs))
    everything = [label for row in given for label in row]
    drawn = [Fraction(everything.count(label), len(everything)) ** 2 for label in set(everything)]
    return float((agree - sum(drawn)) / (1 - sum(drawn))), float(agree)


def judged(choices: dict[int, list[tuple[str, str]]]) -> list[Judgement]:
    """Judgements by annotator: best and worst in each document, the same from all perspectives."""
    return [
        Judgement(annotator, f"d{n}", perspective, best, worst)
        for annotator, mine in choices.items()
        for n, (best, worst) in enumerate(mine)
        for perspective in ("informativeness", "conciseness", "fluency")
    ]


def at_random(annotators: int, documents: int, seed: int) -> list[Judgement]:
    draw = random.Random(seed)
    pairs = list(permutations(SYSTEMS, 2))
    return judged({a: draw.choices(pairs, k=documents) for a in range(annotators)})


def test_preferences_counted_by_hand():
    found = preferences(
        judged(
            {1: [("gold", "ncls"), ("mclas", "ncls")], 2: [("gold", "mclas"), ("gold", "ncls")]}
        ),
        SYSTEMS,
    )
    by_hand = {"ncls": -3 / 4, "ncls_ms": 0, "mclas": 0, "gold": 3 / 4}
    assert list(found) == SYSTEMS
    for system, row in found.items():
        assert row == dict.fromkeys(("informativeness", "conciseness", "fluency"), by_hand[system])


def test_perspectives_are_counted_apart():
    judgements = [
        Judgement(1, "d0", "informativeness", "gold", "ncls"),
        Judgement(1, "d0", "conciseness", "mclas", "gold"),
        Judgement(1, "d0", "fluency", "mclas", "ncls"),
    ]
    assert preferences(judgements, SYSTEMS)["gold"] == {
        "informativeness": 1, "conciseness": -1, "fluency": 0,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_preferences_of_all_systems_sum_to_0(seed):
    found = preferences(at_random(annotators=7, documents=20, seed=seed), SYSTEMS)
    for perspective in ("informativeness", "conciseness", "fluency"):
        assert sum(row[perspective] for row in found.values()) == pytest.approx(0, abs=1e-12)


def test_kappa_of_the_worked_example():
    found = fleiss(WORKED)
    assert round(found.kappa, 3) == 0.210
    assert round(found.overall, 3) == 0.378


def test_kappa_of_fleiss_own_example():
    assert [sum(column) for column in zip(*DIAGNOSES, strict=True)] == [26, 26, 30, 55, 43]
    assert round(fleiss(DIAGNOSES).kappa, 3) == 0.430


def test_kappa_by_hand():
    # Pairs that agree: 3 of 3, and 1 of 3. Label 1 has 5 of 6, so chance is 25/36 + 1/36 = 26/36.
    found = fleiss([[3, 0], [2, 1]])
    assert found.overall == pytest.approx(4 / 6)
    assert found.kappa == pytest.approx((24 / 36 - 26 / 36) / (10 / 36))


def test_kappa_equals_that_of_all_pairs_and_of_torchmetrics():
    draw = random.Random(0)
    for raters in (2, 3, 7):
        given = [draw.choices(range(4), weights=(5, 3, 2, 1), k=raters) for _ in range(11)]
        counts = [[row.count(label) for label in range(4)] for row in given]
        kappa, overall = by_pairs(counts)
        found = fleiss(counts)
        assert (found.kappa, found.overall) == pytest.approx((kappa, overall), abs=1e-12)
        theirs = fleiss_kappa(torch.tensor(counts), mode="counts")
        assert found.kappa == pytest.approx(float(theirs), abs=1e-5)


def test_kappa_is_1_where_all_agree_even_on_one_label_alone():
    assert fleiss([[3, 0], [0, 3]]).kappa == 1
    assert fleiss([[5, 0, 0], [5, 0, 0]]).kappa == 1


def test_labels_counted_by_hand():
    rows = label_counts(
        judged({1: [("gold", "ncls")], 2: [("gold", "mclas")], 3: [("mclas", "ncls")]}), SYSTEMS
    )
    of_one_perspective = [[0, 2, 1], [0, 0, 3], [1, 1, 1], [2, 0, 1]]  # best, worst, neither
    assert rows == of_one_perspective * 3


@pytest.mark.parametrize("seed", range(3))
def test_chance_is_three_eighths_of_the_labels_of_four_summaries(seed):
    """So kappa follows from the agreement, as it does in Table 4."""
    rows = label_counts(at_random(annotators=7, documents=20, seed=seed), SYSTEMS)
    assert len(rows) == 20 * 3 * 4
    found = fleiss(rows)
    assert found.kappa == pytest.approx((found.overall - 3 / 8) / (5 / 8), abs=1e-12)


def test_every_agreement_of_table_4_is_one_that_seven_annotators_of_20_documents_can_reach():
    pairs = 20 * 3 * 4 * 7 * 6 // 2
    for cell in paper.numbers().table4["zh2ensum"].values():
        nearest = round(cell.agreement / 100 * pairs) / pairs
        assert round(100 * nearest, 2) == cell.agreement


def test_kappa_of_annotators_who_choose_at_random_is_near_0():
    assert abs(fleiss(label_counts(at_random(7, 100, seed=0), SYSTEMS)).kappa) < 0.03
