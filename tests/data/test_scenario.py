import hashlib
import json
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.config.dataset import DatasetConfig, Shards
from mclas_lightning.data.encoding import key_of
from mclas_lightning.data.scenario import (
    SubsetRule,
    choose,
    few_examples,
    first_shards,
    planned_subset,
    scenario_subset,
    subset_size,
    write_or_check,
)
from mclas_lightning.errors import InputError

SIZES = {"minimum": 5, "medium": 11, "maximum": 0.5, "full": 1.0}
IDS = [f"story-{i}" for i in range(46)]


def dataset(path="nowhere", shards=None):
    return DatasetConfig(
        name="small", source="en", target="de", path=str(path), tokenizer="", sizes=SIZES,
        max_source=41, max_summary=20, vocabulary=None, shards=shards, pretraining=[],
        licence="", how_to_get="",
    )  # fmt: skip


def subset(scenario, ids=IDS, seed=0, split="random", corpus=None):
    """Ids in the order of the corpus, and the manifest."""
    rows, manifest = scenario_subset(
        SubsetRule(scenario=scenario, split=split, seed=seed),
        corpus or dataset(),
        keys=np.array([key_of(i) for i in ids], np.uint64),
        ids=lambda rows: [ids[row] for row in rows],
        corpus_sha256="c",
    )
    return [ids[row] for row in rows], manifest


def test_counts_stand_as_they_are_and_fractions_are_of_the_corpus():
    assert [subset_size(name, SIZES, 46) for name in SIZES] == [5, 11, 23, 46]
    assert subset_size("one", {"one": 1}, 46) == 1
    assert subset_size("two", {"two": 2.0}, 46, least=9) == 2


def test_a_fraction_stands_for_the_least_number_of_examples():
    assert subset_size("maximum", SIZES, 46, least=7) == 23
    assert subset_size("maximum", SIZES, 46, least=31) == 31
    assert subset_size("maximum", SIZES, 46, least=500) == 46
    assert subset_size("minimum", SIZES, 46, least=31) == 5
    rows, _ = subset("maximum", corpus=replace(dataset(), least=31))
    assert len(rows) == 31


@given(st.integers(0, 10**6), st.permutations(IDS))
def test_scenarios_are_nested_and_do_not_depend_on_the_order_of_the_file(seed, shuffled):
    chosen = [set(subset(name, seed=seed)[0]) for name in SIZES]
    assert [len(ids) for ids in chosen] == [5, 11, 23, 46]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]
    assert set(subset("medium", shuffled, seed)[0]) == chosen[1]


def test_the_rows_are_in_the_order_of_the_corpus_and_the_manifest_in_the_order_of_the_choice():
    ids, manifest = subset("medium")
    assert ids == sorted(ids, key=IDS.index)
    assert sorted(manifest["ids"]) == sorted(ids)
    assert manifest["ids"][:5] == subset("minimum")[1]["ids"]
    assert subset("full")[1]["ids"] == "all"


def test_the_manifest_is_pinned():
    _, manifest = subset("minimum")
    ids = ["story-0", "story-1"]
    assert manifest == {
        "scenario": "minimum", "split": "random", "seed": 0, "size": 5, "of": 46,
        "corpus_sha256": "c", "ids": manifest["ids"],
        "sha256": hashlib.sha256("\n".join(manifest["ids"]).encode()).hexdigest(),
    }  # fmt: skip
    whole = subset("full", ids)[1]
    assert whole == {
        **manifest,
        "scenario": "full",
        "size": 2,
        "of": 2,
        "ids": "all",
        "sha256": None,
    }


def test_another_seed_chooses_others():
    keys = np.array([key_of(f"story-{i}") for i in range(1000)], np.uint64)
    both = set(choose(keys, 100, 0).tolist()) & set(choose(keys, 100, 1).tolist())
    assert len(both) < 30  # 10 expected
    assert subset("minimum", seed=1)[0] != subset("minimum", seed=0)[0]


def test_every_example_is_as_likely_as_another():
    keys = np.arange(40, dtype=np.uint64)  # neighbors: the ranks must not follow them
    times = np.zeros(40)
    for seed in range(2000):
        times[choose(keys, 10, seed)] += 1
    assert np.abs(times - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_the_choice_is_pinned():
    keys = np.array([key_of(str(i)) for i in range(100)], np.uint64)
    assert choose(keys, 4, seed=0).tolist() == [0, 82, 13, 80]


def test_first_shards_are_those_of_the_released_codes_sorted_glob():
    sizes = [3, 1, 2, 1, 1, 1, 1, 1, 1, 1, 4, 2]  # 0, 1, ..., 11
    starts = [0, *accumulate(sizes)]
    names = sorted(range(12), key=lambda k: f"ncls.train.{k}.bert.pt")
    assert names[:4] == [0, 1, 10, 11]
    shards = [(f"ncls.train.{k}.bert.pt", size) for k, size in enumerate(sizes)]
    expected = [row for k in names[:4] for row in range(starts[k], starts[k + 1])]
    assert first_shards(shards, 4).tolist() == expected
    with pytest.raises(InputError, match="asks for 13 shards and the corpus has 12"):
        first_shards(shards, 13)


def test_a_corpus_is_cut_into_the_shards_that_its_dataset_names():
    corpus = dataset(shards=Shards(size=4, take={"minimum": 1, "medium": 3, "maximum": 4}))
    # Of 12 shards, the last one has 2 examples.
    for scenario, shards in (("minimum", [0]), ("medium", [0, 1, 10]), ("maximum", [0, 1, 10, 11])):
        ids, manifest = subset(scenario, split="first_shards", corpus=corpus)
        assert ids == [IDS[row] for k in shards for row in range(4 * k, min(4 * k + 4, 46))]
        assert manifest["size"] == len(ids)
        assert manifest["split"] == "first_shards"
        assert manifest["seed"] is None
    assert subset("full", split="first_shards", corpus=corpus)[0] == IDS
    with pytest.raises(InputError, match="dataset 'small' has no shards"):
        subset("minimum", split="first_shards")
    with pytest.raises(InputError, match=r"split 'first' does not exist; .* first_shards, random"):
        subset("minimum", split="first")


def test_imported_shards_bring_their_own_sizes(tmp_path):
    corpus = dataset(tmp_path, Shards(size=4, take={"minimum": 1, "medium": 3}))
    shards = [["a.1.bert.pt", 30], ["a.10.bert.pt", 9], ["a.0.bert.pt", 7]]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"shards": {"train": shards}}))
    assert subset("minimum", split="first_shards", corpus=corpus)[0] == IDS[39:]
    assert subset("medium", split="first_shards", corpus=corpus)[0] == IDS
    manifest.write_text(json.dumps({"shards": {"train": shards[:2]}}))
    with pytest.raises(InputError, match=r"do not add up to train\.jsonl"):
        subset("minimum", split="first_shards", corpus=corpus)


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("minium", "^scenario 'minium' does not exist; did you mean 'minimum'"),
        ("maximum", "asks for 50 .* corpus has 46"),
    ],
)
def test_a_scenario_that_is_unknown_or_too_large_is_named(scenario, said):
    with pytest.raises(InputError, match=said):
        subset_size(scenario, {"minimum": 5, "maximum": 50}, 46)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0.001, "asks for 0 training examples and the corpus has 46; raise dataset.sizes.minimum"),
        (47, "lower dataset.sizes.minimum"),
        (1.5, "expected a number of examples, or a fraction up to 1.0; found 1.5"),
        (2.5, "expected a number of examples, or a fraction up to 1.0; found 2.5"),
        (float("nan"), "found nan"),
        (float("inf"), "found inf"),
        (-3, "asks for -3"),
    ],
)
def test_a_size_that_cannot_be_is_refused(size, said):
    with pytest.raises(InputError) as caught:
        subset_size("minimum", {"minimum": size}, 46)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("size", "found", "said"),
    [
        (1, (1, 50), "1 training example; scores of so few say little (dataset.sizes.full=1"),
        (1.0, (1, 50), "1 training example; scores of so few say little"),
        (0.1, (99, 9), "99 training examples and 9 validation examples"),
        (1.0, (100, 10), None),
    ],
)
def test_few_examples_are_said(size, found, said):
    warning = few_examples("full", size, dict(zip(("training", "validation"), found, strict=True)))
    assert (said in warning) if warning and said else warning is said
    assert warning is None or "(" in warning or warning.endswith("say little")
    assert ("1.0 is all" in str(warning)) == (size == 1 and isinstance(size, int))


@pytest.mark.parametrize("split", ["random", "first_shards"])
@pytest.mark.parametrize("scenario", SIZES)
def test_a_planned_subset_is_the_subset_without_what_needs_ids(scenario, split):
    corpus = dataset(shards=Shards(size=4, take={"minimum": 1, "medium": 3}))
    planned = planned_subset(SubsetRule(scenario=scenario, split=split, seed=0), corpus, len(IDS))
    manifest = subset(scenario, split=split, corpus=corpus)[1]
    assert planned == {key: manifest[key] for key in ("scenario", "split", "seed", "size", "of")}


def test_the_manifest_is_kept_and_checked(tmp_path):
    path = tmp_path / "subset.json"
    manifest = subset("minimum")[1]
    write_or_check(path, manifest)
    write_or_check(path, subset("minimum")[1])
    kept = json.loads(path.read_text())
    assert kept["ids"] == manifest["ids"]
    assert len(kept["ids"]) == kept["size"] == 5
    with pytest.raises(InputError, match=r"another subset \(split_seed was 0, is 1\)"):
        write_or_check(path, subset("minimum", seed=1)[1])
    with pytest.raises(InputError, match=r"another subset \(of was 46, is 47\)"):
        write_or_check(path, subset("minimum", [*IDS, "another"])[1])
    with pytest.raises(InputError, match="another subset; restore"):  # Ids would fill a page.
        write_or_check(path, {**manifest, "ids": manifest["ids"][::-1]})
    assert json.loads(path.read_text()) == kept
