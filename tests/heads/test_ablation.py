from dataclasses import replace
from typing import Any

import pytest
import torch

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.example import SIDES, Side
from mclas_lightning.heads.ablation import ablate, replaced
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.model.attention import Attention
from mclas_lightning.runs.heads import MEASURED
from mclas_lightning.task import Task
from tests.conftest import examples

STORIES = examples(5)
TEXTS = [story.document for story in STORIES]
SUMMARIES: list[Summaries] = [
    {side: story.summary(side) or "" for side in SIDES} for story in STORIES
]


# Short summaries, and no block of repetitions.
DECODING = DecodingConfig(
    beam=3, length_penalty=1.0, min_length=2, max_length=7, lengths="summary",
    block_trigrams="none", mask="none", renormalize=True, max_tokens=4096, weights="float32",
)  # fmt: skip


@pytest.fixture
def found(summarizer) -> dict[str, Any]:
    return ablate(summarizer, "decoder", TEXTS, SUMMARIES, 20, DECODING)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_replacing_a_head_is_zeroing_its_columns_and_adding_a_bias(mean):
    torch.manual_seed(0)
    attention, x_BTD = Attention(15, 3, dropout=0.0), torch.randn(2, 5, 15)
    memory = attention.keys_values(x_BTD)
    before, mean_d = attention(x_BTD, memory, causal=True), torch.full((5,), mean)
    with replaced(attention, 1, mean_d):
        found = attention(x_BTD, memory, causal=True)
    torch.testing.assert_close(attention(x_BTD, memory, causal=True), before)
    with torch.no_grad():
        attention.output.bias.add_(attention.output.weight[:, 5:10] @ mean_d)
        attention.output.weight[:, 5:10] = 0
    torch.testing.assert_close(found, attention(x_BTD, memory, causal=True))
    assert not torch.allclose(found, before)


@pytest.mark.parametrize(("replacement", "measures"), MEASURED.items())
def test_changes_are_those_of_a_network_without_the_columns(
    summarizer, found, replacement, measures
):
    output = summarizer.network.decoder("decoder").layers[1].get_submodule("cross_attention").output
    given: list[torch.Tensor] = []
    handle = output.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    ids = summarizer.tokenizer.encode([s["mono"] for s in SUMMARIES], 20)
    others = summarizer.tokenizer.encode([s["cross"] for s in SUMMARIES], 20)
    sources = summarizer.tokenizer.encode_sources(TEXTS, 17)
    with torch.no_grad():
        for source, mono, cross in zip(sources, ids, others, strict=True):
            both: dict[Side, list[int]] = {"mono": mono, "cross": cross}
            target = summarizer.task.target_ids("decoder", both, summarizer.tokenizer.special)
            memory = summarizer.network.encode(torch.tensor([source]))
            summarizer.network.hidden("decoder", torch.tensor([target[:-1]]), memory)
        handle.remove()
        mean_d = torch.cat(given, 1).mean((0, 1))[:12]
        if replacement == "mean":
            output.bias += output.weight[:, :12] @ mean_d
        output.weight[:, :12] = 0
    without = ablate(summarizer, "decoder", TEXTS, SUMMARIES, 20, DECODING)
    assert found["change"][replacement]["cross"].keys() == {*measures}
    for measure in measures:
        for side in SIDES:
            change = found["change"][replacement]["cross"][measure][side][1][0]
            difference = without[measure][side] - found[measure][side]
            assert change == pytest.approx(difference, abs=3e-4)
    assert found["change"][replacement]["cross"]["loss"]["mono"][1][0] != 0


def test_rouge_is_of_summaries_that_are_decoded_with_one_beam(summarizer, found):
    written = summarizer.summarize(TEXTS, replace(DECODING, beam=1))
    for side in SIDES:
        pairs = ([summary[side] for summary in of] for of in (written, SUMMARIES))
        profile = standard_profile({"mono": "en", "cross": "de"}[side])
        expected = profile.scores(*pairs)["rouge1_f"].mean()
        assert found["rouge1"][side] == pytest.approx(expected, abs=1e-4)
    assert found["change"]["zero"]["self"]["rouge1"].keys() == set(SIDES)


def test_of_several_decoders_one_alone_is_measured(summarizer):
    task = Task(name="ncls_ms", targets={"decoder": ("mono",), "other": ("cross",)})
    two = replace(summarizer, task=task)  # The network has no decoder "other".
    found = ablate(two, "decoder", TEXTS, SUMMARIES, 20, DECODING)
    assert found["loss"].keys() == found["rouge1"].keys() == {"mono"}


def test_losses_are_means_over_the_word_pieces_of_a_side(summarizer, found):
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
