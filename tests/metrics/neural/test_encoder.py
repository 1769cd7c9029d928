import os
import shutil
import socket
import subprocess
import sys
from typing import Any

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertTokenizer,
    ModernBertConfig,
    ModernBertModel,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
)

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.neural.encoder import load_encoder, num_layers

CPU = torch.device("cpu")
IDS = torch.tensor([[2, 7, 9, 8, 3]])


@torch.no_grad()
def states(model) -> torch.Tensor:
    return model(IDS).last_hidden_state


def test_the_upper_layers_are_left_out(small_encoder):
    whole = AutoModel.from_pretrained(small_encoder).eval()
    found = load_encoder(str(small_encoder), 2, CPU).model
    assert (num_layers(str(small_encoder)), len(found.encoder.layer)) == (3, 2)
    with torch.no_grad():
        expected = whole(IDS, output_hidden_states=True).hidden_states[2]
    torch.testing.assert_close(states(found), expected)


def test_loading_says_nothing(small_encoder, capfd):
    load_encoder(str(small_encoder), 1, CPU)
    assert capfd.readouterr() == ("", "")


def test_an_encoder_whose_files_lack_a_layer_scores_nothing(small_encoder, tmp_path):
    shutil.copytree(small_encoder, tmp_path / "encoder")
    AutoModel.from_pretrained(small_encoder, num_hidden_layers=2).save_pretrained(tmp_path)
    shutil.copy(tmp_path / "model.safetensors", tmp_path / "encoder")
    with pytest.raises(InputError, match=r"lack 16 of its weights, such as 'encoder\.layer\.2\."):
        load_encoder(str(tmp_path / "encoder"), 3, CPU)


def test_half_precision_weights_are_computed_with_in_single(small_encoder, tmp_path):
    AutoModel.from_pretrained(small_encoder, dtype=torch.float16).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(small_encoder).save_pretrained(tmp_path)
    assert load_encoder(str(tmp_path), 2, CPU).model.dtype == torch.float32


def test_texts_that_look_alike_are_read_alike(small_encoder, tmp_path):
    """A cased BERT does not compose letters."""
    AutoModel.from_pretrained(small_encoder).save_pretrained(tmp_path)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u00fcber", "u", "##\u0308", "##ber"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    vocabulary = str(tmp_path / "vocab.txt")
    BertTokenizer(vocab=vocabulary, do_lower_case=False).save_pretrained(tmp_path)
    encoder, texts = load_encoder(str(tmp_path), 2, CPU), ["\u00fcber", "u\u0308ber"]
    assert encoder.num_pieces(texts) == [1, 1]
    (_, composed), (_, apart) = encoder.read(texts)
    torch.testing.assert_close(composed.hidden_SD, apart.hidden_SD)


def test_an_encoder_of_another_kind(small_encoder, tmp_path):
    config = ModernBertConfig(
        vocab_size=50, hidden_size=24, num_hidden_layers=5, num_attention_heads=3,
        intermediate_size=37, max_position_embeddings=41, pad_token_id=0,
    )  # fmt: skip
    ModernBertModel(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(small_encoder).save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path), 3, CPU)
    assert (encoder.max_length, states(encoder.model).shape) == (41, (1, 5, 24))


def test_a_first_word_is_a_word_like_the_others(tmp_path):
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "\u0120", "\u0120a"]
    merges: Any = [("\u0120", "a")]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    RobertaTokenizer(vocab=vocab, merges=merges).save_pretrained(tmp_path)
    config = RobertaConfig(
        vocab_size=len(pieces), hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=37, max_position_embeddings=41,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path), 2, CPU)
    assert encoder.tokenizer.tokenize("a a") == ["\u0120a", "\u0120a"]
    assert encoder.max_length == 39  # Positions are counted from the padding's id on.


def test_a_vocabulary_without_control_tokens_is_refused(small_encoder, tmp_path):
    AutoModel.from_pretrained(small_encoder).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(small_encoder, sep_token=None).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"its vocabulary lacks \[CLS\], \[SEP\] or \[PAD\]"):
        load_encoder(str(tmp_path), 2, CPU)


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_not_waited_for():
    code = (
        "from mclas_lightning.metrics.neural import encoder\nencoder.HUB_PATIENCE = 0.2\n"
        "from mclas_lightning.errors import exits_cleanly\n"
        "exits_cleanly(encoder.num_layers)('google-bert/nothing')"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = os.environ | {
            "HF_HUB_OFFLINE": "0",
            "HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: encoder 'google-bert/nothing': no such folder, nor is it")
    assert done.stderr.count("\n") == 1
