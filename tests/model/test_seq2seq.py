from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq, encoder_settings
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train
from mclas_lightning.training.preparation import prepare
from tests.conftest import small_network

PAPER = DecoderConfig(layers=6, heads=8, feed_forward=2048, dropout=0.1)
SIZES = {
    "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 24, "intermediate_size": 30,
    "vocab_size": 53,
}  # fmt: skip
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


def test_padding_of_the_source_changes_nothing():
    network = small_network()
    source_BS, target_BT = torch.randint(1, 53, (3, 11)), torch.randint(1, 53, (3, 5))
    padded_BS = nn.functional.pad(source_BS, (0, 4))
    plain, padded = (
        network.hidden("decoder", target_BT, network.encode(x)) for x in (source_BS, padded_BS)
    )
    torch.testing.assert_close(padded, plain, rtol=1e-4, atol=1e-5)


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


def test_multiplied_attention_has_the_fused_kernels_results_and_gradients(monkeypatch):
    source_BS, target_BT = torch.randint(1, 53, (3, 11)), torch.randint(1, 53, (3, 7))
    source_BS[1:, 8:] = 0

    def found(network: Seq2Seq) -> dict[str, torch.Tensor]:
        memory = network.encode(source_BS)
        hidden = [network.hidden(decoder, target_BT, memory) for decoder in ("mono", "cross")]
        torch.cat(hidden).square().sum().backward()
        gradients = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
        return {"hidden": torch.cat(hidden).detach(), **gradients}

    fused = small_network("mono", "cross")
    products = deepcopy(fused)
    products.multiply_attention()
    expected = found(fused)
    monkeypatch.delattr(F, "scaled_dot_product_attention")
    multiplied = found(products)
    assert multiplied.keys() == expected.keys()
    for name, tensor in multiplied.items():
        torch.testing.assert_close(tensor, expected[name], msg=name, rtol=1e-4, atol=1e-4)
    with pytest.raises(AttributeError):
        found(fused)
    assert encoder_settings(products.encoder.config) == encoder_settings(fused.encoder.config)


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


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_a_mask_that_is_not_looked_into_hides_the_same_padding(kind):
    torch.manual_seed(0)
    encoder = AutoModel.from_config(
        AutoConfig.for_model(kind, **SIZES, pad_token_id=1, max_position_embeddings=514)
    ).eval()
    source = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 1, 1]])
    mask = source != 1
    looked_into = encoder(input_ids=source, attention_mask=mask).last_hidden_state
    as_is = encoder(input_ids=source, attention_mask=mask[:, None, None]).last_hidden_state
    torch.testing.assert_close(as_is[mask], looked_into[mask])


def test_bfloat16_does_not_round_the_frequencies_of_rotary_positions():
    torch.manual_seed(0)
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "mask_token_id": 3}
    sizes = {**SIZES, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    encoder = {"model_type": "eurobert", **sizes, **ids, "initializer_range": 0.15}
    decoder = DecoderConfig(layers=1, heads=2, feed_forward=30, dropout=0.0)
    network = Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder)).eval()
    documents = torch.randint(4, 53, (2, 1000))
    with torch.no_grad():
        states, half = (n.encode(documents).hidden_BSD for n in (network, network.in_bfloat16()))
        rounded = deepcopy(network).bfloat16().encode(documents).hidden_BSD
    assert half.dtype == torch.bfloat16
    assert network.embedding.weight.dtype == torch.float32
    assert 1.3 * (half - states).norm() < (rounded - states).norm()


def test_segment_ids_alternate_from_sentence_to_sentence():
    network = Seq2Seq(
        NetworkConfig(
            encoder={**SIZES, "max_position_embeddings": 41, "pad_token_id": 0},
            decoder=DecoderConfig(layers=1, heads=2, feed_forward=31, dropout=0.0),
            sentence_id=2,
        )
    ).eval()
    plain = BertModel(BertConfig(**SIZES, max_position_embeddings=41)).eval()  # pyright: ignore
    plain.load_state_dict(network.encoder.state_dict())
    source = torch.tensor([[2, 7, 8, 3, 2, 9, 3, 2, 11, 12, 3]])
    segments = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]])
    expected = plain(input_ids=source, token_type_ids=segments).last_hidden_state
    torch.testing.assert_close(network.encode(source).hidden_BSD, expected)
    without = plain(input_ids=source).last_hidden_state
    assert not torch.allclose(network.encode(source).hidden_BSD, without, atol=1e-3)
    assert small_network().config.sentence_id is None


def test_a_run_learns_and_summarizes_from_sentences_set_apart(words, tmp_path):
    more = ["network.encoder.sentences=true", "model=mclas"]
    settings, _ = read_settings(compose("train", [*words, *more]))
    prepared = prepare(settings)
    store = prepared.train.store
    special = prepared.tokenizer.special
    sources, _ = prepared.train.ids(range(5))
    assert max(source.count(special.cls) for source in sources) > 2
    assert train(compose("train", [*words, *more]))
    summarizer = load_summarizer(Run(settings.run.folder))
    assert summarizer.sentences == "en"
    assert summarizer.network.config.sentence_id == special.cls
    texts = [
        example.document
        for example in settings.dataset.read("train", [])
        if example.id in store.ids(prepared.train.rows[:5].tolist())
    ]
    encoded = summarizer.tokenizer.encode_sources(texts, settings.dataset.max_source, "en")
    assert sorted(encoded) == sorted(sources)
