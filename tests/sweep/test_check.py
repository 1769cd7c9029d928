from dataclasses import replace

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.example import read_jsonl, write_jsonl
from mclas_lightning.files import num_records, sha256, write_json
from mclas_lightning.sweep.check import run_problems
from mclas_lightning.sweep.plan import plan_runs
from mclas_lightning.training.preparation import keep_preparation, prepare


@pytest.fixture
def shared(words, tmp_path) -> list[str]:
    """Words of two systems on the small corpus, for ``plan``."""
    (tmp_path / "sweep.yaml").write_text("hydra: {sweeper: {params: {model: 'ncls,mclas'}}}\n")
    return [*words, "init_from=null", "model.initialize=[]"]


def test_what_can_start_has_no_problems(shared, tmp_path):
    assert run_problems(plan_runs([str(tmp_path / "sweep.yaml")], shared), slurm=False) == []


def test_a_problem_is_listed_once_with_the_runs_that_have_it(shared, tmp_path, corpus):
    (corpus / "en2de" / "valid.jsonl").unlink()
    seeds = [*shared, "seed=0,1,2", "trainer.devices=2"]
    runs = plan_runs([str(tmp_path / "sweep.yaml")], seeds)
    devices, *files = run_problems(runs, slurm=False)
    assert devices.startswith(f"{runs[0]} and 5 more: trainer.devices=2")
    # Seeds share their corpus: it is looked at once for each system.
    assert [line.partition(": ")[0] for line in files] == [f"{runs[0]} and 1 more"]
    assert "valid.jsonl: no such file" in files[0]
    assert run_problems(runs, slurm=True) == files  # Slurm starts the processes itself.


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dataset.sizes={minimum: 20, medium: 41, full: 1.0}", "asks for 41 training examples"),
        ("optim.accumulate=25", "20 training examples are too few for one update"),
        ("split=first_shards", "dataset 'small' has no shards"),
    ],
)
def test_a_scenario_that_cannot_be_trained_is_known_before_the_first_run(
    shared, tmp_path, word, said
):
    words = [*shared, "scenario=full,minimum,medium", "seed=0,1", word]
    lines = run_problems(plan_runs([str(tmp_path / "sweep.yaml")], words), slurm=False)
    assert [line for line in lines if said in line] == lines != []


def test_a_subset_of_another_split_or_corpus_is_known_before_the_first_run(
    shared, tmp_path, corpus
):
    train = corpus / "en2de" / "train.jsonl"
    kept = {"scenario": "minimum", "split": "random", "seed": 7, "size": 20, "of": 40}
    path = tmp_path / "runs" / "small" / "minimum" / "subset.json"
    write_json(path, {**kept, "corpus_sha256": sha256(train)})
    words = [*shared, "scenario=full,minimum"]
    runs = plan_runs([str(tmp_path / "sweep.yaml")], [*words, "split_seed=7"])
    assert run_problems(runs, slurm=False) == []
    runs = plan_runs([str(tmp_path / "sweep.yaml")], words)
    (line,) = run_problems(runs, slurm=False)
    assert line.startswith("small/minimum/ncls/seed=0 and 1 more: ")
    assert "trained on another subset (split_seed was 7, is 0)" in line
    write_jsonl(train, [replace(example, mono="new") for example in read_jsonl(train)])
    runs = plan_runs([str(tmp_path / "sweep.yaml")], [*words, "split_seed=7"])
    (line,) = run_problems(runs, slurm=False)
    assert "trained on another subset (corpus_sha256 was" in line


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_corpus_without_mono_summaries_is_known_before_the_first_run(
    shared, words, tmp_path, corpus, split
):
    path = corpus / "en2de" / f"{split}.jsonl"
    write_jsonl(path, [replace(example, mono=None) for example in read_jsonl(path)])
    runs = plan_runs([str(tmp_path / "sweep.yaml")], [*shared, "scenario=full,minimum"])
    (line,) = run_problems(runs, slurm=False)
    assert line == f"small/full/mclas/seed=0 and 1 more: {path}:1: field 'mono' is empty"
    runs = plan_runs([str(tmp_path / "sweep.yaml")], [*words, "model=copy_mono"])
    assert len(run_problems(runs, slurm=False)) == (split == "test")


def test_a_corpus_is_counted_once_for_all_runs(shared, tmp_path, monkeypatch):
    counted = []

    def count(path):
        counted.append(path)
        return num_records(path)

    monkeypatch.setattr("mclas_lightning.training.preparation.num_records", count)
    words = [*shared, "scenario=full,minimum,medium", "seed=0,1"]
    assert run_problems(plan_runs([str(tmp_path / "sweep.yaml")], words), slurm=False) == []
    assert len(counted) == 1


def test_runs_that_could_not_write_are_a_problem(shared, tmp_path):
    (tmp_path / "runs").write_text("a file")
    (line,) = run_problems(plan_runs([str(tmp_path / "sweep.yaml")], shared), slurm=False)
    assert line.endswith("/runs: runs cannot be written there (Not a directory)")
    # Root may write everywhere, but no process makes a folder in /proc.
    in_proc = plan_runs([str(tmp_path / "sweep.yaml")], [*shared, "runs=/proc/x"])
    (line,) = run_problems(in_proc, slurm=False)
    assert "/proc: runs cannot be written there" in line


def test_a_baseline_has_no_updates_and_needs_the_test_set_alone(words, tmp_path, corpus):
    (tmp_path / "sweep.yaml").write_text("hydra: {sweeper: {params: {model: 'lead_1,oracle'}}}\n")
    (corpus / "en2de" / "train.jsonl").unlink()
    runs = plan_runs([str(tmp_path / "sweep.yaml")], words)
    assert [(run.model, run.updates) for run in runs] == [("lead_1", 0), ("oracle", 0)]
    assert run_problems(runs, slurm=False) == []
    (corpus / "en2de" / "test.jsonl").unlink()
    assert "test.jsonl: no such file" in run_problems(runs, slurm=False)[0]


@pytest.mark.parametrize(
    ("translator", "said"),
    [
        ("runs/small/full/mt", "model.translator=runs/small/full/mt: no such folder; expected"),
        ("mt", None),  # may be a model on a hub
        ("of/a-hub", None),
        ("to/be/written.jsonl", None),
        ("{runs}/small/minimum/ncls", "is a run of model 'ncls', which translates nothing"),
        ("{runs}/small/minimum/mt", "its training has not ended"),
    ],
)
def test_a_translator_that_cannot_translate_is_known_before_the_first_run(
    words, tmp_path, translator, said
):
    runs = tmp_path / "runs"
    for model in ("ncls", "mt", "ms"):
        settings, config = read_settings(compose("train", [*words, f"model={model}"]))
        keep_preparation(settings, config, prepare(settings))
    translator = translator.format(runs=runs)
    (tmp_path / "sweep.yaml").write_text("hydra: {sweeper: {params: {model: tltran}}}\n")
    asked = [*words, f"model.translator={translator}", f"model.summarizer={runs}/small/full/ms"]
    lines = run_problems(plan_runs([str(tmp_path / "sweep.yaml")], asked), slurm=False)
    found = [line for line in lines if "translat" in line]
    assert len(found) == (said is not None)
    assert all(str(said) in line for line in found)
