"""Pretrained encoders (of random weights, in folders as Hugging Face has them) and checkpoints."""

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
from mclas_lightning.model.checkpoint import (
    LIKE_ROBERTA,
    initialize_from_ms,
    load_checkpoint,
    load_pretrained_encoder,
    positions_of,
    pretrained_config,
)
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


@pytest.mark.parametrize("kind", ["fnet", "convbert"])
def test_an_encoder_that_reads_padding_is_refused(words, tmp_path, kind):
    path = folder(tmp_path / "bert", "bert")
    torch.manual_seed(3)
    sizes = {**SIZES, "intermediate_size": 30, "vocab_size": 99, "embedding_size": 24}
    AutoModel.from_config(AutoConfig.for_model(kind, **sizes)).save_pretrained(path)
    settings, _ = read_settings(compose("train", [*words, *choose(path)]))
    with pytest.raises(InputError, match=rf"reads padding \({kind}\)"):
        build_network(settings, prepare(settings))


def test_a_pretrained_folder_gives_sizes_weights_and_the_decoders_embedding(tmp_path):
    torch.manual_seed(3)
    bert = BertModel(
        BertConfig(
            vocab_size=53,
            hidden_size=24,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=37,
            max_position_embeddings=41,
            hidden_dropout_prob=0.0,
        )
    ).eval()
    bert.save_pretrained(tmp_path)
    config = NetworkConfig(
        encoder=pretrained_config(str(tmp_path)), decoder=small_network().config.decoder
    )
    network = Seq2Seq(config).eval()
    load_pretrained_encoder(network, str(tmp_path))
    source_BS = torch.randint(1, 53, (3, 11))
    expected = bert(input_ids=source_BS).last_hidden_state
    torch.testing.assert_close(network.encode(source_BS).hidden_BSD, expected)
    assert torch.equal(network.embedding.weight, bert.get_input_embeddings().weight)


@pytest.mark.parametrize(
    "kind", ["bert", "xlm-roberta", "roberta-prelayernorm", "deberta-v2", *LIKE_ROBERTA]
)
def test_an_encoder_reads_as_many_ids_as_its_positions_and_no_more(kind):
    sizes = {**SIZES, "num_hidden_layers": 1, "intermediate_size": 30, "pad_token_id": 1}
    more = {"max_position_embeddings": 19, "vocab_size": 53, "default_language": "en_XX"}
    encoder = AutoModel.from_config(AutoConfig.for_model(kind, **sizes, **more)).eval()
    longest = positions_of(encoder.config.to_dict())
    ids = torch.full((1, longest + 1), 7)
    mask = torch.ones_like(ids)
    with torch.no_grad():
        encoder(input_ids=ids[:, :longest], attention_mask=mask[:, :longest])
        with pytest.raises((IndexError, RuntimeError)):
            encoder(input_ids=ids, attention_mask=mask)


def with_more_layers(path: Path) -> None:
    config = AutoConfig.from_pretrained(path)
    config.num_hidden_layers += 1
    config.save_pretrained(path)


def pointer_of_git_lfs(path: Path) -> None:
    (path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_more_layers, r"lack 16 of its weights, such as 'encoder\.layer\.2\."),
        (pointer_of_git_lfs, "Error while deserializing header"),
    ],
)
def test_an_encoder_without_all_of_its_weights_is_refused(tmp_path, change, said):
    folder(tmp_path, "bert")
    change(tmp_path)
    encoder = pretrained_config(str(tmp_path))
    network = Seq2Seq(NetworkConfig(encoder=encoder, decoder=small_network().config.decoder))
    with pytest.raises(InputError, match=rf"its weights cannot be loaded \(.*{said}"):
        load_pretrained_encoder(network, str(tmp_path))


def test_an_encoder_without_a_pooler_is_whole(tmp_path):
    folder(tmp_path, "bert")
    bare = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    bare.save_pretrained(tmp_path)
    network = Seq2Seq(
        NetworkConfig(
            encoder=pretrained_config(str(tmp_path)), decoder=small_network().config.decoder
        )
    )
    load_pretrained_encoder(network, str(tmp_path))
    assert torch.equal(network.embedding.weight, bare.get_input_embeddings().weight)


def test_a_setting_of_another_type_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_size": "large"}')
    with pytest.raises(InputError, match="neither a folder with a model"):
        pretrained_config(str(tmp_path))


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(InputError, match="'nowhere/at-all': neither a folder"):
        pretrained_config("nowhere/at-all")


@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_checkpoint_cut_short_is_named(tmp_path, kept):
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": small_network().state_dict()}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(InputError, match=r"best\.ckpt: not a whole checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [{"output_bias": torch.zeros(3)}, torch.zeros(3)])
def test_a_file_of_another_program_is_no_checkpoint(tmp_path, content):
    torch.save(content, tmp_path / "best.ckpt")
    with pytest.raises(InputError, match=r"best\.ckpt: not a whole checkpoint \(.* not ours\)"):
        load_checkpoint(tmp_path / "best.ckpt")


def test_a_checkpoint_that_needs_code_is_refused_and_the_code_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}, "bomb": Bomb()}, path)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_ms_copied_into_ncls_ms_gives_equal_logits_from_both_decoders():
    ms, both = small_network(seed=1), small_network("mono", "cross", seed=2)
    source_BS, target_BT = torch.randint(1, 53, (3, 11)), torch.randint(1, 53, (3, 5))

    def logits(network, decoder):
        return network.logits(network.hidden(decoder, target_BT, network.encode(source_BS)))

    assert not torch.allclose(logits(both, "mono"), logits(both, "cross"))
    initialize_from_ms(both, ms.state_dict(), ["mono", "cross"])
    expected = logits(ms, "decoder")
    assert torch.equal(logits(both, "mono"), expected)
    assert torch.equal(logits(both, "cross"), expected)


def test_a_half_initialized_network_keeps_one_decoder_as_it_was_drawn():
    ms, half = small_network(seed=1), small_network("mono", "cross", seed=2)
    drawn = {name: tensor.clone() for name, tensor in half.state_dict().items()}
    initialize_from_ms(half, ms.state_dict(), ["mono"])
    theirs = ms.state_dict()
    for name, tensor in half.state_dict().items():
        if name.startswith("decoders.cross."):
            assert torch.equal(tensor, drawn[name]), name
        else:
            name = name.replace("decoders.mono.", "decoders.decoder.")
            assert torch.equal(tensor, theirs[name]), name
    assert not torch.equal(drawn["embedding.weight"], half.embedding.weight)


def test_an_initialized_network_shares_no_tensor_with_the_old_one():
    ms, other = small_network(seed=1), small_network("mono", "cross", seed=2)
    initialize_from_ms(other, ms.state_dict(), ["mono", "cross"])
    assert not {p.data_ptr() for p in ms.parameters()} & {p.data_ptr() for p in other.parameters()}


def test_a_checkpoint_with_one_other_byte_is_named(tmp_path):
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": {"network.weight": torch.arange(1000.0)}}, path)
    content = bytearray(path.read_bytes())
    torch.testing.assert_close(load_checkpoint(path)["state_dict"]["network.weight"][7].item(), 7.0)
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"best\.ckpt: not a whole checkpoint .*damaged"):
        load_checkpoint(path)
