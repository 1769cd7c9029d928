from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.files import write_json
from mclas_lightning.report.started import (
    fine_tuning_words,
    is_trained,
    ms_place,
    pretraining_words,
    run_named,
    train_words,
    usual,
)
from mclas_lightning.runs.identity import resolved_config

CORPUS = ("dataset=toy",)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["network=tiny", "optim=tiny", "decoding=short"],
        ["network=tiny", "network.decoder.layers=3", "decoding.beam=7", "split_seed=11"],
        ["data=some where/else", "dataset.max_source=77"],
        ["optim.max_summary=64", "optim.recipe.max_tokens=77", "optim.recipe.accumulate=3"],
        ["optim=paper", "optim.crowding=null", "optim.accumulate=1"],
        ["optim=tiny", "optim.crowding={documents: 6, tokens: 500}"],
        ["model.bos_after_lsep=true"],
    ],
)
def test_the_words_of_a_configuration_compose_it_again(words):
    place = ["scenario=minimum", "model=mclas", "seed=3"]
    config = resolved_config(compose("train", [*CORPUS, *words, *place]))
    again = train_words(config, CORPUS)
    assert resolved_config(compose("train", [*CORPUS, *again, *place])) == config
    assert len(again) <= len(words)


def test_words_of_a_system_are_for_no_other_one():
    place = ["scenario=minimum", "model=mclas"]
    words = ["optim=paper", "optim.crowding=null", "model.bos_after_lsep=true"]
    config = resolved_config(compose("train", [*CORPUS, *words, *place]))
    other = resolved_config(compose("train", [*CORPUS, "optim=paper", "model=ncls"]))
    known = train_words(config, CORPUS)
    assert usual(known, config, [config], ("medium", "mclas")) == words
    assert usual(known, config, [config], ("medium", "ncls")) == words[:2]
    assert usual(known, config, [config, other], ("medium", "ncls")) == words[:1]
    assert pretraining_words(known) == fine_tuning_words(known) == words[:1]


def test_a_configuration_of_other_keys_has_no_words():
    assert (
        train_words({"network": {"name": "gone", "shape": 5}, "optim": 7}, ("dataset=gone",)) == []
    )


def test_pretraining_takes_the_ms_variant_of_a_recipe_and_fine_tuning_the_recipe():
    words = ["network=tiny", "optim=tiny", "optim.encoder.lr=0.5", "dataset.max_source=77"]
    assert pretraining_words(words) == ["network=tiny", "optim=tiny_pretrain"]
    assert fine_tuning_words(["optim=tiny_pretrain", *words[2:]]) == ["optim=tiny"]


@pytest.mark.parametrize("place", ["ms", "ms/seed=2"])
def test_an_ms_run_is_known_by_its_folder_or_by_that_of_its_seeds(tmp_path, place):
    config = {"init_from": f"{tmp_path}/{place}"}
    assert ms_place(config, 2, tmp_path) is None
    write_json(tmp_path / "ms" / "seed=2" / "training.json", {})
    assert ms_place(config, 2, tmp_path) == tmp_path / "ms"
    assert is_trained(tmp_path / "ms", 2)
    assert not is_trained(tmp_path / "ms", 3)
    assert not is_trained(Path(tmp_path, "mt"))


def test_an_ms_run_is_found_in_the_folder_that_its_runs_were_moved_to(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    config = {"runs": f"{before}", "init_from": f"{before}/ms", "model": {"translator": "hub/mt"}}
    write_json(before / "ms" / "seed=2" / "training.json", {})
    assert ms_place(config, 2, after) == before / "ms"
    write_json(after / "ms" / "seed=2" / "training.json", {})
    assert ms_place(config, 2, after) == after / "ms"
    assert run_named(config, "model.translator", after) == "hub/mt"
