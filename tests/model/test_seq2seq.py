import math

import pytest
import torch
from torch import nn

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.model.checkpoint import initialize_from_ms
from mclas_lightning.model.decoder import DecoderConfig, sinusoids
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from tests.conftest import small_network

PAPER = DecoderConfig(layers=6, heads=8, feed_forward=2048, dropout=0.1)
UNCASED = {"vocab_size": 105_879}  # bert-base-multilingual-uncased; BERT's other sizes are defaults


def test_parameter_count_is_the_papers():
    with torch.device("meta"):
        network = Seq2Seq(NetworkConfig(encoder=UNCASED, decoder=PAPER))
    assert sum(p.numel() for p in network.parameters()) == 296_046_231  # section 5.2


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("ms", 296_046_231), ("ncls", 296_046_231), ("mclas", 296_046_231),
        ("mclas_scratch", 296_046_231), ("ncls_ms", 343_315_095), ("ncls_ms_half", 343_315_095),
    ],
)  # fmt: skip
def test_the_systems_have_the_papers_parameters_as_they_are_configured(model, parameters):
    words = ["dataset=zh2ensum", f"model={model}"]
    settings, _ = read_settings(compose("train", words))
    sizes = DecoderConfig(**vars(settings.network.decoder), dropout=0.1)
    names = tuple(settings.task.targets)
    with torch.device("meta"):
        network = Seq2Seq(NetworkConfig(encoder=UNCASED, decoder=sizes, decoders=names))
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_two_decoders_share_one_embedding():
    config = NetworkConfig(encoder=UNCASED, decoder=PAPER, decoders=("mono", "cross"))
    with torch.device("meta"):
        network = Seq2Seq(config)
    assert sum(p.numel() for p in network.parameters()) == 343_315_095  # released code, counted


def test_a_decoder_may_have_an_embedding_of_its_own():
    config = NetworkConfig(
        encoder=UNCASED, decoder=PAPER, decoders=("mono", "cross"), own_embeddings=("mono",)
    )
    with torch.device("meta"):
        network = Seq2Seq(config)
    # Released code with -use_bert_emb, counted.
    assert sum(p.numel() for p in network.parameters()) == 424_630_167


def test_both_optimizers_together_train_everything_but_the_pooler():
    network = small_network("mono", "cross")
    split = [*network.encoder_parameters(), *network.decoder_parameters()]
    assert len({id(p) for p in split}) == len(split)
    rest = {name for name, p in network.named_parameters() if all(p is not q for q in split)}
    assert rest == {"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"}


def test_the_embedding_starts_as_the_encoders_but_is_not_shared_with_it():
    network = small_network()
    fresh = Seq2Seq(network.config)
    words = fresh.encoder.get_input_embeddings().weight
    assert torch.equal(fresh.embedding.weight, words)
    assert fresh.embedding.weight.data_ptr() != words.data_ptr()


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


def test_padding_of_the_source_changes_nothing():
    network = small_network()
    source_BS, target_BT = torch.randint(1, 53, (3, 11)), torch.randint(1, 53, (3, 5))
    padded_BS = nn.functional.pad(source_BS, (0, 4))
    plain, padded = (
        network.hidden("decoder", target_BT, network.encode(x)) for x in (source_BS, padded_BS)
    )
    torch.testing.assert_close(padded, plain, rtol=1e-4, atol=1e-5)


def test_ms_copied_into_ncls_ms_gives_equal_logits_from_both_decoders():
    ms, both = small_network(seed=1), small_network("mono", "cross", seed=2)
    source_BS, target_BT = torch.randint(1, 53, (3, 11)), torch.randint(1, 53, (3, 5))

    def logits(network, decoder):
        return network.logits(network.hidden(decoder, target_BT, network.encode(source_BS)))

    assert not torch.allclose(logits(both, "mono"), logits(both, "cross"))
    initialize_from_ms(both, ms.state_dict(), ["mono", "cross"])
    expected = logits(ms, "decoder")
    assert torch.equal(logits(both, "mono"), expected)
    assert torch.equal(logits(both, "cross"), expected)


def test_a_half_initialized_network_keeps_one_decoder_as_it_was_drawn():
    ms, half = small_network(seed=1), small_network("mono", "cross", seed=2)
    drawn = {name: tensor.clone() for name, tensor in half.state_dict().items()}
    initialize_from_ms(half, ms.state_dict(), ["mono"])
    theirs = ms.state_dict()
    for name, tensor in half.state_dict().items():
        if name.startswith("decoders.cross."):
            assert torch.equal(tensor, drawn[name]), name
        else:
            name = name.replace("decoders.mono.", "decoders.decoder.")
            assert torch.equal(tensor, theirs[name]), name
    assert not torch.equal(drawn["embedding.weight"], half.embedding.weight)


def test_an_initialized_network_shares_no_tensor_with_the_old_one():
    ms, other = small_network(seed=1), small_network("mono", "cross", seed=2)
    initialize_from_ms(other, ms.state_dict(), ["mono", "cross"])
    assert not {p.data_ptr() for p in ms.parameters()} & {p.data_ptr() for p in other.parameters()}


@pytest.mark.parametrize("width", [6, 8])
def test_sinusoids_interleave_sines_and_cosines(width):
    table = sinusoids(11, width)
    assert table[7, 4].item() == pytest.approx(math.sin(7 / 10_000 ** (4 / width)), abs=1e-5)
    assert table[7, 5].item() == pytest.approx(math.cos(7 / 10_000 ** (4 / width)), abs=1e-5)


def test_recomputed_activations_give_the_same_gradients():
    def gradients(recompute: bool) -> tuple[dict[str, torch.Tensor], list[nn.Module]]:
        network = small_network("mono", "cross").train()
        if recompute:
            network.recompute_activations()
        run: list[nn.Module] = []
        for layer in network.layers():
            inner = getattr(layer, "intermediate", None) or layer.get_submodule("inner")
            inner.register_forward_pre_hook(lambda module, _: run.append(module))
        torch.manual_seed(3)  # Dropout is drawn again as it was.
        memory = network.encode(torch.randint(1, 53, (3, 11)))
        target_BT = torch.randint(1, 53, (3, 7))
        for decoder in ("mono", "cross"):
            network.hidden(decoder, target_BT, memory).square().sum().backward(retain_graph=True)
        named = network.named_parameters()
        return {n: p.grad for n, p in named if p.grad is not None}, run

    (kept, once), (recomputed, again) = gradients(False), gradients(True)
    # The encoder's two layers are gone back through for each of two losses, the decoders' for one.
    assert (len(once), len(again)) == (2 + 4, 2 + 2 * 2 + 4 + 4)
    assert kept.keys() == recomputed.keys()
    for name, gradient in kept.items():
        torch.testing.assert_close(recomputed[name], gradient, msg=name)


def test_recomputing_gives_memory_back_between_layers_and_embeddings_both_ways(monkeypatch):
    network = small_network().train()
    network.recompute_activations()
    layers, read = network.encoder.get_submodule("encoder"), network.encoder.get_input_embeddings()
    run: list[nn.Module] = []
    given: list[tuple[list[bool], int]] = []
    layers.register_forward_hook(lambda *_: run.append(layers))

    def give() -> None:
        parts = (network.embedding, layers, read)
        given.append(([all(p.grad is not None for p in m.parameters()) for m in parts], len(run)))

    monkeypatch.setattr("mclas_lightning.model.seq2seq.give_freed_memory_back", give)
    memory = network.encode(torch.randint(1, 53, (3, 11)))
    hidden_BTD = network.hidden("decoder", torch.randint(1, 53, (3, 7)), memory)
    nothing, words_alone, all_but_read = [False] * 3, [True, False, False], [True, True, False]
    assert given == [(nothing, 0), (nothing, 1), (nothing, 1)]
    network.loss(hidden_BTD.flatten(0, 1), torch.randint(1, 53, (21,)), 0.1).backward()
    assert given[3:] == [(nothing, 1), (words_alone, 1), (all_but_read, 1)]


def test_decoding_and_validation_give_no_memory_back(monkeypatch):
    network = small_network().eval()
    network.recompute_activations()
    given: list[bool] = []
    name = "mclas_lightning.model.seq2seq.give_freed_memory_back"
    monkeypatch.setattr(name, lambda: given.append(True))
    with torch.no_grad():
        network.encode(torch.randint(1, 53, (3, 11)))
        network.embed("decoder", torch.randint(1, 53, (3, 7)))
    assert not given


def test_the_layers_that_are_sharded_are_the_encoders_and_all_decoders():
    assert len(small_network("mono", "cross").layers()) == 2 + 2 * 2
