import json

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.report.comparable import unlike_values
from mclas_lightning.runs.recipe import precision_of, recipe

BASE = ("dataset=toy", "scenario=minimum", "model=mclas", "init_from=runs/toy_en/full/ms")


def of(*words: str) -> dict[str, object]:
    return recipe(read_settings(compose("train", [*BASE, *words]))[1])


def keys(*words: str) -> list[str]:
    """In what a run of these words differs from that of ``BASE``."""
    return [each.split()[0] for each in unlike_values([("a", of()), ("b", of(*words))])]


@pytest.mark.parametrize(
    "words",
    [
        ["seed=3"],
        ["decoding.beam=1", "scoring.bertscore=x"],
        ["runs=/elsewhere", "data=/there", "store=/here", "workers=4", "logger=tensorboard"],
        ["init_from=/elsewhere/runs/toy_en/full/ms/seed=3"],
        ["trainer.accelerator=cpu", "trainer.log_every_n_steps=3"],
        ["optim.max_tokens=512", "trainer.devices=4"],
        ["optim.max_tokens=1024", "optim.accumulate=2"],
        ["optim.updates.full=12", "dataset.sizes.medium=100"],
    ],
)
def test_seed_place_layout_and_other_scenarios_are_no_part_of_a_recipe(words):
    assert keys(*words) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["optim.updates.minimum=30"], ["optim.updates.minimum"]),
        (["optim.max_tokens=1024"], ["optim.max_tokens"]),
        (["dataset.sizes.minimum=100", "split_seed=1"], ["split_seed", "dataset.sizes.minimum"]),
        (["init_from=null"], ["init_from"]),
        (["init_from=runs/toy_de/full/ms"], ["init_from"]),
        (["model.targets={decoder: [cross]}"], ["model.targets"]),
        (["model.initialize=[]"], ["model.initialize"]),
        (["trainer.precision=bf16-mixed"], ["trainer.precision"]),
        (["optim.crowding={documents: 6, tokens: 1000}"], ["optim.crowding"]),
    ],
)
def test_what_a_training_depends_on_is(words, expected):
    assert keys(*words) == expected


@pytest.mark.parametrize(
    ("word", "name"),
    [("null", "32-true"), ("32", "32-true"), ("bf16", "bf16-mixed"), ("16", "16-mixed")],
)
def test_a_precision_has_one_name_whatever_word_chooses_it(word, name):
    assert of(f"trainer.precision={word}")["trainer.precision"] == name
    assert keys(f"trainer.precision={word}") == (["trainer.precision"] if "16" in word else [])


def test_a_configuration_without_a_trainer_says_no_precision():
    assert precision_of({"trainer": {}}) is None
    assert precision_of({}) is None


def test_the_name_of_a_pretrained_encoder_counts_and_its_folder_does_not():
    found = [
        of("network=paper", f"network.encoder.pretrained={name}")["network.encoder.pretrained"]
        for name in ("google-bert/mbert", "/models/mbert", "/models/xlmr")
    ]
    assert found == ["mbert", "mbert", "xlmr"]


def test_a_pipeline_has_its_two_systems_and_no_training():
    words = ("dataset=toy", "model=tltran", "model.summarizer=runs/toy_en/full/ms")
    found = recipe(read_settings(compose("train", [*words, "model.translator=x/wmt19"]))[1])
    assert found["model.summarizer"] == "toy_en/full/ms"
    assert found["model.translator"] == "x/wmt19"
    assert not any(key.startswith(("optim", "network", "split")) for key in found)


def test_a_recipe_is_plain_data():
    assert json.loads(json.dumps(of())) == of()


def test_what_one_does_not_say_differs_from_nothing():
    assert unlike_values([("a", {"x": 1}), ("b", {"y": 2}), ("c", {})]) == []
    assert unlike_values([("a", {"x": 1}), ("b", {"x": 2}), ("c", {"x": 1.0})]) == [
        "x 1: a, c; 2: b"
    ]


@pytest.mark.parametrize("devices", ["-1", "auto"])
def test_devices_that_only_the_machine_knows_make_no_number(devices):
    assert "optim.max_tokens of an update" not in of(f"trainer.devices={devices}")
