from dataclasses import dataclass, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.errors import InputError
from mclas_lightning.schema import check_given, flat, typed


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float


@dataclass(frozen=True, kw_only=True)
class Outer:
    number: int
    name: str
    on: bool
    inner: Inner
    maybe: Inner | None
    sizes: dict[str, int]
    words: list[str]
    later: int = 7


WHOLE = {
    "number": 3, "name": "a", "on": True, "inner": {"rate": 0.5}, "maybe": None,
    "sizes": {"full": 2}, "words": ["x"],
}  # fmt: skip


def test_a_mapping_becomes_the_record_of_the_same_values():
    made = typed("outer", Outer, WHOLE)
    assert made.inner == Inner(rate=0.5)
    assert {name: getattr(made, name) for name in WHOLE} == {**WHOLE, "inner": made.inner}
    assert made.later == 7  # A configuration of an earlier version does not have the key.
    assert typed("outer", Outer, {**WHOLE, "maybe": {"rate": 2}}).maybe == Inner(rate=2)


@pytest.mark.parametrize("name", [f.name for f in fields(Outer) if f.name != "later"])
def test_a_missing_key_is_named(name):
    left = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(InputError, match=f"^outer.{name}: is missing$"):
        typed("outer", Outer, left)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": True}, "outer.number: expected a whole number, found 'True'"),
        ({"number": 2.0}, "outer.number: expected a whole number"),
        ({"name": 2}, "outer.name: expected a text, found '2'"),
        ({"on": 1}, "outer.on: expected true or false"),
        ({"inner": None}, "outer.inner: expected a mapping, found 'None'"),
        ({"inner": {"rate": "fast"}}, "outer.inner.rate: expected a number, found 'fast'"),
        ({"inner": {"rate": True}}, "outer.inner.rate: expected a number"),
        ({"maybe": {}}, "outer.maybe.rate: is missing"),
        ({"sizes": {"full": "all"}}, "outer.sizes.full: expected a whole number"),
        (
            {"sizes": 20},
            "outer.sizes: expected a mapping, found '20'; give one of its keys: outer.sizes.KEY=20",
        ),
        ({"words": ["x", 2]}, r"outer.words\[1\]: expected a text, found '2'"),
        ({"words": "x"}, "outer.words: expected a list"),
        ({"nmae": "a"}, "outer: 'nmae' does not exist; did you mean 'name'"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(change, said):
    with pytest.raises(InputError, match=f"^{said}"):
        typed("outer", Outer, {**WHOLE, **change})


KEYS = st.sampled_from(["a", "b", "ab"])
LEAVES = st.integers(0, 3) | st.none() | st.lists(st.integers(0, 3), max_size=2)


def mappings(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.dictionaries(KEYS, values, min_size=1, max_size=3)


@settings(max_examples=50)
@given(mappings(LEAVES | mappings(LEAVES | mappings(LEAVES))))
def test_flat_keys_lead_to_the_leaves_of_a_mapping(mapping):
    leaves = list(flat(mapping, "."))
    assert len({key for key, _ in leaves}) == len(leaves)
    rebuilt: dict = {}
    for key, value in leaves:
        *folders, last = key.split(".")
        place = rebuilt
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value
    assert rebuilt == mapping


def test_keys_that_are_left_to_the_words_are_all_named():
    check_given({"a": {"b": 1}, "c": ["???"]})
    with pytest.raises(InputError, match=r"^words are missing: a\.b=\.\.\. d=\.\.\.$"):
        check_given({"a": {"b": "???"}, "c": 1, "d": "???"})
