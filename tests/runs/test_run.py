import json

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.runs.run import Run, finished_folders, run_of_seed, seed_folders


def test_a_folder_means_the_run_of_the_seed_in_it_or_itself(tmp_path):
    assert run_of_seed(str(tmp_path), 3) == Run(tmp_path)
    (tmp_path / "seed=3").mkdir()
    assert run_of_seed(str(tmp_path), 3) == Run(tmp_path / "seed=3")
    assert run_of_seed(tmp_path, 30) == Run(tmp_path)


@pytest.mark.parametrize("seed", [3, 5])
def test_the_run_of_a_seed_lies_in_one_of_its_two_folders(tmp_path, seed):
    (tmp_path / "seed=3").mkdir()
    assert run_of_seed(tmp_path, seed).folder in seed_folders(tmp_path, seed)


def test_a_training_has_ended_once_its_file_says_how(tmp_path):
    run = Run(tmp_path)
    assert not run.trained
    assert run.updates == 0
    run.training_path.write_text('{"updates": 7}')
    assert run.trained
    assert run.updates == 7


def test_a_training_goes_on_in_its_own_precision(tmp_path):
    run = Run(tmp_path)
    write_yaml = (tmp_path / "config.yaml").write_text
    write_yaml("trainer: {precision: 32-true, devices: 1}\n")
    run.check_identity({"trainer": {"precision": "32-true", "devices": 2}})
    asked = {"trainer": {"precision": "bf16-mixed", "devices": 1}}
    with pytest.raises(InputError, match=r'precision="32-true", you ask for .*="bf16-mixed"'):
        run.check_identity(asked)
    run.check_identity({"trainer": {"precision": 32, "devices": 1}})
    run.check_identity(asked, ["optim"])
    (tmp_path / "training.json").write_text("{}")
    run.check_identity(asked)
    (tmp_path / "training.json").unlink()
    write_yaml("{model: {copies: lead}, trainer: {precision: 32-true}}\n")  # never trained
    run.check_identity({"model": {"copies": "lead"}, **asked})


def test_a_training_goes_on_with_as_many_devices_as_its_configuration_says(tmp_path):
    kept = "{devices: 2, num_nodes: 3}, optim: {max_tokens: 7, accumulate: 5}"
    (tmp_path / "config.yaml").write_text(f"{{trainer: {kept}}}\n")
    run, optim = Run(tmp_path), {"max_tokens": 7, "accumulate": 5}

    def check(devices: object, num_nodes: int) -> None:
        trainer = {"devices": devices, "num_nodes": num_nodes}
        run.check_identity({"trainer": trainer, "optim": optim})

    for as_many in ((2, 3), ("0,1", 3), (6, 1), (-1, 1)):
        check(*as_many)
    with pytest.raises(InputError, match=r"devices=2, you ask for trainer\.devices=1; give"):
        check(1, 3)
    (tmp_path / "training.json").write_text("{}")
    check(1, 3)


@pytest.mark.parametrize("model", [{"steps": ["summarize"]}, {"copies": "lead"}])
def test_what_is_not_trained_is_the_same_run_whatever_a_trainer_would_do(tmp_path, model):
    trainers = [{"precision": "32-true"}, {"precision": "bf16-mixed", "devices": 2}]
    kept, asked = ({"model": model, "trainer": trainer} for trainer in trainers)
    (tmp_path / "config.yaml").write_text(json.dumps(kept))
    Run(tmp_path).check_identity(asked)


@pytest.mark.parametrize("model", ["{steps: [summarize, translate]}", "{copies: lead}"])
def test_what_is_not_trained_is_not_said_to_be_unfinished(tmp_path, model):
    (tmp_path / "config.yaml").write_text(f"model: {model}\n")
    with pytest.raises(InputError, match="is a pipeline or a baseline, which has no network of"):
        Run(tmp_path).check_trained()


def test_a_diverged_training_is_not_said_to_go_on(tmp_path):
    (tmp_path / "config.yaml").write_text("model: {name: mclas}\n")
    run = Run(tmp_path)
    with pytest.raises(InputError, match="run the same mclas-train again"):
        run.check_trained()
    run.diverged_path.write_text('{"update": 7, "reason": "loss is nan"}')
    with pytest.raises(InputError, match="has diverged at update 7"):
        run.check_trained()


def test_files_of_the_corpus_that_changed_or_have_gone_are_named(tmp_path):
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.jsonl").write_text(split)
    hashes = [f'"{split}": "{sha256(tmp_path / f"{split}.jsonl")}"' for split in ("valid", "test")]
    (tmp_path / "corpus.json").write_text(f"{{{', '.join(hashes)}}}")
    run = Run(tmp_path)
    assert run.changed_files(tmp_path) == []
    (tmp_path / "valid.jsonl").unlink()
    (tmp_path / "test.jsonl").write_text("changed")
    (tmp_path / "train.jsonl").write_text("changed")
    assert run.changed_files(tmp_path) == [tmp_path / "valid.jsonl", tmp_path / "test.jsonl"]


def test_the_files_that_scores_depend_on_are_hashed(tmp_path):
    for name in ("network.json", "vocabulary/cross.json", "checkpoints/best.ckpt", "log.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = Run(tmp_path).hashes()
    assert [*found] == ["checkpoints/best.ckpt", "network.json", "vocabulary/cross.json"]
    assert found["network.json"] == sha256(tmp_path / "network.json")


def test_finished_runs_are_found_once_at_or_below_folders(tmp_path):
    for name in ("a/seed=0", "a/seed=1", "b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").touch()
    inner = tmp_path / "a" / "seed=1"
    assert finished_folders([inner, tmp_path / "a"]) == [inner, tmp_path / "a" / "seed=0"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no finished run here or below"):
        finished_folders([tmp_path / "empty"])


def test_runs_behind_a_link_to_a_larger_disk_are_found(tmp_path):
    run = tmp_path / "larger" / "full" / "mclas" / "seed=0"
    run.mkdir(parents=True)
    (run / "results.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "toy").symlink_to(tmp_path / "larger")
    found = finished_folders([tmp_path / "runs"])
    assert found == [tmp_path / "runs" / "toy" / "full" / "mclas" / "seed=0"]


def test_what_a_killed_process_was_about_to_write_is_no_run(tmp_path):
    for place in ("seed=0", "seed=0/.ready", "seed=0/.abc.part", "seed=0/valid/beam=1"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "results.json").write_text("{}")
    found = finished_folders([tmp_path])
    assert found == [tmp_path / "seed=0", tmp_path / "seed=0" / "valid" / "beam=1"]
