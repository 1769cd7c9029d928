import shlex
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import get_args, get_type_hints

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mclas_lightning.config.compose import compose, multirun_words
from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import (
    ModelConfig,
    NetworkDesign,
    PipelineConfig,
    ScoringConfig,
    TopLevel,
)
from mclas_lightning.config.overrides import (
    TEXT_KEYS,
    TEXT_OR_NULL_KEYS,
    command,
    elements,
    hydra_arguments,
    override,
    quoted,
    uninterpolated,
)

HOSTILE = "abz019 äß中文é#&()'~!=,;|<>*?@%^+-_./:\"\t`"
NUMBERS = ("1e5", "true", "null", "007", "1_000", "12", "-3", ".5", "nan", "Inf", "1e-3", "FALSE")
texts = st.one_of(st.text(HOSTILE, min_size=1), st.sampled_from(NUMBERS))
# What Hydra means by itself, and a text must therefore quote.
syntax = ("'", '"', "choice(", "range(", "sort(", "shuffle(", "interval(", "tag(")

# Texts of a few known values: a name, a language, a word of ours. Hydra's commas serve them.
CHOICES = {
    "scenario", "split", "dataset.source", "dataset.target", "dataset.leaks",
    "model.source",
}  # fmt: skip
SECTIONS = {
    "": TopLevel, "dataset.": DatasetConfig, "network.": NetworkDesign, "model.": ModelConfig,
    "scoring.": ScoringConfig,
}  # fmt: skip


def texts_of(kind: type, prefix: str) -> dict[str, bool]:
    """Keys whose values are texts, and whether there may be none."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        if str in parts:
            found[f"{prefix}{name}"] = NoneType in parts
        for part in parts:
            if is_dataclass(part) and isinstance(part, type):
                found |= texts_of(part, f"{prefix}{name}.")
    return found


def test_all_texts_of_the_configuration_are_known():
    found = {}
    for prefix, kind in SECTIONS.items():
        found |= texts_of(kind, prefix)
    found |= texts_of(PipelineConfig, "model.") | {"data": False}  # No typed key: a place.
    assert {field.name for field in fields(TopLevel)} >= {"runs", "store"}
    assert {key for key, optional in found.items() if not optional} - CHOICES == TEXT_KEYS
    assert {key for key, optional in found.items() if optional} - CHOICES == TEXT_OR_NULL_KEYS


def parsed(word: str):
    (found,) = OverridesParser.create().parse_overrides([word])
    return found


@given(texts)
@example("a,b")
@example(" a ")
def test_a_text_of_a_command_line_goes_in_and_comes_out_of_hydra(text):
    assume(not text.startswith(syntax))
    found = parsed(quoted(f"dataset.path={text}"))
    assert not found.is_sweep_override()
    assert found.value() == text


@given(st.lists(texts, min_size=2, max_size=4))
def test_commas_of_a_multirun_separate_texts(values):
    values = [value.replace(",", "").strip(" \t") for value in values]
    assume(not any(value.startswith(syntax) for value in values))
    runs = multirun_words({"dataset.path": ",".join(values)})
    assert [parsed(word).value() for (word,) in runs] == values


@given(st.text())
@example("${data}")
@example("\\${data}\\\\${x}")
@example("a'b\"c\\")
def test_a_written_value_is_read_as_it_was(text):
    word = override("x", uninterpolated(text))
    assert not parsed(word).is_sweep_override()
    cfg = OmegaConf.create({"x": parsed(word).value()})
    assert OmegaConf.to_container(cfg, resolve=True) == {"x": text}
    assert shlex.split(command("mclas-train", ["-m", word])) == ["mclas-train", "-m", word]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(HOSTILE),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abz", min_size=1), inner),
)


@given(values)
def test_written_lists_and_mappings_are_read_as_they_were(value):
    assert parsed(override("x", value)).value() == value


@pytest.mark.parametrize(
    "word",
    [
        "seed=0,1", "model=ncls,mclas", "dataset.source=de,zh", "optim.updates={full: 10}",
        "dataset.path='a,b'", 'dataset.name="1e5"', "dataset.path=choice(a,b)", "seed=range(3)",
        "init_from=null", "init_from=${runs}/toy_en/full/ms", "model.initialize=[]",
        "model.initialize=[mono,cross]", "dataset.path=a\\,b", "x=${y:z=1}", "a={b: c=d}",
        "--multirun", "-m", "~logger", "optim.encoder.lr=1e-3", "+sweep=toy", "trainer.devices=2",
        "dataset.path='a','b'",
    ],
)  # fmt: skip
def test_what_hydra_means_by_itself_stays(word):
    assert quoted(word) == quoted(word, multirun=True) == word


@pytest.mark.parametrize(
    ("word", "one", "several"),
    [
        ("dataset.path=a,b", "dataset.path='a,b'", "dataset.path=a,b"),
        ("dataset.name=007,1e5", "dataset.name='007,1e5'", "dataset.name=007,'1e5'"),
        ("trainer.devices=0,1", "trainer.devices='0,1'", "trainer.devices=0,1"),
        ("init_from=null,a b", "init_from='null,a b'", "init_from=null,a b"),
        ("logger.tags=[Köln,b]", "logger.tags=['Köln',b]", "logger.tags=['Köln',b]"),
        ("dataset.path=a,", "dataset.path='a,'", "dataset.path=a,''"),
        ("++init_from=ü", "++init_from='ü'", "++init_from='ü'"),
    ],
)
def test_a_comma_separates_runs_of_a_multirun_only(word, one, several):
    assert (quoted(word), quoted(word, multirun=True)) == (one, several)


@pytest.mark.parametrize("asks", ["-m", "--multirun", "+sweep=toy", "hydra.mode=MULTIRUN"])
def test_arguments_that_ask_for_a_multirun_are_known(asks):
    assert hydra_arguments(["init_from=ü,a", asks])[0] == "init_from='ü',a"
    assert hydra_arguments(["init_from=ü,a"])[0] == "init_from='ü,a'"


def test_elements_keep_what_belongs_together():
    found = elements("'a,b',choice(c,d),[e,ü],${f:g,h},it's, i ,")
    assert list(found) == ["'a,b'", "choice(c,d)", "[e,ü]", "${f:g,h}", "it's", "i", ""]


def test_a_runs_folder_needs_no_quotes():
    assert quoted("init_from=runs/a/seed=0") == "init_from='runs/a/seed=0'"
    for word in ("seed=0", "init_from='runs/a/seed=0'", "a={b: c=d}", "--multirun", "x=${y:z=1}"):
        assert quoted(word) == word
    cfg = compose("train", ["init_from=runs/a/seed=0"])
    assert cfg.init_from == "runs/a/seed=0"
