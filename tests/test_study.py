"""The study's plan and its commands (experiments/study/)."""

import re
import runpy
from pathlib import Path

from benchmarks.runs import write_run
from mclas_lightning.runs.documents import DOCUMENT_SCORES
from mclas_lightning.runs.results import find_results

ROOT = Path(__file__).parents[1]


def test_the_scores_of_finished_runs_are_collected_and_nothing_else(tmp_path):
    collect = runpy.run_path(str(ROOT / "experiments" / "study" / "collect.py"))["collect"]
    runs, results = tmp_path / "runs", tmp_path / "results"
    for seed in (0, 1):
        write_run(runs, "toy_en2de", "minimum", "mclas", seed, num=7)
    begun = runs / "toy_en2de" / "minimum" / "ncls" / "seed=0"
    begun.mkdir(parents=True)
    (begun / "config.yaml").write_text("seed: 0\n")
    assert collect(runs, results) == 2
    assert find_results(results) == find_results(runs)
    files = {path.name for path in results.rglob("*") if path.is_file()}
    assert files == {"results.json", DOCUMENT_SCORES}


def test_make_study_does_the_sweeps_of_the_plan_and_all_of_them():
    made = re.findall(r"study_\w+", (ROOT / "Makefile").read_text(encoding="utf-8"))
    plan = (ROOT / "experiments" / "study" / "plan.md").read_text(encoding="utf-8")
    files = {path.stem for path in (ROOT / "experiments" / "sweep").glob("study_*.yaml")}
    assert set(made) == set(re.findall(r"study_\w+", plan)) == files
