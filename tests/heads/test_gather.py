import numpy as np
import pytest
import torch

from mclas_lightning.example import SIDES, Side
from mclas_lightning.heads.gather import document_maps, gather
from mclas_lightning.model.attention import Attention
from tests.conftest import examples


def test_rows_sum_to_one_and_see_no_later_word(summarizer):
    (story,) = examples(1, 3)
    sides: dict[Side, str] = {side: story.summary(side) or "" for side in SIDES}
    maps = document_maps(summarizer, "decoder", story.document, sides, 20, "en")
    assert maps.self_LHWW.shape[:2] == maps.cross_LHWV.shape[:2] == (2, 2)
    np.testing.assert_allclose(maps.self_LHWW.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(maps.cross_LHWV.sum(-1), 1, rtol=1e-5)
    assert not np.triu(maps.self_LHWW, 1).any()
    assert maps.source.labels[-1] == "[SEP]"  # The document was cut to 17 word pieces.


def test_weights_are_those_of_a_loop_over_heads(summarizer):
    source, target = [2, 11, 13, 17, 3], [4, 19, 23, 29, 31, 37]
    found = gather(summarizer, "decoder", source, target)
    network = summarizer.network
    with torch.no_grad():
        memory = network.encode(torch.tensor([source]))
        decoder, layer = network.decoder("decoder"), network.decoder("decoder").layers[0]
        embedded_TD = network.embed("decoder", torch.tensor(target)) * 24**0.5
        x_TD = layer.self_norm(embedded_TD + decoder.positions_TD[: len(target)])
        query_TD, key_TD = layer.self_attention.query(x_TD), layer.self_attention.key(x_TD)
        for head in range(2):
            of_head = slice(12 * head, 12 * (head + 1))
            for row in range(len(target)):
                scores = key_TD[: row + 1, of_head] @ query_TD[row, of_head] / 12**0.5
                expected = scores.softmax(0).numpy()
                np.testing.assert_allclose(
                    found.self_LHPP[0, head, row, : row + 1], expected, atol=1e-5
                )
    assert memory.hidden_BSD.shape[1] == found.cross_LHPQ.shape[-1]


def test_other_weights_than_the_kernels_are_noticed(summarizer, monkeypatch):
    right = Attention.weights
    monkeypatch.setattr(Attention, "weights", lambda *given, **named: right(*given, **named) ** 2)
    with pytest.raises(AssertionError, match="recomputed attention differs"):
        gather(summarizer, "decoder", [2, 11, 3], [4, 19, 23])


def test_nothing_is_left_on_the_network(summarizer):
    gather(summarizer, "decoder", [2, 11, 3], [4, 19, 23])
    assert not any(module._forward_hooks for module in summarizer.network.modules())
