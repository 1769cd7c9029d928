"""Encoders of several kinds, made here with random weights, in folders as Hugging Face has them."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers
from transformers import AutoConfig, AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.preparation import build_network, prepare
from tests.conftest import PLACES, small_network

PIECES = ["<s>", "<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz0123456789."]
WORDS = ["storm", "Sturm", "hits", "trifft", "On", "day", "there", "was", "a", "in", "stayed"]
SIZES = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 24}
KINDS = {
    "bert": {**SIZES, "intermediate_size": 30},
    "xlm-roberta": {**SIZES, "intermediate_size": 30, "type_vocab_size": 1, "pad_token_id": 1,
                    "max_position_embeddings": 514},
    "deberta-v2": {**SIZES, "intermediate_size": 30},
    "distilbert": {"n_layers": 2, "n_heads": 2, "dim": 24, "hidden_dim": 30},
    "modernbert": {**SIZES, "intermediate_size": 30, "pad_token_id": 1, "eos_token_id": 2,
                   "bos_token_id": 0, "cls_token_id": 0, "sep_token_id": 2},
}  # fmt: skip


def folder(path: Path, kind: str) -> Path:
    """A model of this kind and a SentencePiece-like tokenizer without unused entries."""
    pieces = list(dict.fromkeys([*PIECES, *WORDS, *PLACES["en"], *PLACES["de"]]))
    backend = Backend(
        models.Unigram([(piece, -(len(piece) ** -0.5)) for piece in pieces], unk_id=3)
    )
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", cls_token="<s>",
        sep_token="</s>",
    ).save_pretrained(path)  # fmt: skip
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=len(pieces), **KINDS[kind])
    AutoModel.from_config(config).save_pretrained(path)
    return path


def choose(path: Path, sentences: bool = False) -> list[str]:
    """Words for mclas-train."""
    return [
        "network=paper", f"network.encoder.pretrained={path}",
        f"network.encoder.sentences={str(sentences).lower()}",
        "network.decoder={layers: 1, heads: 2, feed_forward: 31}",
        "optim.encoder.dropout=0",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_of_any_kind_is_loaded_whole(kind, words, tmp_path):
    path = folder(tmp_path / kind, kind)
    rest = [word for word in words if not word.startswith("network.")]
    settings, _ = read_settings(compose("train", [*rest, *choose(path)]))
    prepared = prepare(settings)
    network = build_network(settings, prepared).eval()
    theirs = AutoModel.from_pretrained(path).eval()
    known = theirs.config.vocab_size
    special = prepared.tokenizer.special
    assert network.pad_id == special.pad == 1
    assert special[-3:] == (known, known + 1, known + 2)
    source = torch.tensor([[0, *range(5, 16), 2], [0, *range(7, 12), 2, *[1] * 6]])
    memory = network.encode(source)
    expected = theirs(input_ids=source, attention_mask=source != 1).last_hidden_state
    real = source != 1
    torch.testing.assert_close(memory.hidden_BSD[real], expected[real])
    assert torch.equal(network.embedding.weight[:known], theirs.get_input_embeddings().weight)
    assert len(network.embedding.weight) == known + 3
    trained = {id(p) for p in network.encoder_parameters()}
    unused = {n for n, p in network.encoder.named_parameters() if id(p) not in trained}
    assert all(name.startswith("pooler") for name in unused)


@pytest.mark.parametrize("kind", ["xlm-roberta", "distilbert"])
def test_a_run_with_another_encoder_leaves_all_that_summarizing_needs(kind, words, tmp_path):
    path = folder(tmp_path / kind, kind)
    rest = [word for word in words if not word.startswith("network.")]
    assert train(compose("train", [*rest, *choose(path), "model=mclas"]))
    (best,) = tmp_path.glob("runs/*/*/*/*/checkpoints/best.ckpt")
    summarizer = load_summarizer(Run(best.parents[1]))
    assert summarizer.sentences is None
    assert summarizer.tokenizer.added == 0  # They were saved with it.


@pytest.mark.parametrize(
    ("kind", "sentences", "said"),
    [
        ("xlm-roberta", True, "has no two kinds of segments"),
        ("distilbert", True, "has no two kinds of segments"),
        ("t5", False, "is more than an encoder of text (t5)"),
        ("xlnet", False, "does not say how long a text may be (xlnet)"),
        ("electra", False, "its word embedding is 128 wide, its layers 24"),
    ],
)
def test_an_encoder_that_cannot_serve_is_named(kind, sentences, said, words, tmp_path):
    path = tmp_path / kind
    if kind in KINDS:
        folder(path, kind)
    else:
        folder(path, "bert")
        sizes = SIZES if kind == "electra" else {"d_model": 24, "n_head": 2}
        AutoConfig.for_model(kind, **sizes).save_pretrained(path)
    settings, _ = read_settings(compose("train", [*words, *choose(path, sentences)]))
    with pytest.raises(InputError) as error:
        prepare(settings)
    assert said in str(error.value)


def test_a_model_that_reads_from_left_to_right_is_no_encoder(words, tmp_path):
    path = folder(tmp_path / "bert", "bert")
    sizes = {**SIZES, "intermediate_size": 30, "vocab_size": 99, "num_key_value_heads": 2}
    AutoModel.from_config(AutoConfig.for_model("llama", **sizes)).save_pretrained(path)
    settings, _ = read_settings(compose("train", [*words, *choose(path)]))
    with pytest.raises(InputError, match="reads from left to right alone"):
        build_network(settings, prepare(settings))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_a_mask_that_is_not_looked_into_hides_the_same_padding(kind):
    torch.manual_seed(0)
    encoder = AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=53, **KINDS[kind])).eval()
    source = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 1, 1]])
    mask = source != 1
    looked_into = encoder(input_ids=source, attention_mask=mask).last_hidden_state
    as_is = encoder(input_ids=source, attention_mask=mask[:, None, None]).last_hidden_state
    torch.testing.assert_close(as_is[mask], looked_into[mask])


def test_segment_ids_alternate_from_sentence_to_sentence():
    sizes = {"vocab_size": 53, "intermediate_size": 37, "max_position_embeddings": 41}
    network = Seq2Seq(
        NetworkConfig(
            encoder={**SIZES, **sizes, "pad_token_id": 0},
            decoder=DecoderConfig(layers=1, heads=2, feed_forward=31, dropout=0.0),
            sentence_id=2,
        )
    ).eval()
    plain = BertModel(BertConfig(**SIZES, **sizes)).eval()  # pyright: ignore
    plain.load_state_dict(network.encoder.state_dict())
    source = torch.tensor([[2, 7, 8, 3, 2, 9, 3, 2, 11, 12, 3]])
    segments = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]])
    expected = plain(input_ids=source, token_type_ids=segments).last_hidden_state
    torch.testing.assert_close(network.encode(source).hidden_BSD, expected)
    without = plain(input_ids=source).last_hidden_state
    assert not torch.allclose(network.encode(source).hidden_BSD, without, atol=1e-3)
    assert small_network().config.sentence_id is None


def test_a_run_learns_and_summarizes_from_sentences_set_apart(words, tmp_path):
    more = ["network.encoder.sentences=true", "model=mclas"]
    settings, _ = read_settings(compose("train", [*words, *more]))
    prepared = prepare(settings)
    store = prepared.train.store
    special = prepared.tokenizer.special
    sources, _ = prepared.train.ids(range(5))
    assert max(source.count(special.cls) for source in sources) > 2
    assert train(compose("train", [*words, *more]))
    summarizer = load_summarizer(Run(settings.run.folder))
    assert summarizer.sentences == "en"
    assert summarizer.network.config.sentence_id == special.cls
    texts = [
        example.document
        for example in settings.dataset.read("train", [])
        if example.id in store.ids(prepared.train.rows[:5].tolist())
    ]
    encoded = summarizer.tokenizer.encode_sources(texts, settings.dataset.max_source, "en")
    assert sorted(encoded) == sorted(sources)
