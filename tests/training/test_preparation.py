from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.data.tokenizer import train_tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import write_jsonl
from mclas_lightning.training.preparation import check_inputs, prepare, side_vocabularies
from tests.conftest import examples
from tests.test_train import folder, go


@pytest.fixture
def ms(trained) -> Path:
    """A finished ms run."""
    return trained("model=ms", "scenario=full")


def test_half_of_no_initialization_is_refused(words):
    with pytest.raises(InputError, match="starts its decoder mono from an ms run; name its folder"):
        go(words, "model=ncls_ms_half")


def test_a_vocabulary_of_control_tokens_is_refused_before_anything_is_written(words, tmp_path):
    for language in ("en", "de"):
        (tmp_path / f"{language}.json").write_text("[0, 1]")
    with pytest.raises(InputError, match="holds control tokens alone; nothing could be written"):
        go(words, "model=ncls", f"dataset.vocabulary={tmp_path}")
    assert not folder(words, "ncls").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["init_from=nowhere"], "init_from=nowhere: no run here"),
        (["init_from={ms}", "network.encoder.width=32"], "hidden_size=16, this network has 32"),
        (
            ["init_from={ms}", "network.decoder.layers=2"],
            "decoder has layers=1, this network has 2",
        ),
        (["dataset.sizes.minimum=41"], "asks for 41 training examples and the corpus has 40"),
        (["dataset.path={corpus}/none"], "train.jsonl: no such file; dataset 'small'"),
        (["dataset.tokenizer={corpus}/none"], "neither a folder"),
        (["dataset.max_source=600"], "more than the encoder's 512 positions"),
        (["network.decoder.heads=5"], "width 16 cannot be split into 5 heads"),
        (["dataset.target=null"], "is monolingual"),
        (["dataset.target=german"], "language 'german' is not supported"),
        (["trainer.accelerator=gpuu"], "trainer: "),
        (["trainer.accelerator=tpu"], "trainer: "),
        (["+trainer.colour=red"], "trainer: "),
        (["trainer.precision=bf16-true"], "trainer.precision 'bf16-true' is not supported"),
        (["trainer.precision=64"], "trainer.precision '64' is not supported; "),
        (["optim.accumulate=50"], "too few for one update of optim.accumulate=50"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(words, ms, corpus, more, said):
    filled = [word.replace("{ms}", str(ms)).replace("{corpus}", str(corpus)) for word in more]
    with pytest.raises(InputError) as error:
        go(words, "model=mclas", *filled)
    assert said in str(error.value)
    assert not folder(words, "mclas").exists()


def test_a_training_in_fp16_is_planned_where_there_is_no_gpu(words):
    settings, _ = read_settings(compose("train", [*words, "trainer.precision=16-mixed"]))
    check_inputs(settings)
    with pytest.raises(InputError, match="16-mixed: is for GPUs"):
        prepare(settings)


def test_another_vocabulary_is_refused_as_initialization(words, ms, tmp_path):
    train_tokenizer(["other texts"] * 3, size=60, lowercase=True).save(tmp_path / "other")
    with pytest.raises(InputError, match="another vocabulary"):
        go(words, "model=mclas", f"init_from={ms}", f"dataset.tokenizer={tmp_path}/other")


def test_a_bad_line_of_the_corpus_is_named(words, corpus):
    path = corpus / "en2de" / "valid.jsonl"
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(InputError, match=r"valid\.jsonl:12: not a line of JSON"):
        go(words, "model=mclas")
    assert not folder(words, "mclas").exists()


def test_a_changed_corpus_is_noticed(words, trained, corpus):
    trained("model=ncls")
    write_jsonl(corpus / "en2de" / "train.jsonl", examples(39))
    with pytest.raises(InputError, match="another subset"):
        go(words, "model=mclas")


def test_a_training_is_prepared_of_its_scenarios_examples(words, corpus):
    settings, _ = read_settings(compose("train", [*words, "model=mclas"]))
    found = prepare(settings)
    assert (len(found.train), len(found.valid)) == (20, 11)
    assert set(found.train.names(range(20))) == set(found.manifest["ids"])
    assert found.ms is None
    # A vocabulary is knowledge of a language: of all 40 examples, not of these 20.
    for side in ("mono", "cross"):
        texts = [e.summary(side) or "" for e in examples(40)]
        ids = {i for row in found.tokenizer.encode(texts, 99) for i in row}
        assert found.vocabulary[side] == sorted(ids - set(found.tokenizer.special))
    every = side_vocabularies(settings, found.tokenizer, None)["cross"]
    assert len(every) == len(found.tokenizer) - len(found.tokenizer.special)


def test_an_ms_run_that_a_sweep_will_train_first_need_not_be_there(words, tmp_path):
    more = ["model=mclas", f"init_from={tmp_path}/ms"]
    settings, _ = read_settings(compose("train", [*words, *more]))
    with pytest.raises(InputError, match="ms: no run here"):
        check_inputs(settings)
    for place in ("ms", "ms/seed=0"):
        assert check_inputs(settings, planned=[tmp_path / place])[2] is None
