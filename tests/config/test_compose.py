import itertools
import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from mclas_lightning.config.compose import compose, compose_over, launcher_settings, multirun_words
from mclas_lightning.config.overrides import hydra_arguments
from mclas_lightning.errors import InputError


def test_evaluate_composes_to_what_train_does():
    words = ["dataset=toy", "scenario=minimum", "decoding.beam=1"]
    assert compose("evaluate", words) == {**compose("train", words), "scored": "test"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dataset=toyy"], "dataset 'toyy' does not exist; did you mean 'toy'"),
        (["model=mclass"], "model 'mclass' does not exist; did you mean 'mclas'"),
        (["sceanrio=full"], "key 'sceanrio' does not exist; did you mean 'scenario'"),
        (["optim.patienc=3"], "key 'optim.patienc' does not exist; did you mean 'optim.patience'"),
        (["dataset=["], "dataset '[' does not exist"),
        (["seed=["], "viable alternative"),
    ],
)
def test_words_that_compose_nothing_are_one_clear_line(words, said):
    with pytest.raises(InputError) as error:
        compose("train", words)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_key_names_the_command_that_lists_the_keys():
    with pytest.raises(InputError, match=r"'scored'\? see mclas-evaluate --cfg job"):
        compose("evaluate", ["scord=valid"])


NUMBERS = ("1e5", "true", "null", "007", "1_000", "12", "-3", ".5", "nan", "Inf", "1e-3", "FALSE")


@pytest.mark.parametrize("text", [*NUMBERS, "my corpus", "Müller & Söhne", "(a)", "it's", "中文"])
def test_a_name_stays_text_in_a_composed_configuration(text):
    words = [f"dataset.name={text}", f"model.name={text}", f"dataset.path={text}"]
    cfg = compose("train", words)
    assert cfg.dataset.name == cfg.model.name == cfg.dataset.path == text
    assert cfg.run_dir == f"runs/{text}/full/{text}/seed=0"


def test_a_product_is_every_pair_of_choices_in_order():
    axes = {"scenario": ["minimum", "full"], "seed": ["0", "1", "2"], "dataset.path": ["a b"]}
    words = multirun_words({key: ",".join(values) for key, values in axes.items()})
    parsed = [
        [str(word.value()) for word in OverridesParser.create().parse_overrides(run)]
        for run in words
    ]
    assert parsed == [list(run) for run in itertools.product(*axes.values())]


def kept_config() -> dict:
    """The config.yaml of a run, as plain data."""
    words = ["dataset=toy", "decoding.beam=3", "decoding.max_length=77", "optim.beta2=0.9"]
    return OmegaConf.to_container(compose("train", words), resolve=True)  # pyright: ignore


def test_a_runs_own_values_stay_and_words_come_last():
    cfg = compose_over(kept_config(), ["decoding.beam=1"])
    assert (cfg.decoding.beam, cfg.decoding.max_length, cfg.optim.beta2) == (1, 77, 0.9)
    assert cfg.scored == "test"


def test_a_word_that_chooses_a_file_replaces_the_runs_section():
    cfg = compose_over(kept_config(), ["decoding=long", "decoding.min_length=9"])
    long = compose("train", ["dataset=toy", "decoding=long", "decoding.min_length=9"]).decoding
    assert cfg.decoding == long
    assert cfg.decoding.max_length != 77
    assert cfg.optim.beta2 == 0.9


def test_a_runs_values_are_no_interpolations():
    kept = kept_config()
    kept["data"] = kept["dataset"]["path"] = r"corpora/${seed}\${x"
    kept["logger"]["tags"] = ["${oc.env:HOME}"]
    cfg = compose_over(kept, ["seed=3"])
    assert OmegaConf.to_container(cfg, resolve=True) == {**kept, "seed": 3, "scored": "test"}


def test_keys_that_a_runs_version_did_not_have_are_todays():
    kept = kept_config()
    del kept["decoding"]["renormalize"], kept["scoring"]
    cfg, today = compose_over(kept, []), compose("evaluate", [])
    assert cfg.decoding.renormalize == today.decoding.renormalize
    assert cfg.decoding.max_length == 77
    assert cfg.scoring == today.scoring


def test_a_launchers_settings_are_those_of_the_words():
    launcher, trainer = launcher_settings(("launcher=slurm", "trainer.devices=3"))
    assert launcher["_target_"].endswith("SlurmLauncher")
    assert trainer == compose("train", ["trainer.devices=3"]).trainer


def test_a_conf_where_a_command_is_started_is_searched(tmp_path, monkeypatch):
    (tmp_path / "a b" / "conf" / "network").mkdir(parents=True)
    text = "# Ours.\ndefaults: [tiny]\nname: mine\nencoder: {layers: 7}\n"
    (tmp_path / "a b" / "conf" / "network" / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path / "a b")
    cfg = compose("train", ["dataset=toy", "network=mine"])
    assert (cfg.network.encoder.layers, cfg.network.encoder.heads) == (7, 4)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dataset=0", r"^dataset '0' does not exist; choose from: .*brief"),
        ("optim=null", r"^optim 'null' does not exist; "),
        ("hydra/launcher=0", r"^a choice of a group is no name \(.*\)$"),
    ],
)
def test_a_number_as_the_choice_of_a_group_is_the_name_of_a_file(word, said):
    with pytest.raises(InputError, match=said) as raised:
        compose("train", [word])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["2024", "null", "true", "1e5", "1_000", "nan"])
def test_a_file_of_a_group_may_have_a_name_that_is_a_number(tmp_path, monkeypatch, name):
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    (folder / f"{name}.yaml").write_text(f"defaults: [toy, _self_]\nname: '{name}'\n")
    monkeypatch.chdir(tmp_path)
    assert compose("train", [f"dataset={name}"]).dataset.name == name
    (first, second) = multirun_words({"dataset": f"toy,{name}"})
    assert compose("train", first).dataset.name != compose("train", second).dataset.name == name
    (argument,) = hydra_arguments([f"dataset={name}"])
    assert compose_over(kept_config(), [argument]).dataset.name == name


@pytest.mark.parametrize(
    "word", ["optim=[1,2]", "decoding=[short,long]", "+decoding=[short]", "model=[ncls, ms]"]
)
def test_a_list_of_a_groups_files_is_refused(word):
    said = re.escape(f"{word}: a choice of a group is no name; give one of conf/")
    for call in (compose, lambda _, words: compose_over({}, words)):
        with pytest.raises(InputError, match=said):
            call("train", [word])
    with pytest.raises(InputError, match=said):
        hydra_arguments(["--multirun", word])
