import json
from functools import cache

import pytest
import yaml

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.runs.identity import (
    LISTED,
    Difference,
    differences,
    differences_in_words,
    read_config,
    resolved_config,
    scoring_differences,
    unequal_keys,
)


@cache
def config(*words: str) -> dict:
    return resolved_config(compose("train", ["dataset=toy", "scenario=minimum", *words]))


@pytest.mark.parametrize(
    "word",
    [
        "decoding.beam=1", "trainer.accelerator=cpu", "workers=3", "runs=/x", "store=/x",
        "dataset.path=/x", "dataset.tokenizer=/x", "dataset.how_to_get=x", "logger=wandb",
        "optim.updates.full=30", "dataset.sizes.maximum=7",
    ],
)  # fmt: skip
def test_where_and_how_a_run_is_computed_makes_no_other_run(word):
    asked = config(word)
    assert unequal_keys(config(), asked) != []
    assert differences(config(), asked) == []


@pytest.mark.parametrize("runs", ["/moved", "./runs/", "more/../runs"])
@pytest.mark.parametrize("key", ["init_from", "model.summarizer", "model.translator"])
def test_a_run_that_starts_from_another_is_the_same_in_a_moved_folder_of_runs(runs, key):
    def named(folder: str, place: str) -> dict:
        model = ["model=tltran"] if "." in key else []
        return config(f"runs={folder}", f"{key}={folder}/{place}", *model)

    assert differences(named("runs", "toy_en/full/ms"), named(runs, "toy_en/full/ms")) == []
    other = differences(named("runs", "toy_en/full/ms"), named(runs, "toy_en/full/ms2"))
    assert [each.key for each in other] == [key]
    elsewhere = differences(named("runs", "../ms"), named("/more/runs", "../ms"))
    assert [each.key for each in elsewhere] == [key]


@pytest.mark.parametrize(
    ("word", "kept", "asked"),
    [
        ("seed=3", "0", "3"),
        ("optim.label_smoothing=0.2", "0.1", "0.2"),
        ("dataset.source=zh", '"en"', '"zh"'),
        ("dataset.max_source=77", None, "77"),
        ("model.targets={decoder: [cross]}", '["mono", "cross"]', '["cross"]'),
    ],
)
def test_what_a_training_depends_on_makes_another_run(word, kept, asked):
    key = word.split("=")[0] + (".decoder" if "targets" in word else "")
    found = {each.key: each for each in differences(config(), config(word))}
    assert found[key].asked == asked
    assert found[key].kept == (kept or json.dumps(config()["dataset"]["max_source"]))
    section, other = key.split(".")[0], "network"
    both = [differences(config(), config(word), [name]) for name in (section, other)]
    assert [key in {each.key for each in part} for part in both] == [True, False]


def test_a_system_without_a_network_is_the_same_run_whatever_one_would_be():
    words = ("network=tiny", "optim=tiny", "split_seed=3", "dataset.sizes.minimum=7")
    for model in ("lead_1", "tltran"):
        kept = config(f"model={model}")
        assert differences(kept, config(f"model={model}", *words)) == []
        assert differences(kept, config(f"model={model}", *words, "dataset.max_source=9"))
    assert differences(config("model=ncls"), config("model=ncls", *words))


def test_numbers_truth_and_nothing_are_told_apart():
    found = unequal_keys({"a": 1, "b": 1, "c": None}, {"a": 1.0, "b": True, "d": None})
    assert found == [
        Difference("a", "1", "1.0"), Difference("b", "1", "true"),
        Difference("c", "null", "nothing"), Difference("d", "nothing", "null"),
    ]  # fmt: skip


def test_the_first_differences_are_named_and_the_others_counted():
    found = unequal_keys({}, {f"k{i}": i for i in range(LISTED + 2)})
    assert (
        differences_in_words(found[:2])
        == "k0=nothing, you ask for k0=0; k1=nothing, you ask for k1=1"
    )
    assert differences_in_words(found[:1], "now") == "k0=nothing, now k0=0"
    assert differences_in_words(found).endswith(f"k{LISTED - 1}={LISTED - 1}; and 2 more keys")


def test_a_recipes_lengths_are_the_datasets():
    lengths = [config(*more)["dataset"]["max_source"] for more in ([], ["optim.max_source=99"])]
    assert lengths[0] != 99
    assert lengths[1] == 99


def test_a_run_is_read_as_it_was_written(tmp_path):
    kept = config("dataset.name=Köln")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(kept, allow_unicode=True), "utf-8")
    assert read_config(tmp_path) == kept


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no run here"), ("- a", "config.yaml: expected a mapping"),
        ("{", "config.yaml: cannot be read"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_none_is_named(tmp_path, content, said):
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(InputError) as error:
        read_config(tmp_path)
    assert said in str(error.value)


def test_a_run_is_scored_otherwise_by_its_decoding_or_its_encoders(tmp_path):
    results = {"decoding": config()["decoding"], "signatures": {"cross": {"rouge": "r"}}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert scoring_differences(tmp_path, config("optim.beta2=0.9")) == []
    asked = config("decoding.beam=1", "scoring.similarity=an/e5")
    assert scoring_differences(tmp_path, asked) == [
        Difference("decoding.beam", "5", "1"),
        Difference("scoring.similarity", "nothing", '"an/e5"'),
    ]
    asked = config("decoding.weights=int8", "decoding.max_tokens=7")  # auto is never int8.
    assert scoring_differences(tmp_path, asked) == [
        Difference("decoding.weights", '"auto"', '"int8"')
    ]
    results["signatures"]["cross"]["similarity"] = "similarity|model:e5|sha256:012345"
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert scoring_differences(tmp_path, config("scoring.similarity=an/e5")) == []
    assert scoring_differences(tmp_path, config("scoring.similarity=an/e5-base")) == [
        Difference("scoring.similarity", '"e5"', '"an/e5-base"')
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], []),
        (["scoring.layer=9"], []),
        (["scoring.layer=8"], [Difference("scoring.layer", "9", "8")]),
        (["scoring.rescale=true"], [Difference("scoring.rescale", "false", "true")]),
        (["scoring.bertscore=xlmr"], [Difference("scoring.bertscore", '"mbert"', '"xlmr"')]),
        (["scoring.bertscore=null", "scoring.layer=8"], []),
    ],
)
def test_a_run_is_scored_otherwise_by_another_use_of_its_encoder(tmp_path, words, found):
    signature = "bertscore|model:mbert|sha256:0|layer:9|idf:no|rescale:no|bert-score:0.3.13"
    results = {"signatures": {"cross": {"bertscore": signature}}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    asked = config("scoring.bertscore=google/mbert", *words)
    assert scoring_differences(tmp_path, asked) == found
