"""Any words on a command line end in one line, or are understood."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.cli.main import parsed
from mclas_lightning.config.compose import compose
from mclas_lightning.config.overrides import hydra_arguments
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from tests.fuzz.harness import CHECKS

COMMANDS = (
    *("data", "import", "check", "toy", "human", "score", "sheet", "sweep", "run", "status"),
    *("table", "report", "show", "figure", "verify", "rescore", "export", "heads", "summarize"),
    *("doctor", "wandb", "sync", "demo", "import-outputs", "import-checkpoint"),
)
OPTIONS = (
    *("--dataset", "--out", "--runs", "--seed", "--num", "--id", "--format", "--json", "--deep"),
    *("--lang", "--hypotheses", "--references", "--profile", "--strict", "--help-me", "-m", "--"),
)
KEYS = (
    *("dataset", "model", "network", "optim", "scenario", "seed", "decoding.beam", "trainer"),
    *("optim.updates", "optim.encoder.lr", "dataset.sizes", "dataset.name", "run_dir", "nothing"),
    *("+new", "~seed", "++optim.updates.full", "hydra.run.dir", "dataset.leaks", "init_from"),
)
JUNK = st.text(string.printable + "\u00e4\u4f60\u2028", max_size=8)
VALUES = JUNK | st.sampled_from(
    ["toy", "minimum", "mclas", "0", "-1", "1e99", "nan", "[1,2]", "{a: 1}", "null", "???", "${x}"]
)
WORDS = st.builds("{}={}".format, st.sampled_from(KEYS), VALUES) | JUNK

checks = settings(suppress_health_check=CHECKS, database=None)


@settings(checks, max_examples=100)
@given(
    st.lists(st.sampled_from(COMMANDS), max_size=2),
    st.lists(st.sampled_from(OPTIONS) | VALUES, max_size=4),
)
def test_arguments_are_understood_or_refused_in_one_line(commands, words):
    try:
        parsed([*commands, *words])
    except SystemExit as exit:
        assert exit.code in (0, 2)  # noqa: PT017


@pytest.mark.parametrize("words", [["table", "9"], ["verify"], ["nothing"], ["show", "--num", "x"]])
def test_what_is_refused_is_one_line(words, capsys):
    with pytest.raises(SystemExit):
        parsed(words)
    assert capsys.readouterr().err.count("\n") == 1


@settings(checks, max_examples=25)
@given(st.lists(WORDS, max_size=3))
def test_words_for_a_training_compose_or_are_refused_in_one_line(words):
    said = ""
    try:
        hydra_arguments(words)
        read_settings(compose("train", words))
    except InputError as error:
        said = str(error)
    assert "\n" not in said
