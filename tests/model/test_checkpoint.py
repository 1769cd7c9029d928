import pytest
import torch
from transformers import BertConfig, BertModel

from mclas_lightning.errors import InputError
from mclas_lightning.model.checkpoint import (
    load_checkpoint,
    load_pretrained_encoder,
    pretrained_config,
)
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from tests.conftest import small_network


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


def test_a_checkpoint_that_needs_code_is_refused_and_the_code_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}, "bomb": Bomb()}, path)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "ran").exists()
