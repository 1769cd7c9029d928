from dataclasses import replace

import pytest
import torch

from mclas_lightning.model.device import (
    captured,
    free_gpu_memory,
    reading_waits,
    set_float32_products,
)
from tests.conftest import examples
from tests.decoding.conftest import DECODING, RELEASED, TASKS, make_summarizer
from tests.graphs import recorded_graphs
from tests.waits import host_waits

X = torch.arange(7.0)
WAITED_FOR = [
    lambda: X[2].item(),
    lambda: bool(X[2] > 1),
    lambda: X.tolist(),
    lambda: X.nonzero(),
    lambda: X.unique(),
    lambda: X[X > 2],
    lambda: torch.tensor([1, 2]),
    lambda: torch.zeros(7).index_put_((X > 2,), X[0]),
    lambda: torch.equal(X, X),
]


@pytest.mark.parametrize("call", WAITED_FOR)
def test_the_count_of_the_tests_has_each_thing_that_a_host_waits_for(call):
    with host_waits() as found:
        call()
    assert found.total() == 1


def test_the_count_of_the_tests_has_nothing_else():
    with host_waits() as found:
        (X.softmax(0) * 2)[torch.arange(3)].masked_fill(X[:3] > 1, -torch.inf).sort()
    assert not found


def test_float32_is_multiplied_in_tf32_on_a_gpu_alone(monkeypatch):
    said = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    set_float32_products(torch.device("cpu"), "high")
    assert not said
    set_float32_products(torch.device("cuda"), "high")
    assert said == ["high"]


def test_free_memory_is_a_gpus(monkeypatch):
    assert free_gpu_memory(torch.device("cpu")) is None
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (700, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 53)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 13)
    assert free_gpu_memory(torch.device("cuda")) == 740  # What torch keeps in reserve is free, too.


def test_values_of_a_cpu_alone_are_read_at_once():
    assert not reading_waits(torch.zeros(3))
    assert reading_waits(torch.zeros(3, device="meta"))


def test_what_is_captured_is_called_for_a_warm_up_and_for_the_graph_and_never_again():
    called, x = [], torch.arange(3.0)

    def call() -> torch.Tensor:
        called.append(len(called))
        return x * 2 + 1

    with recorded_graphs() as graphs:
        replay = captured(call, torch.device("cuda"))
        for n in range(3):
            x.fill_(n)
            assert replay().tolist() == [2 * n + 1] * 3
        assert replay() is replay()
    assert called == [0, 1]
    assert [graph.replays for graph in graphs] == [5]
    assert captured(call, torch.device("cpu")) is call


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("graph", [False, True], ids=["plain", "captured"])
@pytest.mark.parametrize("config", [DECODING, RELEASED], ids=["paper", "released"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_gpu_finds_the_loss_and_the_summaries_that_a_cpu_finds(task, config, graph, tokenizer):
    summarizer = make_summarizer(task, tokenizer, seed=4)
    texts = [example.document for example in examples(7)]
    source_BS, target_BT = torch.randint(9, 200, (2, 3, 11))

    def loss() -> float:
        network, device = summarizer.network, summarizer.network.output_bias.device
        memory = network.encode(source_BS.to(device))
        name, gold_M = next(iter(task.targets)), target_BT[:, 1:].flatten().to(device)
        hidden_BTD = network.hidden(name, target_BT[:, :-1].to(device), memory)
        return float(network.loss(hidden_BTD.flatten(0, 1), gold_M, 0.1))

    of_cpu = loss(), summarizer.summarize(texts, config)
    summarizer.network.cuda()
    of_gpu = loss(), summarizer.summarize(texts, replace(config, captured=graph))
    assert of_gpu == (pytest.approx(of_cpu[0], rel=1e-4), of_cpu[1])
