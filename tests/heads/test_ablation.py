import pytest
import torch

from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.example import SIDES
from mclas_lightning.heads.ablation import ablate, silenced
from mclas_lightning.model.attention import Attention
from tests.conftest import examples

STORIES = examples(5)
TEXTS = [story.document for story in STORIES]
SUMMARIES: list[Summaries] = [
    {side: story.summary(side) or "" for side in SIDES} for story in STORIES
]


def test_silencing_a_head_is_zeroing_its_columns_of_the_output_projection():
    torch.manual_seed(0)
    attention, x_BTD = Attention(15, 3, dropout=0.0), torch.randn(2, 5, 15)
    memory = attention.keys_values(x_BTD)
    before = attention(x_BTD, memory, causal=True)
    with silenced(attention, 1):
        found = attention(x_BTD, memory, causal=True)
    torch.testing.assert_close(attention(x_BTD, memory, causal=True), before)
    with torch.no_grad():
        attention.output.weight[:, 5:10] = 0
    torch.testing.assert_close(found, attention(x_BTD, memory, causal=True))
    assert not torch.allclose(found, before)


def test_changes_are_those_of_a_network_without_the_columns(summarizer):
    found = ablate(summarizer, "decoder", TEXTS, SUMMARIES, 20)
    layer = summarizer.network.decoder("decoder").layers[1]
    with torch.no_grad():
        layer.get_submodule("cross_attention").output.weight[:, :12] = 0
    without = ablate(summarizer, "decoder", TEXTS, SUMMARIES, 20)["loss"]
    for side in SIDES:
        rise = without[side] - found["loss"][side]
        assert found["change"]["cross"][side][1][0] == pytest.approx(rise, abs=2e-4)
        assert rise != 0


def test_losses_are_means_over_the_word_pieces_of_a_side(summarizer):
    found = ablate(summarizer, "decoder", TEXTS, SUMMARIES, 20)
    network, tokenizer = summarizer.network, summarizer.tokenizer
    sums, counts = dict.fromkeys(SIDES, 0.0), dict.fromkeys(SIDES, 0)
    for text, summary in zip(TEXTS, SUMMARIES, strict=True):
        ids = {side: tokenizer.encode([summary[side]], 20)[0] for side in SIDES}
        target = torch.tensor([summarizer.task.target_ids("decoder", ids, tokenizer.special)])
        with torch.no_grad():
            memory = network.encode(torch.tensor(tokenizer.encode_sources([text], 17)))
            hidden = network.hidden("decoder", target[:, :-1], memory)
            scores = network.logits(hidden).log_softmax(-1)[0]
        for place, token in enumerate(target[0, 1:].tolist()):
            side = SIDES[int(place > len(ids["mono"]))]
            sums[side] -= float(scores[place, token])
            counts[side] += 1
    for side in SIDES:
        assert found["loss"][side] == pytest.approx(sums[side] / counts[side], abs=1e-3)
