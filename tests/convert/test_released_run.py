"""`mclas import-checkpoint`, from a file in the released layout to scores."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import BertTokenizer

from mclas_lightning.cli import main as cli
from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.evaluate import evaluate
from mclas_lightning.evaluation.words import config_for_run
from mclas_lightning.example import write_jsonl
from mclas_lightning.inference.trained import load_summarizer, network_of, weights_of
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.network import check_initialization
from tests.conftest import PLACES, examples, outcome, read_lines
from tests.convert.test_released import WORDS, logits, released, write

LETTERS = [*"abcdefghijklmnoprstuvwxyz"]
SHOWS = ["storm", "hits", "sturm", "trifft", *(str(digit) for digit in range(10))]


@pytest.fixture
def mbert(tmp_path) -> Path:
    """A tokenizer whose control tokens lie where mBERT's do."""
    places = [place.lower() for place in (*PLACES["en"], *PLACES["de"][:5])]
    pieces = [
        "[PAD]", *(f"[unused{i}]" for i in range(1, 100)), "[UNK]", "[CLS]", "[SEP]", "[MASK]",
        *dict.fromkeys([*SHOWS, *places, *LETTERS]),
    ]  # fmt: skip
    pieces += [f"filler{i}" for i in range(WORDS - len(pieces))]
    assert len(pieces) == WORDS
    folder = tmp_path / "mbert"
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    BertTokenizer(vocab=vocabulary, do_lower_case=True).save_pretrained(folder)
    return folder


@pytest.fixture
def words(mbert, tmp_path) -> list[str]:
    """Words that say what a checkpoint is, for a dataset whose corpus is here."""
    for split, num, start in (("train", 30, 0), ("valid", 5, 40), ("test", 7, 51)):
        write_jsonl(tmp_path / "corpus" / f"{split}.jsonl", examples(num, start))
    return [
        "dataset=en2desum", f"dataset.path={tmp_path}/corpus", "dataset.max_source=41",
        "network=paper", f"network.encoder.pretrained={mbert}", f"store={tmp_path}/store",
        f"runs={tmp_path}/runs", "trainer.accelerator=cpu",
    ]  # fmt: skip


def run_import(monkeypatch, *arguments: object) -> int:
    """The exit code of the command."""
    monkeypatch.setattr(sys, "argv", ["mclas", "import-checkpoint", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


@pytest.mark.parametrize(
    ("kind", "model"),
    [("one", "mclas"), ("one", "ncls"), ("one", "ms"), ("shared", "ncls_ms"), ("own", "ncls_ms")],
)
def test_a_checkpoint_becomes_a_run_that_is_scored(
    kind, model, words, tmp_path, monkeypatch, capsys
):
    file, out = write(tmp_path / "model_step_5.pt", released(kind)), tmp_path / "imported"
    assert run_import(monkeypatch, file, out, f"model={model}", *words) == 0
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if line.startswith("score it with:"))
    folder, *more = shlex.split(line.removeprefix("score it with: mclas-evaluate "))
    more += ["decoding.beam=2", "decoding.max_length=30"]
    results = evaluate(config_for_run(Path(folder), more, None), of_run=True)
    assert results is not None
    sides = {"mclas": {"mono", "cross"}, "ncls_ms": {"mono", "cross"}, "ms": {"mono"}}
    assert set(results.scores) == sides.get(model, {"cross"})
    assert results.provenance["checkpoint"] == "model_step_5.pt"
    assert len(read_lines(out / "predictions.jsonl")) == 7
    assert ("start others from it" in said) == (model == "ms")
    # Sources are sentences set apart; each of its networks scores as the released one.
    summarizer = load_summarizer(Run(out))
    assert summarizer.sentences == "en"
    assert summarizer.task.bos_after_lsep
    network = summarizer.network.eval()
    state = released(kind)
    source = torch.tensor(summarizer.tokenizer.encode_sources(["storm hits a."], 41, "en")[0])
    target = torch.randint(104, WORDS, (7,))
    theirs = {"mono": "decoder_monolingual", "cross": "decoder", "decoder": "decoder"}
    with torch.no_grad():
        for decoder in network.config.decoders:
            hidden = network.hidden(decoder, target[None], network.encode(source[None]))
            expected = logits(state, theirs[decoder], source, target)
            torch.testing.assert_close(network.logits(hidden)[0], expected, atol=1e-4, rtol=0)


def test_an_imported_ms_checkpoint_starts_a_few_shot_run(words, mbert, tmp_path, monkeypatch):
    from transformers import BertModel

    from tests.convert.test_released import BERT, HEADS, INNER, LAYERS

    BertModel(BERT).save_pretrained(mbert)
    file, out = write(tmp_path / "model_step_5.pt", released("one")), tmp_path / "ms"
    assert run_import(monkeypatch, file, out, "model=ms", *words) == 0
    few_shot = [
        *words, "model=ncls_ms", "scenario=minimum", "dataset.sizes={minimum: 20}",
        f"network.decoder={{layers: {LAYERS}, heads: {HEADS}, feed_forward: {INNER}}}",
        f"init_from={out}", "optim=released_few_shot", "optim.updates.minimum=2",
        "optim.validations=1", "optim.max_source=41", "optim.max_summary=20",
        "optim.encoder.lr=0", "optim.decoder.lr=0", "decoding.max_length=8", "decoding.beam=1",
    ]  # fmt: skip
    assert train(compose("train", few_shot))
    (best,) = tmp_path.glob("runs/en2desum/minimum/ncls_ms/seed=0/checkpoints/best.ckpt")
    ours, theirs = weights_of(Run(best.parents[1])), weights_of(Run(out))
    for decoder in ("mono", "cross"):
        name = "layers.1.cross_attention.query.weight"
        assert torch.equal(ours[f"decoders.{decoder}.{name}"], theirs[f"decoders.decoder.{name}"])


def test_without_a_corpus_nothing_is_masked_and_with_dictionaries_theirs_is(
    words, tmp_path, monkeypatch, capsys
):
    file = write(tmp_path / "model_step_5.pt", released("one"))
    elsewhere = [*words, f"dataset.path={tmp_path}/nowhere", "model=mclas"]
    assert run_import(monkeypatch, file, tmp_path / "a", *elsewhere) == 0
    written = f"mono summaries may be written with {WORDS - 7} of them"
    assert written in capsys.readouterr().out
    dictionaries = tmp_path / "dictionaries"
    dictionaries.mkdir()
    (dictionaries / "en.json").write_text("[1, 2, 100, 110, 111]")
    (dictionaries / "de.json").write_text("[1, 2, 112, 113, 114]")
    more = f"dataset.vocabulary={dictionaries}"
    assert run_import(monkeypatch, file, tmp_path / "b", *elsewhere, more) == 0
    assert load_summarizer(Run(tmp_path / "b")).vocabulary == {
        "mono": [110, 111], "cross": [112, 113, 114],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("shared", ["model=mclas"], "has NCLS+MS's two decoders, model 'mclas' has decoder; name"),
        ("one", ["model=ncls_ms"], "has one decoder, model 'ncls_ms' has mono, cross; name"),
        ("one", ["model=tltran"], "model 'tltran' is none that the released code trains"),
        ("one", ["model=mt"], "model 'mt' is none that the released code trains"),
        ("one", ["dataset.max_source=42"], "dataset.max_source=42 is more than the encoder's 41"),
        ("one", ["network.tokenizer={corpus}/tokenizer"], "name the one it was trained with"),
        ("one", ["scenario=minium"], "scenario 'minium' does not exist; did you mean 'minimum'"),
    ],
)
def test_what_cannot_be_imported_is_one_line(
    kind, more, said, words, corpus, tmp_path, monkeypatch, capsys
):
    file = write(tmp_path / "model_step_5.pt", released(kind))
    more = [word.format(corpus=corpus) for word in more]
    assert run_import(monkeypatch, file, tmp_path / "out", *words, *more) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_overwritten(words, tmp_path, monkeypatch, capsys):
    file = write(tmp_path / "model_step_5.pt", released("one"))
    (tmp_path / "out").mkdir()
    assert run_import(monkeypatch, file, tmp_path / "out", *words) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("use_interval", [True, False, None])
def test_segments_alternate_unless_the_checkpoints_options_say_otherwise(
    use_interval, words, tmp_path, monkeypatch
):
    more = {} if use_interval is None else {"use_interval": use_interval}
    file = write(tmp_path / "model_step_5.pt", released("one"), **more)
    out = tmp_path / "ms"
    assert run_import(monkeypatch, file, out, "model=ms", *words) == 0
    summarizer = load_summarizer(Run(out))
    # Sentences are set apart in any case.
    (source,) = summarizer.tokenizer.encode_sources(["storm hits. a b."], 41, summarizer.sentences)
    assert source.count(summarizer.tokenizer.special.cls) == 2
    source_BS = torch.tensor([source])
    with torch.no_grad():
        network = summarizer.network.eval()
        found = network.encode(source_BS).hidden_BSD
        plain = network.encoder(input_ids=source_BS).last_hidden_state  # All segments are 0.
    assert torch.equal(found, plain) is (use_interval is False)
    ours = replace(network_of(Run(out))[0], alternating=True)
    result = outcome(lambda: check_initialization(Run(out), ours, summarizer.tokenizer))
    if use_interval is False:
        assert "no alternating segments (use_interval=False" in str(result)
    else:
        assert result is None


@pytest.mark.parametrize(
    ("options", "heads"),
    [({"dec_heads": 0}, 0), ({"dec_heads": 5}, 5), ({"dec_heads": 3, "encoder": "baseline"}, 8)],
)
def test_heads_that_do_not_divide_the_width_are_named(
    options, heads, words, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "model.pt"
    opt = argparse.Namespace(**options)
    torch.save({"model": released("one"), "opt": opt, "optims": []}, file)
    assert run_import(monkeypatch, file, tmp_path / "out", *words, "model=ncls") == 2
    assert f"its options say {heads} heads, which do not divide 12" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_a_released_summary_has_between_sentences_is_a_new_line(mbert):
    tokenizer = Tokenizer.load(str(mbert))
    storm, hits = tokenizer.encode(["storm hits"], 9)[0]
    mask = tokenizer.backend.get_vocab()["[MASK]"]
    assert tokenizer.border == 3
    assert tokenizer.decode([1, 3, storm, 3, 3, hits, mask, 3, mask, 2], "en") == "storm\nhits"


def test_an_imported_checkpoint_writes_sentences(words, tmp_path, monkeypatch):
    file, out = write(tmp_path / "model_step_5.pt", released("one")), tmp_path / "imported"
    assert run_import(monkeypatch, file, out, "model=mclas", *words) == 0
    summarizer = load_summarizer(Run(out))
    assert all(3 in ids for ids in summarizer.vocabulary.values())
    decoding = read_settings(compose("train", [*words, "decoding=released"]))[0].decoding
    found = set[str]()
    for _ in range(8):  # Networks that like [unused3] more and more, in the end above all.
        found |= {*summarizer.summarize(["storm hits a."], decoding)[0].values()}
        with torch.no_grad():
            summarizer.network.output_bias[3] += 3
    assert any("\n" in text for text in found)
    assert all(line.strip() == line != "" for text in found if text for line in text.split("\n"))
