"""Checkpoints in the layout of the released code, written here; its network, written anew."""

import argparse
import pickle
import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from transformers import BertConfig, BertModel

from mclas_lightning.convert.released import ReleasedCheckpoint
from mclas_lightning.errors import InputError
from mclas_lightning.model.seq2seq import Seq2Seq

WIDTH, HEADS, INNER, LAYERS, WORDS = 12, 3, 17, 2, 163
BERT = BertConfig(
    vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=1,
    intermediate_size=19, max_position_embeddings=41, hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)  # fmt: skip


def decoder_state(prefix: str) -> dict[str, torch.Tensor]:
    """Random tensors by the names of a released decoder."""
    shapes: dict[str, tuple[int, ...]] = {"embeddings.weight": (WORDS, WIDTH)}
    norms = ["layer_norm"]
    for layer in (f"transformer_layers.{n}" for n in range(LAYERS)):
        for attention in ("self_attn", "context_attn"):
            for linear in ("linear_keys", "linear_values", "linear_query", "final_linear"):
                shapes[f"{layer}.{attention}.{linear}.weight"] = (WIDTH, WIDTH)
                shapes[f"{layer}.{attention}.{linear}.bias"] = (WIDTH,)
        shapes[f"{layer}.feed_forward.w_1.weight"] = (INNER, WIDTH)
        shapes[f"{layer}.feed_forward.w_1.bias"] = (INNER,)
        shapes[f"{layer}.feed_forward.w_2.weight"] = (WIDTH, INNER)
        shapes[f"{layer}.feed_forward.w_2.bias"] = (WIDTH,)
        norms += [
            f"{layer}.{norm}"
            for norm in ("feed_forward.layer_norm", "layer_norm_1", "layer_norm_2")
        ]
    shapes |= {f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")}
    state = {f"{prefix}.{name}": torch.randn(shape) for name, shape in shapes.items()}
    state[f"{prefix}.pos_emb.pe"] = torch.zeros(1, 5000, WIDTH)
    for n in range(LAYERS):
        state[f"{prefix}.transformer_layers.{n}.mask"] = torch.zeros(1, 5, 5, dtype=torch.uint8)
    return state


def released(kind: str) -> dict[str, torch.Tensor]:
    """A state dict of the released MCLAS (``one``), or NCLS+MS with shared or own embeddings."""
    torch.manual_seed(0)
    bert = BertModel(BERT).state_dict()
    state = {f"bert.model.{name}": tensor for name, tensor in bert.items()}
    state["bert.model.embeddings.position_ids"] = torch.arange(41)[None]
    state |= decoder_state("decoder")
    if kind != "one":
        state |= decoder_state("decoder_monolingual")
    if kind == "shared":
        state["decoder_monolingual.embeddings.weight"] = state["decoder.embeddings.weight"]
    state["generator.0.weight"] = state["decoder.embeddings.weight"]
    state["generator.0.bias"] = torch.randn(WORDS)
    return state


class Optimizer:
    """Stands for the released code's optimizer, which its checkpoints pickle."""

    def __init__(self) -> None:
        self.state = {"moments": [torch.ones(3)]}


def write(path: Path, state: dict[str, torch.Tensor], legacy: bool = False, **more: object) -> Path:
    options = argparse.Namespace(**{"dec_heads": HEADS, "task": "abs"} | more)
    content = {"model": state, "opt": options, "optims": [Optimizer()]}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def attention(x, memory, state, name, mask=None):
    """One head after the other, as equation 1 of Vaswani et al. has it."""

    def linear(which, y):
        return y @ state[f"{name}.{which}.weight"].T + state[f"{name}.{which}.bias"]

    query, keys, values = (
        linear("linear_query", x),
        linear("linear_keys", memory),
        linear("linear_values", memory),
    )
    size = WIDTH // HEADS
    heads = []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ keys[:, part].T / size**0.5
        if mask is not None:
            scores = scores.masked_fill(mask, -1e18)
        heads.append(scores.softmax(-1) @ values[:, part])
    return linear("final_linear", torch.cat(heads, -1))


def norm(x, state, name):
    return F.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-6)


def logits(state, prefix, source, target):
    """The released network on one document, without a line of ours."""
    bert = BertModel(BERT).eval()
    bert.load_state_dict(
        {n.removeprefix("bert.model."): t for n, t in state.items()
         if n.startswith("bert.model.") and not n.endswith("position_ids")}
    )  # fmt: skip
    memory = bert(input_ids=source[None]).last_hidden_state[0]
    x = state[f"{prefix}.embeddings.weight"][target] * WIDTH**0.5
    for position in range(len(target)):
        for i in range(0, WIDTH, 2):
            angle = torch.tensor(position / 10000 ** (i / WIDTH))
            x[position, i] += angle.sin()
            x[position, i + 1] += angle.cos()
    future = torch.ones(len(target), len(target), dtype=torch.bool).triu(1)
    for layer in (f"{prefix}.transformer_layers.{n}" for n in range(LAYERS)):
        normed = norm(x, state, f"{layer}.layer_norm_1")
        x = x + attention(normed, normed, state, f"{layer}.self_attn", future)
        x = x + attention(
            norm(x, state, f"{layer}.layer_norm_2"), memory, state, f"{layer}.context_attn"
        )
        inner = norm(x, state, f"{layer}.feed_forward.layer_norm")
        inner = (
            inner @ state[f"{layer}.feed_forward.w_1.weight"].T
            + state[f"{layer}.feed_forward.w_1.bias"]
        )
        inner = (
            0.5 * inner * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (inner + 0.044715 * inner**3)))
        )
        x = (
            x
            + inner @ state[f"{layer}.feed_forward.w_2.weight"].T
            + state[f"{layer}.feed_forward.w_2.bias"]
        )
    x = norm(x, state, f"{prefix}.layer_norm")
    return x @ state["generator.0.weight"].T + state["generator.0.bias"]


@torch.no_grad()
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("kind", "decoders"),
    [
        ("one", {"decoder": "decoder"}),
        ("shared", {"mono": "decoder_monolingual", "cross": "decoder"}),
        ("own", {"mono": "decoder_monolingual", "cross": "decoder"}),
    ],
)
def test_an_imported_network_scores_as_the_released_one(tmp_path, kind, decoders, legacy):
    state = released(kind)
    found = ReleasedCheckpoint.load(write(tmp_path / "model_step_5.pt", state, legacy))
    config = found.network_config()
    assert config.decoders == tuple(decoders)
    assert config.own_embeddings == (("mono",) if kind == "own" else ())
    network = Seq2Seq(config).eval()
    network.load_state_dict(found.seq2seq_state())
    source, target = torch.randint(1, WORDS, (11,)), torch.randint(1, WORDS, (7,))
    memory = network.encode(source[None])
    for ours, theirs in decoders.items():
        scores = network.logits(network.hidden(ours, target[None], memory))[0]
        expected = logits(state, theirs, source, target)
        assert expected.std() > 0.5
        torch.testing.assert_close(scores, expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_heads_of_an_encoder_that_was_not_pretrained_are_eight(tmp_path, monkeypatch):
    wide = BertConfig(**{**BERT.to_dict(), "hidden_size": 24, "num_attention_heads": 8})
    monkeypatch.setattr("tests.convert.test_released.BERT", wide)
    monkeypatch.setattr("tests.convert.test_released.WIDTH", 24)
    state = released("one")
    found = ReleasedCheckpoint.load(write(tmp_path / "model_step_5.pt", state, encoder="baseline"))
    network = Seq2Seq(found.network_config()).eval()
    network.load_state_dict(found.seq2seq_state())
    source, target = torch.randint(1, WORDS, (11,)), torch.randint(1, WORDS, (7,))
    scores = network.logits(network.hidden("decoder", target[None], network.encode(source[None])))
    expected = logits(state, "decoder", source, target)
    torch.testing.assert_close(scores[0], expected, atol=1e-4, rtol=0)


def test_parameters_of_two_decoders_are_counted_with_or_without_a_shared_embedding():
    counts = {}
    for kind in ("shared", "own"):
        config = ReleasedCheckpoint(released(kind), {"dec_heads": HEADS}).network_config()
        with torch.device("meta"):
            network = Seq2Seq(config)
        counts[kind] = sum(p.numel() for p in network.parameters())
    assert counts["own"] - counts["shared"] == WORDS * WIDTH


class Evil:
    """Leaves a mark wherever its pickle is executed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_checkpoint_is_not_executed(tmp_path, legacy):
    mark = tmp_path / "executed"
    content = {"model": released("one"), "opt": Evil(mark), "optims": [Evil(mark)]}
    path = tmp_path / "model.pt"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    assert ReleasedCheckpoint.load(path).options == {}
    path.write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(InputError, match="not a checkpoint of the released code"):
        ReleasedCheckpoint.load(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Evil(mark))).close()
    assert mark.exists()  # The mark would have shown it.


def test_a_program_in_a_checkpoints_place_is_not_run(tmp_path):
    """torch.load hands a TorchScript archive to torch.jit.load, which runs its __setstate__."""
    mark = tmp_path / "executed"

    class Program(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mark = str(mark)
            self.x = torch.nn.Parameter(torch.ones(1))

        def forward(self, y):
            return y

        @torch.jit.export
        def __getstate__(self):
            return (torch.ones(1), self.mark, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[torch.Tensor, str, bool]):
            torch.save(torch.ones(3), state[1])
            self.x = state[0]
            self.mark = state[1]
            self.training = state[2]

    path = tmp_path / "model_step_5.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out.
        torch.jit.script(Program()).save(str(path))
        assert not mark.exists()
        with pytest.raises(InputError, match="not a checkpoint of the released code"):
            ReleasedCheckpoint.load(path)
        assert not mark.exists()
        torch.jit.load(str(path))
    assert mark.exists()  # It would have.


@pytest.mark.parametrize(
    "name",
    [
        "bert.model.embeddings.word_embeddings.weight",
        "generator.0.bias",
        "decoder.transformer_layers.0.feed_forward.w_1.weight",
    ],
)
def test_a_tensor_that_is_missing_is_named(tmp_path, name):
    state = released("one")
    del state[name]
    with pytest.raises(InputError, match=f"lacks the tensor {name}"):
        ReleasedCheckpoint.load(write(tmp_path / "model.pt", state))


def test_what_is_no_released_checkpoint_is_one_line(tmp_path):
    path = write(tmp_path / "model.pt", released("one"))
    content = path.read_bytes()
    for raw, said in ((content[: len(content) // 2], "or cut short"), (b"words", "or cut short")):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=said):
            ReleasedCheckpoint.load(path)
    torch.save({"model": {"a": torch.ones(1)}}, path)
    with pytest.raises(InputError, match=r"with the tensor decoder\.embeddings\.weight"):
        ReleasedCheckpoint.load(path)
    state = released("one") | {"bart.weight": torch.ones(1)}
    with pytest.raises(InputError, match=r"tensor 'bart\.weight': is of no system"):
        ReleasedCheckpoint(state, {}).seq2seq_state()
    untied = released("one") | {"generator.0.weight": torch.ones(WORDS, WIDTH)}
    with pytest.raises(InputError, match="output layer is not its decoder's embedding"):
        ReleasedCheckpoint(untied, {}).seq2seq_state()
    with pytest.raises(InputError, match="no such checkpoint"):
        ReleasedCheckpoint.load(tmp_path / "nowhere.pt")
