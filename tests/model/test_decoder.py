import math

import pytest
import torch
from torch import nn

from mclas_lightning.model.attention import Cache
from mclas_lightning.model.decoder import sinusoids
from tests.conftest import small_network


def test_logits_are_those_of_torchs_own_decoder():
    network = small_network()
    torch.manual_seed(1)
    source_BS, target_BT = torch.randint(1, 53, (5, 13)), torch.randint(1, 53, (5, 7))
    source_BS[2, 9:] = 0
    memory = network.encode(source_BS)
    ours = network.logits(network.hidden("decoder", target_BT, memory))

    theirs = nn.TransformerDecoderLayer(
        24,
        2,
        31,
        activation=lambda x: nn.functional.gelu(x, approximate="tanh"),
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=True,
    )
    stack = nn.TransformerDecoder(theirs, 2, nn.LayerNorm(24, eps=1e-6)).eval()
    _copy(network.decoder("decoder"), stack)
    positions_TD = torch.tensor(
        [
            [(math.sin, math.cos)[d % 2](t / 10_000 ** ((d - d % 2) / 24)) for d in range(24)]
            for t in range(7)
        ]
    )
    hidden_BTD = stack(
        network.embedding(target_BT) * math.sqrt(24) + positions_TD,
        memory.hidden_BSD,
        tgt_mask=nn.Transformer.generate_square_subsequent_mask(7),
        memory_key_padding_mask=torch.where(source_BS == 0, -torch.inf, 0.0),
    )
    expected = hidden_BTD @ network.embedding.weight.T + network.output_bias
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def _copy(ours, theirs):
    for own, layer in zip(ours.layers, theirs.layers, strict=True):
        for mine, other in (
            (own.self_attention, layer.self_attn),
            (own.cross_attention, layer.multihead_attn),
        ):
            parts = (mine.query, mine.key, mine.value)
            other.in_proj_weight.data = torch.cat([part.weight for part in parts]).data
            other.in_proj_bias.data = torch.cat([part.bias for part in parts]).data
            other.out_proj.load_state_dict(mine.output.state_dict())
        for mine, other in (
            (own.self_norm, layer.norm1),
            (own.cross_norm, layer.norm2),
            (own.feed_norm, layer.norm3),
            (own.inner, layer.linear1),
            (own.outer, layer.linear2),
        ):
            other.load_state_dict(mine.state_dict())
    theirs.norm.load_state_dict(ours.norm.state_dict())


@pytest.mark.parametrize("width", [6, 8])
def test_sinusoids_interleave_sines_and_cosines(width):
    table = sinusoids(11, width)
    assert table[7, 4].item() == pytest.approx(math.sin(7 / 10_000 ** (4 / width)), abs=1e-5)
    assert table[7, 5].item() == pytest.approx(math.cos(7 / 10_000 ** (4 / width)), abs=1e-5)


def test_cached_decoding_is_the_full_forward():
    network = small_network()
    decoder = network.decoder("decoder")
    torch.manual_seed(0)
    source_BS, target_BT = torch.randint(1, 53, (3, 13)), torch.randint(1, 53, (3, 7))
    source_BS[1, 8:] = 0
    memory = network.encode(source_BS)
    full_BTD = network.hidden("decoder", target_BT, memory)
    cross, cache = decoder.cross_keys_values(memory.hidden_BSD), Cache(len(decoder.layers))
    for t in range(7):
        embedded_B1D = network.embed("decoder", target_BT[:, t : t + 1])
        with torch.no_grad():
            found_B1D = decoder(embedded_B1D, cross, memory.mask_B11S, cache)
        torch.testing.assert_close(found_B1D[:, 0], full_BTD[:, t], rtol=1e-4, atol=1e-4)
