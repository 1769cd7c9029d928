from itertools import product

import pytest
import torch

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import Settings, read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.runs.identity import resolved_config


def settings_of(*words: str) -> Settings:
    return read_settings(compose("train", words))[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scenario=minium"], "scenario 'minium' does not exist; did you mean 'minimum'"),
        (["optim.encoder.lr=fast"], "optim.encoder.lr: expected a number, found 'fast'"),
        (["decoding.beam=2.5"], "decoding.beam: expected a whole number, found '2.5'"),
        (["decoding.beam=true"], "decoding.beam: expected a whole number"),
        (["seed=x"], "seed: expected a whole number, found 'x'"),
        (["+dataset.tokeniser=x"], "dataset: 'tokeniser' does not exist; did you mean 'tokenizer'"),
        (["run_dir=${nothing}"], "run_dir: Interpolation key 'nothing' not found"),
        (
            ["dataset=jsonl", "dataset.source=en"],
            "words are missing: dataset.name=... dataset.target=... dataset.path=...",
        ),
        (["model.targets={decoder: [third]}"], "model 'mclas'"),
        (["model.source=null"], "model.source: expected a text, found 'None'"),
        (["scenario=[a]"], "scenario: expected a text"),
        (["split=null"], "split: expected a text"),
        (["~optim"], "optim: is missing"),
        (["seed=-1"], "seed: expected from 0 to"),
        (["model.targets={decoder: [[mono]]}"], "model.targets.decoder[0]: expected a text"),
        (["model.initialize=[third]"], "model.initialize: decoder 'third' does not exist"),
        (["dataset.source=2"], "dataset.source: expected a text, found '2'"),
        (["trainer.float32_products=low"], "trainer.float32_products 'low' does not exist"),
        (["workers=-1"], "workers: expected 0 or more, found -1"),
        (["optim.recipe.devices=0"], "optim.recipe: devices: expected 1 or more, found 0"),
        (["optim.recipe.accumulate=0"], "optim.recipe: accumulate: expected 1 or more, found 0"),
        (
            ["dataset.shards={size: 0, take: {}}"],
            "dataset.shards: size: expected 1 or more, found 0",
        ),
        (
            ["dataset.shards={size: 2, take: {minimum: 0}}"],
            "dataset.shards: take.minimum: expected 1 or more, found 0",
        ),
        (["optim.updates.full=33"], "optim.updates.full: expected a multiple of"),
    ],
)
def test_bad_words_are_one_clear_line(words, said):
    with pytest.raises(InputError) as error:
        settings_of(*words)
    assert said in str(error.value)
    assert "configuration." not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_runs_place_is_its_identity():
    words = ["dataset=debian_en2zh", "scenario=medium", "model=ncls_ms", "seed=3"]
    assert str(settings_of(*words).run) == "runs/debian_en2zh/medium/ncls_ms/seed=3"


@pytest.mark.parametrize("key", ["dataset.name", "model.name"])
@pytest.mark.parametrize("name", ["", "a/b", "..", " ", "a\nb", "[1]", "a*", "a\\b", "ä" * 128])
def test_a_name_that_cannot_be_a_folders_is_one_clear_line(key, name):
    with pytest.raises(InputError) as error:
        settings_of(f"{key}={name}")
    assert str(error.value).startswith(f"{key}: names a folder of runs; expected")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["my corpus", "Müller & Söhne", "中文", "it's", "a=b", "..a", "#1"]
)
def test_any_other_name_is_a_folders(name):
    assert settings_of(f"dataset.name={name}").subset_manifest.parts[:2] == ("runs", name)


def test_settings_of_a_runs_config_are_those_of_its_words():
    cfg = compose("train", ["dataset=toy", "scenario=minimum", "model=ncls_ms", "seed=3"])
    assert read_settings(resolved_config(cfg)) == read_settings(cfg)


@pytest.mark.parametrize(
    ("model", "starts"),
    [
        ("ms", ("decoder",)), ("ncls_ms", ("mono", "cross")), ("ncls_ms_half", ("mono",)),
        ("mclas_scratch", ()), ("tltran", ()),
    ],
)  # fmt: skip
def test_an_ms_run_is_taken_where_a_decoder_starts_from_it(model, starts):
    settings = settings_of(f"model={model}", "init_from=somewhere")
    assert settings.initialize == starts
    assert settings.init_from == ("somewhere" if starts else None)


def test_a_pretrained_network_brings_its_tokenizer():
    found = [settings_of("dataset=toy", *more) for more in ([], ["network=paper"])]
    assert [each.tokenizer == each.dataset.tokenizer for each in found] == [True, False]
    assert found[1].tokenizer == found[1].network.tokenizer


def test_sentences_are_set_apart_in_documents_alone():
    for apart, (model, source) in product((True, False), [("mclas", "en"), ("mt", None)]):
        words = [f"network.encoder.sentences={str(apart).lower()}", f"model={model}"]
        assert settings_of("dataset=toy", *words).sentences == (source if apart else None)


def test_ours_of_the_trainer_is_not_given_to_lightning():
    settings = settings_of("trainer.keep_last=true", "trainer.accelerator=cpu")
    assert settings.extras.keep_last
    assert "keep_last" not in settings.trainer
    assert settings.trainer["accelerator"] == "cpu"
    assert settings.device == torch.device("cpu")
    assert settings.updates == settings.optim.updates["full"]
