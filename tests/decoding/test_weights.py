"""Weights in 8 bits and in bfloat16."""

import copy
import dataclasses

import pytest
import torch

from mclas_lightning.config.compose import compose
from mclas_lightning.corpora.build import build_toy
from mclas_lightning.errors import InputError
from mclas_lightning.evaluate import evaluate
from mclas_lightning.task import Task
from mclas_lightning.train import train
from tests.conftest import examples
from tests.decoding.test_summarizer import DECODING, make_summarizer

NCLS = Task(name="ncls", targets={"decoder": ("cross",)})
ROUGE_DISTANCE = 0.02  # docs/performance.md: of the means over 200 documents, half of it at most


def test_bfloat16_is_a_copys_and_the_network_stays_as_it_was(tokenizer):
    summarizer = make_summarizer(NCLS, tokenizer)
    before = copy.deepcopy(summarizer.network.state_dict())
    texts = [example.document for example in examples(5)]
    found = summarizer.summarize(texts, dataclasses.replace(DECODING, weights="bfloat16"))
    for name, tensor in summarizer.network.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name]), name
    rounded = dataclasses.replace(summarizer, network=copy.deepcopy(summarizer.network).bfloat16())
    assert found == rounded.summarize(texts, DECODING)


def test_8_bits_are_for_cpus(tokenizer):
    summarizer = make_summarizer(NCLS, tokenizer)
    summarizer.network.to("meta")
    with pytest.raises(InputError, match=r"decoding\.weights=int8: is for CPUs"):
        summarizer.summarize(["storm"], dataclasses.replace(DECODING, weights="int8"))


@pytest.mark.slow
def test_8_bits_change_rouge_by_little_on_the_toy_corpus(tmp_path):
    build_toy(tmp_path / "data" / "toy", seed=0)
    words = [
        "dataset=toy_mono", "scenario=full", "model=ms", f"data={tmp_path / 'data'}",
        f"runs={tmp_path / 'runs'}", "optim.updates.full=500",
    ]  # fmt: skip
    exact = train(compose("train", words))
    assert exact is not None
    assert exact.scores["mono"]["rouge1_f"] > 0.2, "it has learned to summarize"
    small = evaluate(compose("evaluate", [*words, "decoding.weights=int8"]))
    assert small is not None
    for kind in ("rouge1_f", "rouge2_f", "rougeL_f"):
        assert abs(small.scores["mono"][kind] - exact.scores["mono"][kind]) < ROUGE_DISTANCE, kind
