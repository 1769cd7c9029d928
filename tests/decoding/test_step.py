import dataclasses
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mclas_lightning.data.batch import pad
from mclas_lightning.decoding import beam as beam_module
from mclas_lightning.decoding import step as step_module
from mclas_lightning.decoding.beam import n_best_search
from mclas_lightning.decoding.output import OutputLayer, shortlists_of
from mclas_lightning.decoding.step import DecoderStep, FixedStep
from mclas_lightning.model.device import captured
from tests.conftest import examples, small_network
from tests.decoding.conftest import DECODING, RELEASED, TASKS, make_summarizer
from tests.graphs import recorded_graphs
from tests.waits import as_on_a_gpu, host_waits


def everything(network) -> OutputLayer:
    """An output layer of all tokens but the last, which stands for [LSEP] and [EOS]."""
    size = len(network.output_bias)
    layer = (network.embedding.weight, network.output_bias)
    found = shortlists_of([range(size - 1)], size, lsep_id=-9, eos_id=size - 1)
    return OutputLayer(*layer, found, lsep_id=-9, renormalize=False)


def test_reordered_beams_and_leaving_documents_keep_their_own_past():
    network = small_network()
    torch.manual_seed(0)
    source_BS = torch.randint(1, 53, (3, 13))
    memory = network.encode(source_BS)
    step = DecoderStep(network, "decoder", memory, everything(network))
    first_N, second_N = torch.randint(1, 53, (6,)), torch.randint(1, 53, (4,))
    step(first_N)  # Two beams of each of three documents.
    rows_N = torch.tensor([1, 0, 5, 5])
    step.select(rows_N, torch.tensor([0, 2]))  # Document 1 leaves.
    scores_NC = step(second_N)
    for n, row in enumerate(rows_N.tolist()):
        alone = network.encode(source_BS[row // 2 : row // 2 + 1])
        target = torch.stack((first_N[row], second_N[n]))[None]
        expected_V = network.logits(network.hidden("decoder", target, alone))[0, -1].log_softmax(0)
        torch.testing.assert_close(scores_NC[n, 1:], expected_V[:-1], rtol=1e-4, atol=1e-4)


def searches(task, config, tokenizer, documents=6):
    """For each decoder, the arguments of a search with the plain and with the fixed step."""
    summarizer = make_summarizer(task, tokenizer, seed=4)
    config = dataclasses.replace(config, captured=True)
    network = summarizer.network
    if "mono" in task.targets:  # as the released code's NCLS+MS
        network.config = dataclasses.replace(network.config, own_embeddings=("mono",))
        network.embeddings["mono"] = nn.Embedding(network.embedding.num_embeddings, 24)
    with torch.no_grad():  # Documents differ, and end at different lengths.
        summarizer.network.output_bias[[tokenizer.special.lsep, tokenizer.special.eos]] = 2
        for decoder in map(summarizer.network.decoder, task.targets):
            decoder.norm.weight.mul_(2)
            for layer in decoder.layers:
                layer.get_parameter("cross_attention.output.weight").mul_(10)
                layer.get_parameter("cross_attention.value.weight").mul_(10)
    sources = tokenizer.encode_sources([e.document for e in examples(documents)], 41)
    memory = summarizer.network.encode(pad(sources, tokenizer.special.pad))
    for decoder, sides in task.targets.items():
        output = summarizer._output(summarizer.network, sides, config)
        beam = dataclasses.replace(summarizer._beam(len(sides), config), num_best=2)
        rest = (documents, beam, summarizer._processors(sides, config, output.shortlists))
        system = (summarizer.network, decoder, memory, output)
        yield (DecoderStep(*system), *rest), (FixedStep(*system, beam), *rest)


CUDA = torch.device("cuda")


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("config", [DECODING, RELEASED], ids=["paper", "released"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_captured_step_finds_what_the_plain_one_finds_with_few_captures(
    task, config, width, tokenizer, monkeypatch
):
    monkeypatch.setattr(beam_module, "STEPS_BETWEEN_CHECKS", 1)
    monkeypatch.setattr(step_module, "captured", lambda call, _: captured(call, CUDA))
    for plain, fixed in searches(task, dataclasses.replace(config, beam=width), tokenizer):
        expected, step = n_best_search(*plain), fixed[0]
        sizes: list[int] = []
        record = Shrinking(step, sizes)
        with as_on_a_gpu(), recorded_graphs() as graphs:
            found = n_best_search(record, *fixed[1:])
        for ours, theirs in zip(found, expected, strict=True):
            assert [h.ids for h in ours] == [h.ids for h in theirs]
            assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=1e-4)
        assert len(graphs) == len(set(sizes))
        assert sum(graph.replays for graph in graphs) == len(sizes)
        assert width == 1 or task.name == "ncls_ms" or len(graphs) > 1  # Documents have left.
        assert all(after == before or 2 * after <= before for before, after in pairwise(sizes))


class Shrinking:
    """A step that notes the number of rows of each call."""

    def __init__(self, step: FixedStep, sizes: list[int]) -> None:
        self.step, self.sizes = step, sizes
        self.token, self.select = step.token, step.select

    def __call__(self, last_N: Tensor) -> Tensor:
        self.sizes.append(len(last_N))
        return self.step(last_N)


class Shapes(TorchDispatchMode):
    """Notes the name of each operation, and the shapes of what it reads and makes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Any, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = [x for x in tree_leaves((args, kwargs, result)) if isinstance(x, Tensor)]
        self.found.append((func, *(x.shape for x in leaves)))
        return result


@pytest.mark.parametrize("renormalize", [True, False])
def test_a_fixed_step_waits_for_nothing_and_has_the_same_shapes_at_each_length(
    renormalize, tokenizer
):
    config = dataclasses.replace(DECODING, renormalize=renormalize)
    for _, (step, documents, beam, _) in searches(TASKS[3], config, tokenizer):
        rows_BK = torch.arange(documents * beam.width).view(documents, beam.width)
        opens_BK = rows_BK < 2 * beam.width  # Two documents begin their S^B before the others.
        seen = []
        with torch.inference_mode(), as_on_a_gpu():
            for length in range(beam.max_length):
                last_BK = rows_BK + tokenizer.special.lsep + 1
                if length == 3:
                    last_BK = last_BK.masked_fill(opens_BK, tokenizer.special.lsep)
                with host_waits() as waits, Shapes() as shapes:
                    scores_NC = step(last_BK.flatten())
                    if length < beam.max_length - 1:
                        step.select(rows_BK.flip(1).flatten(), torch.arange(documents))
                assert not waits
                assert scores_NC.isfinite().any(1).all()
                seen.append(shapes.found)
        assert all(found == seen[0] for found in seen[1:-1])
        assert seen[0][: len(seen[-1])] == seen[-1]
