from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.files import EXPERIMENTS
from mclas_lightning.sweep.axes import key_of
from mclas_lightning.sweep.plan import PlannedRun, plan_runs, plan_words

TABLE2 = ["pretrain", "low_resource", "full", "tltran"]
DATASETS = ("zh2ensum", "en2desum", "en2zhsum")
LOW = ("minimum", "medium", "maximum")
SYSTEMS = ("ncls", "ncls_ms", "mclas")
SWEEPS = sorted(path.stem for path in (EXPERIMENTS / "sweep").glob("*.yaml"))


@cache
def table2() -> list[PlannedRun]:
    return plan_runs(TABLE2)


def test_table_2_is_39_cells_of_three_seeds_and_nine_pretrainings():
    runs = table2()
    assert len({run.folder for run in runs}) == len(runs) == 117 + 9
    found = Counter((run.dataset, run.scenario, run.model) for run in runs)
    cells = {*product(DATASETS, LOW, SYSTEMS), *product(DATASETS, ["full"], [*SYSTEMS, "tltran"])}
    assert len(cells) == 39
    assert found == dict.fromkeys(cells | set(product(DATASETS, ["full"], ["ms"])), 3)
    assert {run.seed for run in runs} == {0, 1, 2}


def test_an_ms_run_feeds_the_nine_low_resource_runs_and_tltran_of_its_dataset_and_seed():
    runs = table2()
    folders = [run.folder for run in runs]
    for run in runs:
        builds = run.scenario in LOW or run.model == "tltran"
        ms = Path("runs", run.dataset, "full", "ms", f"seed={run.seed}")
        assert run.needs == ((ms,) if builds else ())
        assert all(folders.index(need) < folders.index(run.folder) for need in run.needs)
    fed = Counter(need for run in runs for need in run.needs)
    assert len(fed) == 9
    assert set(fed.values()) == {9 + 1}


def test_pretrainings_that_a_sweep_needs_are_part_of_it():
    runs = plan_runs(["tltran"], ["dataset=en2desum"])
    assert [run.model for run in runs] == ["ms", "tltran"] * 3
    one = ["dataset=en2desum", "seed=0"]
    assert plan_runs(["low_resource"], one) == plan_runs(["low_resource", "low_resource"], one)
    assert {run.folder for run in plan_runs(["pretrain"], one)} < {
        run.folder for run in plan_runs(["tltran"], one)
    }


@pytest.mark.parametrize("files", [["study_mt", "study_tltran"], ["study_tltran", "study_mt"]])
def test_a_run_follows_what_it_builds_on_whatever_file_comes_first(files):
    runs = plan_runs(files, ["seed=0"])
    order = [run.folder for run in runs]
    pipelines = [run for run in runs if run.model == "tltran"]
    assert len(pipelines) == 8
    for run in pipelines:
        own = Path("runs", run.dataset, run.scenario, "mt", "seed=0")
        assert set(run.needs) == {Path("runs/toy_en/full/ms/seed=0"), own}
        assert all(order.index(need) < order.index(run.folder) for need in run.needs)


def test_the_toy_sweep_pretrains_on_its_own_corpus_once_a_seed():
    runs = plan_runs(["toy"])
    assert Counter(run.dataset for run in runs) == {"toy_en": 2, "toy_en2de": 6, "toy_en2zh": 6}
    assert all(
        run.needs == (Path(f"runs/toy_en/full/ms/seed={run.seed}"),)
        for run in runs if run.model != "ms"
    )  # fmt: skip


@pytest.mark.parametrize("name", SWEEPS)
def test_a_plan_is_what_hydra_makes_of_the_same_file(name):
    runs = [run for run in plan_runs([name], ["seed=1"]) if run.model != "ms" or name == "pretrain"]
    run = runs[-1]
    chosen = [word for word in run.words if not word.startswith("init_from=")]
    assert compose("train", [f"+sweep={name}", *chosen]) == compose("train", run.words)


def test_the_crosssum_sweep_pretrains_once_on_xlsums_whole_language():
    runs = plan_runs(["crosssum"], ["seed=0"])
    assert len(runs) == 1 + 5 * 2 * 3
    assert (runs[0].dataset, runs[0].model) == ("xlsum_en", "ms")
    assert {run.dataset for run in runs[1:]} == {
        f"crosssum_en2{target}" for target in ("es", "fr", "id", "ru", "uk")
    }
    assert {run.needs for run in runs[1:]} == {(runs[0].folder,)}
    other = plan_runs(["crosssum"], ["seed=0", "dataset.source=hi", "dataset.target=ur,en"])
    assert [run.dataset for run in other[:2]] == ["xlsum_hi", "crosssum_hi2ur"]


def test_words_take_the_place_of_an_axis_or_are_given_to_every_run():
    runs = plan_runs(["low_resource"], ["seed=4", "dataset=en2desum", "optim.accumulate=10"])
    assert len(runs) == 9 + 1
    assert {(run.dataset, run.seed) for run in runs} == {("en2desum", 4)}
    assert {run.update_tokens for run in runs} == {1300 * 10}
    assert len(plan_runs(["low_resource"], ["dataset=en2desum", "seed=0,1,2,3,4"])) == 5 * 10


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("low_resource", ["dataset=en2desum", "seed=0,1"]),
        ("low_resource", ["dataset=en2desum", "seed=range(2)", "scenario=minimum,full",
                          "model=mclas"]),
        ("toy", ["seed=0,1,2", "dataset.target=de"]),
        ("toy", ["seed=3", "model=ncls", "dataset.target=de,zh", "runs='my runs, größer'"]),
        pytest.param("toy", ["runs='a,b (1)'", "optim.encoder.lr=0.1"], marks=pytest.mark.slow),
        ("toy", ["dataset.max_source=64", "network=small", "data=C#'s data", "model=mclas"]),
        ("tltran", ["dataset=en2zhsum", "model.translator=facebook/nllb-200-distilled-600M"]),
        ("low_resource", ["dataset=jsonl", "dataset.name=1e5", "dataset.path='mein Korpus, ü'",
                          "dataset.source=en", "dataset.target=de", "seed=0,1"]),
    ],
)  # fmt: skip
def test_every_run_is_composed_from_its_words(file, words):
    """Also those of an ms run that the plan adds, which no swept word of the user is for."""
    runs = plan_runs([file], words)
    assert any(run.model == "ms" for run in runs)
    for run in runs:
        cfg = compose("train", run.words)
        assert Path(cfg.run_dir) == run.folder
        assert OmegaConf.to_container(cfg, resolve=True) == run.config
        keys = [*map(key_of, run.words)]
        assert len(set(keys)) == len(keys)
        assert run.model != "ms" or cfg.init_from is None
    needed = {need for run in runs for need in run.needs}
    assert needed == {run.folder for run in runs if run.model == "ms"}


def test_a_pretraining_on_another_corpus_has_words_of_no_direction():
    runs = plan_runs(
        ["toy"], ["dataset.target=de", "dataset.max_source=64", "seed=0", "network=small"]
    )
    assert runs[0].words == (
        *("dataset=toy_mono", "dataset.source=en", "scenario=full", "model=ms"),
        *("dataset.max_source=64", "network=small", "seed=0"),
    )


def test_a_pretraining_on_another_corpus_may_be_named_with_the_corpus_of_all_runs():
    """Its words name the corpus where the runs start from an ms run of that name."""
    corpus = ("dataset.name=mine", "dataset.path=here", "dataset.target=de")
    named = plan_runs(["toy"], ["seed=0", *corpus, "init_from=runs/mine/full/ms"])
    assert named[0].folder == Path("runs/mine/full/ms/seed=0")
    assert {run.needs for run in named[1:]} == {(named[0].folder,)}
    assert {run.config["dataset"]["path"] for run in named} == {"here"}
    assert named[0].config["dataset"]["target"] is None

    ms, *others = plan_runs(["toy"], ["seed=0", *corpus])
    assert ms.folder == Path("runs/toy_en/full/ms/seed=0")
    assert ms.config["dataset"]["path"] == "data/toy/en"
    assert {run.config["dataset"]["path"] for run in others} == {"here"}


def test_what_a_file_says_of_all_its_runs_is_said_to_the_pretraining(tmp_path):
    text = (EXPERIMENTS / "sweep" / "toy.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        f"{text}network: {{encoder: {{width: 64}}}}\ndata: my data, größer\n", encoding="utf-8"
    )
    runs = plan_runs([str(tmp_path / "mine.yaml")])
    assert {run.config["network"]["encoder"]["width"] for run in runs} == {64}
    assert {run.config["data"] for run in runs} == {"my data, größer"}
    assert len(runs) == 14


def test_an_ms_run_from_elsewhere_is_no_part_of_the_plan(tmp_path):
    runs = plan_runs(["toy"], [f"init_from={tmp_path}/ms"])
    assert len(runs) == 12
    assert not any(run.needs for run in runs)


def test_from_scratch_nothing_is_needed():
    assert not any(
        run.needs for run in plan_runs(["initialization"], ["init_from=runs/en2desum/full/ms"])
    )


def test_two_runs_in_one_folder_are_refused():
    with pytest.raises(InputError, match="two different runs would share this folder"):
        plan_runs(["pretrain"], ["dataset=toy", "optim.max_tokens=100,200"])
    same = ["dataset=toy", "model=ms"]
    assert len(plan_words([same, same])) == 1
    with pytest.raises(InputError, match="two different runs would share this folder"):
        plan_words([same, [*same, "decoding.beam=2"]])


@pytest.mark.parametrize("word", ["seed=1_0", "seed=+3", "++seed=7", "scenario='minimum'"])
def test_a_sweep_reads_a_value_as_hydra_does(word):
    words = ["dataset=toy", "model=ms", "scenario=full", word]
    (run,) = plan_words([words])
    cfg = compose("train", words)
    assert (run.seed, run.scenario) == (cfg.seed, cfg.scenario)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=abc", "seed: expected a whole number, found 'abc'"),
        ("seed=010", "seed: expected a whole number, found '010'"),
        ("decoding.beam=0", "decoding.beam: expected from 1 to 1000, found 0"),
        ("scenario=nope", "scenario 'nope' does not exist; choose from: full, maximum, medium"),
    ],
)
def test_no_run_is_planned_that_would_not_start(word, said):
    with pytest.raises(InputError, match=f"^mclas-train .*dataset=toy .*: {said}"):
        plan_runs(["toy"], [word])
