from pathlib import Path

import pytest
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.words import config_for_run, is_run_folder
from mclas_lightning.files import sha256, write_json
from mclas_lightning.runs.identity import resolved_config


def started(folder: Path, *words: str) -> Path:
    """The folder of a run with its config.yaml alone."""
    folder.mkdir(parents=True)
    config = resolved_config(compose("train", ["dataset=toy", *words]))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("runs/toy_en2de/full/mclas/seed=0", True), ("run", True), ("here=1", True),
        ("a=b/c", False), ("decoding.beam=5", False), ("hydra/launcher=slurm", False),
        ("+a/b=c", False), ("~a/b=c", False), ("-m", False), ("--multirun", False),
    ],
)  # fmt: skip
def test_a_runs_folder_is_told_from_words(tmp_path, monkeypatch, word, is_one):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here=1").mkdir()
    assert is_run_folder(word) is is_one


def test_the_configuration_is_the_runs_own_where_it_lies_now(tmp_path):
    folder = started(tmp_path / "moved" / "seed=3", "decoding.beam=2", "seed=3", "logger=wandb")
    cfg = config_for_run(folder, ["decoding.min_length=4", "trainer.accelerator=cpu"], None)
    assert (cfg.decoding.beam, cfg.decoding.min_length, cfg.seed) == (2, 4, 3)
    assert cfg.run_dir == cfg.logger.run_dir == str(folder)
    assert cfg.test_file is None
    assert config_for_run(folder, [], "news.jsonl").test_file == "news.jsonl"


def test_a_dataset_word_names_the_test_set_of_another_corpus(tmp_path):
    folder = started(tmp_path / "run")
    cfg = config_for_run(folder, ["dataset=debian_en2de", "data=/there"], None)
    other = compose("train", ["dataset=debian_en2de", "data=/there"]).dataset
    assert cfg.test_file == f"{other.path}/test.jsonl"
    assert cfg.dataset.name == "toy_en2de"
    assert config_for_run(folder, ["dataset.path=/there"], None).dataset.path == "/there"


def test_an_ms_run_of_one_language_takes_the_test_set_of_any_target(tmp_path):
    folder = started(tmp_path / "run", "dataset=toy_mono", "model=ms")
    cfg = config_for_run(folder, ["dataset=toy"], None)
    assert cfg.test_file == f"{compose('train', ['dataset=toy']).dataset.path}/test.jsonl"
    with pytest.raises(InputError, match=r"dataset\.source: the run was trained for 'en'"):
        config_for_run(folder, ["dataset=toy", "dataset.source=de"], None)


@pytest.mark.parametrize(
    ("word", "test", "said"),
    [
        ("optim.beta2=0.9", None, "'optim.beta2=0.9': the run was trained already, and takes"),
        ("seed=1", None, "'seed=1': the run was trained already"),
        ("dataset.source=de", None, "'dataset.source=de': the run was trained already"),
        ("model.summarizer=x", None, "the run was trained already"),
        ("--beam", None, "'--beam': expected a word such as decoding.beam=5, or --test FILE"),
        ("beam", None, "'beam': expected a word such as"),
        ("dataset=toy", "x.jsonl", "--test and dataset=...: each names a test set"),
        ("dataset=debian_en2zh", None, "dataset.target: the run was trained for 'de', the test"),
    ],
)
def test_a_word_that_a_trained_run_does_not_leave_open_is_refused(tmp_path, word, test, said):
    folder = started(tmp_path / "run")
    with pytest.raises(InputError) as error:
        config_for_run(folder, [word], test)
    assert said in str(error.value)


def test_a_pipelines_parts_may_lie_elsewhere_if_they_are_the_same(tmp_path):
    files = {name: tmp_path / f"{name}.jsonl" for name in ("old", "same", "other")}
    for name, path in files.items():
        path.write_text("other" if name == "other" else "translations")
    words = ["model=tltran", f"model.translator={files['old']}", "model.summarizer=x"]
    folder = started(tmp_path / "run", *words)
    sha = sha256(files["old"])
    write_json(folder / "results.json", results(translator=f"{files['old']} {sha}"))
    cfg = config_for_run(folder, [f"model.translator={files['same']}"], None)
    assert cfg.model.translator == str(files["same"])
    (folder / "results.json").write_text("{")
    assert config_for_run(folder, [], None).model.translator == str(files["old"])
    write_json(folder / "results.json", results(translator=f"{files['old']} {sha}"))
    with pytest.raises(InputError, match=r"other\.jsonl: is not the one that .* was scored with"):
        config_for_run(folder, [f"model.translator={files['other']}"], None)


def results(**provenance: str) -> dict:
    """As results.json of a pipeline has them."""
    return {
        "format": 2, "dataset": "toy_en2de", "scenario": "full", "model": "tltran", "seed": 0,
        "languages": {"source": "en", "target": "de"}, "scores": {}, "signatures": {},
        "decoding": {}, "provenance": provenance,
    }  # fmt: skip
