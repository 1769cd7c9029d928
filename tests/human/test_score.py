"""From runs to human.json, with simulated annotators."""

import json
import random
import subprocess
import sys
from collections import Counter
from itertools import combinations

import pytest

from mclas_lightning import cli
from mclas_lightning.files import sha256
from mclas_lightning.human.results import PERSPECTIVES, HumanResults, find
from mclas_lightning.human.score import score_sheets
from mclas_lightning.human.sheet import write_sheets

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
    found = find(tmp_path / "runs", "toy_en2de", "minimum")
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


def test_annotators_of_one_mind_agree_wholly(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    found = score_sheets(tmp_path / "sheets")
    assert (found.agreement.kappa, found.agreement.overall) == (1, 1)
    assert {system: row["fluency"] for system, row in found.preferences.items()} == {
        "ncls": -1, "ncls_ms": 0, "mclas": 1, "gold": 0,
    }  # fmt: skip


def test_provenance_names_runs_key_and_sheets_by_content(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=5, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    provenance = score_sheets(tmp_path / "sheets").provenance
    assert provenance["seed"] == 5
    assert provenance["runs"]["mclas"] == {
        "seed": 0, "predictions_sha256": sha256(runs[2].folder / "predictions.jsonl"),
    }  # fmt: skip
    assert provenance["key_sha256"] == sha256(tmp_path / "sheets" / "key.json")
    sheet = tmp_path / "sheets" / "annotator2.csv"
    assert provenance["sheets_sha256"]["annotator2.csv"] == sha256(sheet)


def test_the_file_is_written_where_it_is_asked_for(tmp_path, runs, fill, main):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--models", "mclas", "--num", "3"]
    main("sheet", *words, "--annotators", "2", "--out", "sheets")
    fill(tmp_path / "sheets", lambda item, perspective: ("gold", "mclas"))
    main("score", "sheets", "--out", "there/human.json")
    assert HumanResults.read(tmp_path / "there" / "human.json").preferences["gold"]["fluency"] == 1
    assert find(tmp_path / "runs", "toy_en2de", "minimum") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score", "sheets"), r"annotator1.csv:2: column 'informativeness_best' is empty"),
        (("score", "nowhere"), "nowhere/key.json: no such file"),
        (("sheet", "--scenario", "full"), "runs/toy_en2de/full/ncls: no finished run here"),
        (("sheet", "--num", "30"), "expected 30 documents, but ncls, ncls_ms, mclas share 29"),
        (("sheet", "--annotators", "1"), "--annotators: expected 2 or more"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path, runs, words, said):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    before = sorted(tmp_path.rglob("*"))
    if words[0] == "sheet":
        defaults = ["--dataset", "toy_en2de", "--scenario", "minimum", "--out", "new"]
        words = ["sheet", *defaults, *words[1:]]
    command = [sys.executable, "-m", "mclas_lightning.cli", "human", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_the_file_is_the_documented_one(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    fill(tmp_path / "sheets", lambda item, perspective: ("mclas", "ncls"))
    score_sheets(tmp_path / "sheets").write(tmp_path / "human.json")
    documented = "format dataset scenario documents annotators preferences agreement provenance"
    assert list(json.loads((tmp_path / "human.json").read_text())) == documented.split()
