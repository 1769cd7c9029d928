import json
import shlex
from pathlib import Path

import pytest

from benchmarks.runs import write_run
from mclas_lightning.files import write_json
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.pretrained import with_pretraining
from tests.report.score_sheets import NUM, change, rows, table

TOY = "toy_en2de"  # its systems start from the ms run of toy_en


def scored_elsewhere(runs: Path, seed: int, name: str = "en2de-0", **other) -> Path:
    """Scores of toy_en's ms run on the test set of toy_en2de, changed by ``other``."""
    run = write_run(runs, "toy_en", "full", "ms", seed, num=NUM)
    folder = runs / "toy_en" / "full" / "ms" / f"seed={seed}"
    write_json(folder / "training.json", {})
    place = folder / "test" / name / "results.json"
    own = json.loads((runs / TOY / "maximum/mclas/seed=0/results.json").read_text())
    run.write(place)
    change(place, provenance__test_sha256=own["provenance"]["test_sha256"], **other)
    return place


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for model in ("ncls_ms", "mclas"):
        for seed in (0, 1):
            write_run(tmp_path / "runs", TOY, "maximum", model, seed, num=NUM)
    return Path("runs")


@pytest.mark.parametrize("num", [6, 7])
def test_a_pretraining_of_another_corpus_is_scored_on_the_datasets_test_set(runs, num):
    write_run(runs, "toy_en", "full", "ms", 0, num=NUM)
    write_json(runs / "toy_en/full/ms/seed=0/training.json", {})
    (sheet,) = table(num, runs, TOY)
    assert sheet.commands == [
        "mclas-train dataset=toy_mono model=ms seed=1",
        "mclas-evaluate runs/toy_en/full/ms/seed=0 dataset=toy",
        "mclas-evaluate runs/toy_en/full/ms/seed=1 dataset=toy",
    ]
    places = [scored_elsewhere(runs, seed) for seed in (0, 1)]
    (sheet,) = table(num, runs, TOY)
    assert (sheet.missing, sheet.commands) == (0, [])
    assert any(str(places[1].parent) in note for note in sheet.notes)


def test_scores_of_other_documents_are_no_row(runs):
    scored_elsewhere(runs, 0)
    change(scored_elsewhere(runs, 1), provenance__test_sha256="0" * 64)
    (sheet,) = table(6, runs, TOY)
    assert rows(sheet)["MS-Pretrain",]["Seeds"] == "1"
    (line,) = sheet.commands
    assert shlex.split(line)[1] == "runs/toy_en/full/ms/seed=1"


def test_of_several_decodings_that_of_the_compared_systems_counts(runs):
    scored_elsewhere(runs, 0, "en2de-0", decoding={"beam": 1})
    place = scored_elsewhere(runs, 0, "en2de-1")
    scored_elsewhere(runs, 0, "en2de-2", decoding={"beam": 3})
    assert [r.folder for r in with_pretraining(TOY, Runs(runs)) if r.model == "ms"] == [
        place.parent
    ]


def test_scores_of_the_ms_run_that_systems_start_from_replace_those_of_another(runs):
    write_run(runs, TOY, "full", "ms", 0, num=NUM)
    assert with_pretraining(TOY, Runs(runs)) == Runs(runs).of(TOY)
    scored_elsewhere(runs, 0)
    (ms,) = (run for run in with_pretraining(TOY, Runs(runs)) if run.model == "ms")
    assert ms.dataset == "toy_en"


def test_an_ms_run_of_the_same_corpus_needs_no_evaluation(runs):
    write_run(runs, "en2desum", "maximum", "mclas", 0, num=NUM)
    (sheet,) = table(6, runs, "en2desum")
    assert sheet.commands[0] == "mclas-train dataset=en2desum model=ms"
    assert not any("mclas-evaluate" in line for line in sheet.commands)
