"""The study's plan, its commands, and what is drawn from its results (experiments/study/)."""

import dataclasses
import json
import re
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from benchmarks.runs import SIDES, write_run
from benchmarks.search import SEARCHES
from experiments.study.collect import collect
from experiments.study.draw import drawing
from experiments.study.draw import main as draw
from experiments.study.effects import Curve, Study, correlations, curve, needed, worth
from experiments.study.findings import SEARCHED, findings, missing
from experiments.study.heads import analyzed, places
from mclas_lightning.metrics.significance import compare_all
from mclas_lightning.report.gains import Place, gains
from mclas_lightning.runs.documents import DOCUMENT_SCORES
from mclas_lightning.runs.heads import HeadsResults
from mclas_lightning.runs.results import Results, find_results
from mclas_lightning.sweep.plan import plan_runs

ROOT = Path(__file__).parents[1]

SIZES = {"minimum": 190, "maximum": 1010}
MODELS = ("ncls", "ncls_ms", "mclas", "ncls_scratch", "mclas_scratch")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for place in product(SIZES, MODELS, range(3)):
        write_trained(folder, *place)
    return folder


def write_trained(
    runs: Path, scenario: str, model: str, seed: int, dataset: str = "toy_en2de"
) -> Path:
    """The folder of a made-up run that says on how many documents it was trained."""
    run = write_run(runs, dataset, scenario, model, seed, num=31)
    seen = {"documents_per_update": SIZES[scenario] / 10, "epochs": 7.0}
    trained = {"updates": 70, "cut_off": seed == 2, "seen": seen}
    folder = runs / dataset / scenario / model / f"seed={seed}"
    provenance = run.provenance | {"training": trained}
    dataclasses.replace(run, provenance=provenance).write(folder / "results.json")
    return folder


def test_the_scores_of_finished_runs_are_collected_and_nothing_else(runs, tmp_path):
    begun = tmp_path / "runs" / "toy_en2de" / "minimum" / "mclas" / "seed=0"
    for seed in (0, 1):
        write_run(tmp_path / "runs", "toy_en2de", "minimum", "mclas", seed, num=7)
    (begun / "predictions.jsonl").write_text("{}\n")
    (begun / SEARCHES).write_text("{}\n")
    unfinished = tmp_path / "runs" / "toy_en2de" / "minimum" / "ncls" / "seed=0"
    unfinished.mkdir(parents=True)
    (unfinished / "config.yaml").write_text("seed: 0\n")
    results = tmp_path / "results"
    assert collect(tmp_path / "runs", results) == 2
    assert find_results(results) == find_results(tmp_path / "runs")
    files = {path.name for path in results.rglob("*") if path.is_file()}
    assert files == {"results.json", DOCUMENT_SCORES, SEARCHES}
    place = Place("toy_en2de", "minimum", "mclas")
    for name in ("cross/rouge1_f", "mono/rouge1_f", "cross/length"):
        kept, whole = Study(results), Study(tmp_path / "runs")
        assert (kept.documents(place, name) == whole.documents(place, name)).all()


def test_make_study_does_the_sweeps_of_the_plan_and_all_of_them():
    made = re.findall(r"study_\w+", (ROOT / "Makefile").read_text(encoding="utf-8"))
    plan = (ROOT / "experiments" / "study" / "plan.md").read_text(encoding="utf-8")
    files = {path.stem for path in (ROOT / "experiments" / "sweep").glob("study_*.yaml")}
    assert set(made) == set(re.findall(r"study_\w+", plan)) == files


def test_the_size_of_a_scenario_is_what_its_runs_trained_on(runs):
    assert {name: Study(runs).size("toy_en2de", name) for name in SIZES} == SIZES


def test_a_gain_is_the_difference_that_the_tables_test(runs):
    study = Study(runs)
    found = gains(study.results)
    assert [gain.place[1:] for gain in found] == [
        (scenario, model) for scenario in SIZES for model in ("ncls", "ncls_ms")
    ]
    first, second = (
        np.stack([run.documents()["cross/rouge1_f"] for run in find_results(runs, model=model)])
        for model in ("mclas", "ncls")
    )
    # Runs of a scenario lie together, and minimum comes first.
    (alone,) = compare_all([(100 * first[:3], 100 * second[:3])])
    assert found[0].compared.difference == pytest.approx(alone.difference)
    assert found[0].compared.low == pytest.approx(alone.low)
    assert found[0].compared.p >= alone.p


@pytest.mark.parametrize(
    ("score", "summaries"),
    [(20, 100), (15, 100), (30, 1000), (25, 10**2.5), (35, 10**3.5), (40, 10_000), (40.1, None)],
)
def test_the_number_of_summaries_is_interpolated_over_its_logarithm(score, summaries):
    lower = Curve([100, 1000, 10_000], [20.0, 30.0, 40.0], [(0, 0)] * 3)
    found = needed(lower, score)
    assert found == (pytest.approx(summaries) if summaries else None)


def test_an_idea_is_worth_what_its_curve_needs(runs):
    study = Study(runs)
    scratch = curve(study, "toy_en2de", "ncls_scratch")
    (own,) = [
        row for row in worth(study, "toy_en2de")
        if row[0] == "initialization from MS" and row[1] == "NCLS" and row[3] == SIZES["minimum"]
    ]  # fmt: skip
    assert own[4] == needed(scratch, curve(study, "toy_en2de", "ncls").means[0])


def test_the_correlation_is_of_the_documents_ranks(runs):
    place = Place("toy_en2de", "minimum", "mclas")
    found = correlations(Study(runs), place)
    run = find_results(runs, scenario="minimum", model="mclas")[0].documents()
    ranks = [rankdata(run[f"{side}/rouge1_f"]) for side in ("mono", "cross")]
    assert found[0] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert correlations(Study(runs), place._replace(model="ncls")) == []
    scores = Study(runs).documents(place, "mono/rouge1_f")
    assert scores is not None
    mean = scores.mean(1)
    row = f"| MCLAS | 3 | {mean.mean():.2f} ±{mean.std(ddof=1):.2f} | {np.mean(found):.2f} ±"
    assert row in findings(Study(runs), [])


def test_a_missing_run_and_one_that_was_cut_off_are_named(runs):
    left = missing(Study(runs), plan_runs(["study_main"]))
    assert "toy_en2de/minimum/ncls/seed=3" in left
    assert "toy_en2de/minimum/ncls/seed=2" not in left
    assert len(left) == 35 - 2 * 3 * 3
    assert "they improved: toy_en2de/minimum/ncls/seed=2," in findings(Study(runs), [])


def test_the_findings_hold_what_heads_do_over_seeds(tmp_path):
    for seed in (0, 1):
        folder = write_trained(tmp_path, "maximum", "mclas", seed)
        mean, lists = [[0.1, 0.3 + seed / 10]], [[0.0, 0.0]]
        score = {"num": 3, "mean": mean, "low": lists, "high": lists, "share": lists}
        loss = {"mono": [[0.01, 0.04]], "cross": [[0.03, 0.02 * seed]]}
        made = HeadsResults(
            run={"dataset": "toy_en2de", "scenario": "maximum", "model": "mclas", "seed": seed},
            thresholds={"self": {"translation": 0.2, "local": 0.2}, "cross": {}},
            decoders={"decoder": {"gold": {"self": {"translation": score}, "cross": {}}}},
            alignment={"best head": 0.5 + seed / 10},
            ablation={"decoder": {"change": {"zero": {"self": {"loss": loss}}}}},
        )
        made.write(folder, [])
    found = findings(Study(tmp_path), [])
    assert (
        "| self: translation | 23 | 1.0 ±0.0 | 0.35 ±0.07 | +0.040 ±0.000 | +0.010 ±0.014 "
        "| +1.00 ±0.00 | -1.00 ±0.00 |"
    ) in found
    assert "self: local" not in found
    assert "| best head | 0.550 ±0.071 |" in found
    collect(tmp_path, tmp_path / "results")
    assert findings(Study(tmp_path / "results"), []) == found


def test_trained_runs_align_through_the_document_better_than_the_diagonal_and_chance():
    study = Study(ROOT / "experiments" / "study" / "results")
    found = [one.alignment for place in places(study) for one in analyzed(study, place)]
    assert len(found) >= 10
    for rates in found:
        assert rates["through the document"] < rates["diagonal"] < rates["random"]


def test_the_findings_hold_what_followed_a_forced_summary(runs, tmp_path):
    for seed in (0, 1):
        folder = write_trained(tmp_path, "minimum", "mclas", seed)
        scores = zip(SEARCHED, (41.0, 37.0, 83.0, 29.0), strict=True)
        written = {name: {"cross R-1": score + seed} for name, score in scores}
        (folder / SEARCHES).write_text(json.dumps(written))
    row = "| toy_en2de | minimum | 2 | 41.50 ±0.71 | 37.50 ±0.71 | 83.50 ±0.71 | 29.50 ±0.71 |"
    assert row in findings(Study(tmp_path), [])


def test_the_search_of_rates_is_logged_and_its_lowest_losses_are_bold(tmp_path):
    losses = {("ncls", 0.01): 1.5, ("ncls", 0.02): 1.25, ("mclas", 0.01): 1.75, ("mclas", 0.04): 2}
    for (model, rate), loss in losses.items():
        folder = write_trained(tmp_path / "runs/tuning" / f"{rate}", "minimum", model, 0)
        run = Results.read(folder / "results.json")
        provenance = run.provenance | {"recipe": {"optim.encoder.lr": rate}}
        dataclasses.replace(run, provenance=provenance).write(folder / "results.json")
        trained = {"updates": 70, "cut_off": False, "monitor": "val/loss_cross"}
        (folder / "training.json").write_text(json.dumps(trained | {"best_val_loss": loss}))
    write_trained(tmp_path / "runs", "minimum", "ncls", 0)
    collect(tmp_path / "runs", tmp_path / "results")
    log = json.loads((tmp_path / "results" / "tuning.json").read_text())
    assert [(run["model"], run["rate"]) for run in log] == [*losses]
    assert [run["val/loss_cross"] for run in log] == [*losses.values()]
    scores = [f"({100 * run['test/cross/rouge1_f']:.1f})" for run in log]
    page = findings(Study(tmp_path / "results"), [])
    place = "| toy_en2de | minimum |"
    assert f"{place} NCLS | 1.500 {scores[0]} | **1.250** {scores[1]} | - |\n" in page
    assert f"{place} MCLAS | **1.750** {scores[2]} | - | 2.000 {scores[3]} |\n" in page


def test_cases_are_of_the_least_the_median_and_the_largest_gain_of_the_first_seed(tmp_path):
    runs, results = tmp_path / "runs", tmp_path / "results"
    for model, seed in product(("ncls", "ncls_ms", "mclas"), (0, 1)):
        folder = write_trained(runs, "minimum", model, seed)
        texts = [
            {
                "id": f"toy_en2de-{n:06}",
                "document": f"d{n}",
                "references": {"mono": f"a{n}", "cross": f"b{n}"},
                "hypotheses": {side: f"{side} {n} by {model}{seed}" for side in SIDES[model]},
            }
            for n in range(31)
        ]
        (folder / "predictions.jsonl").write_text("".join(json.dumps(t) + "\n" for t in texts))
    collect(runs, results)
    mclas, ncls = (
        Study(results).documents(Place("toy_en2de", "minimum", model))
        for model in ("mclas", "ncls")
    )
    assert mclas is not None
    assert ncls is not None
    gains_of_first = (mclas - ncls)[0]
    order = np.argsort(gains_of_first, kind="stable")
    least, median, most = (int(order[place]) for place in (0, 15, 30))
    found = json.loads((results / "toy_en2de" / "minimum" / "cases.json").read_text())
    assert [case["document"] for case in found] == [f"d{n}" for n in (least, median, most)]
    page = findings(Study(results), [])
    head = f"**Most: {gains_of_first.max():+.1f}.** d{most}\n"
    assert f"{head}\n- reference: S^A: a{most}; S^B: b{most}\n" in page
    written = f"S^A: mono {most} by mclas0; S^B: cross {most} by mclas0"
    assert f"- MCLAS: {written} ({mclas[0, most]:.1f})" in page
    shutil.rmtree(runs / "toy_en2de" / "minimum" / "ncls")
    collect(runs, results)
    assert findings(Study(results), []) == page, "cases stay where their runs have gone"


def test_no_texts_of_other_people_are_collected(tmp_path):
    for model in ("ncls", "ncls_ms", "mclas"):
        write_trained(tmp_path / "runs", "minimum", model, 0, "debian_en2de")
    assert collect(tmp_path / "runs", tmp_path / "results") == 3
    files = {path.name for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert files == {"results.json", DOCUMENT_SCORES}


def test_the_legend_names_what_any_panel_shows(tmp_path):
    for dataset, model in (("debian_en2de", "mclas"), ("toy_en2de", "mclas_scratch")):
        for seed in (0, 1):
            write_trained(tmp_path, "minimum", model, seed, dataset)
    (legend,) = drawing(Study(tmp_path))().legends
    assert [text.get_text() for text in legend.get_texts()] == ["MCLAS", "MCLAS, from scratch"]


@pytest.mark.slow
def test_what_is_committed_is_what_the_committed_results_draw(tmp_path, monkeypatch):
    results = ROOT / "experiments" / "study" / "results"
    (tmp_path / "images").mkdir()
    monkeypatch.setattr("sys.argv", ["draw", str(results), str(tmp_path)])
    draw()
    for name in ("study-findings.md", "images/study.svg"):
        drawn, committed = (
            # The sixth decimal of a coordinate may differ from one process to another.
            re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.2f}", text)
            for text in ((folder / name).read_text("utf-8") for folder in (tmp_path, ROOT / "docs"))
        )
        assert drawn == committed
