import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.data.scenario import choose, scenario_subset, subset_size, write_or_check
from mclas_lightning.errors import InputError
from tests.conftest import examples

SIZES = {"minimum": 5, "medium": 11, "maximum": 0.5, "full": 1.0}


def subset(scenario, stories, seed=0):
    return scenario_subset(stories, scenario, SIZES, seed=seed, corpus_sha256="c")


def test_counts_stand_as_they_are_and_fractions_are_of_the_corpus():
    assert [subset_size(name, SIZES, 46) for name in SIZES] == [5, 11, 23, 46]
    assert subset_size("one", {"one": 1}, 46) == 1


@given(st.integers(0, 10**6), st.permutations(range(46)))
def test_scenarios_are_nested_and_do_not_depend_on_the_order_of_the_file(seed, order):
    stories = examples(46)
    chosen = [{e.id for e in subset(name, stories, seed)[0]} for name in SIZES]
    assert [len(ids) for ids in chosen] == [5, 11, 23, 46]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]
    shuffled = [stories[i] for i in order]
    assert {e.id for e in subset("medium", shuffled, seed)[0]} == chosen[1]


def test_another_seed_chooses_others():
    ids = [f"story-{i}" for i in range(1000)]
    both = set(choose(ids, 100, 0)) & set(choose(ids, 100, 1))
    assert len(both) < 30  # 10 expected


def test_the_choice_is_pinned():
    assert choose([str(i) for i in range(100)], 4, seed=0) == ["87", "46", "15", "44"]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [("minium", "did you mean 'minimum'"), ("maximum", "asks for 50 .* corpus has 46")],
)
def test_a_scenario_that_is_unknown_or_too_large_is_named(scenario, said):
    with pytest.raises(InputError, match=said):
        subset_size(scenario, {"minimum": 5, "maximum": 50}, 46)


def test_the_manifest_is_kept_and_checked(tmp_path):
    path = tmp_path / "subset.json"
    manifest = subset("minimum", examples(46))[1]
    write_or_check(path, manifest)
    write_or_check(path, subset("minimum", examples(46))[1])
    kept = json.loads(path.read_text())
    assert kept["ids"] == manifest["ids"]
    assert len(kept["ids"]) == kept["size"] == 5
    with pytest.raises(InputError, match=r"another subset \(seed was 0, is 1\)"):
        write_or_check(path, subset("minimum", examples(46), seed=1)[1])
    with pytest.raises(InputError, match="another subset"):
        write_or_check(path, subset("minimum", examples(47))[1])
    assert json.loads(path.read_text()) == kept
