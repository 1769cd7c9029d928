# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# pyright: reportArgumentType=false, reportIncompatibleVariableOverride=false, reportCallIssue=false
"""The same network, weights and search under other libraries: transformers and CTranslate2."""

import copy
import tempfile
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    EncoderDecoderCache,
    GenerationMixin,
    LogitsProcessor,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from mclas_lightning.model import MAX_POSITIONS
from mclas_lightning.model.attention import KeysValues
from mclas_lightning.model.decoder import sinusoids
from mclas_lightning.model.linear import Linear
from mclas_lightning.model.seq2seq import Seq2Seq


class PeerConfig(PreTrainedConfig):
    """The configuration that ``generate`` needs."""

    model_type = "benchmark-peer"


class _Encoder(nn.Module):
    main_input_name = "input_ids"

    def __init__(self, network: Seq2Seq) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, **_: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=self.network.encode(input_ids).hidden_BSD)  # pyright: ignore


class Peer(PreTrainedModel, GenerationMixin):
    """Our layers, driven by transformers' ``generate`` with its own caches."""

    config_class = PeerConfig
    main_input_name = "input_ids"

    def __init__(self, config: PeerConfig, network: Seq2Seq) -> None:
        super().__init__(config)
        self.encoder, self.network = _Encoder(network), network
        self.output = network.logits

    def get_encoder(self, *_: Any, **__: Any) -> nn.Module:
        return self.encoder

    def forward(
        self,
        attention_mask: Tensor,
        decoder_input_ids: Tensor,
        encoder_outputs: BaseModelOutput,
        past_key_values: EncoderDecoderCache,
        **_: Any,
    ) -> Seq2SeqLMOutput:
        decoder = self.network.decoder("decoder")
        memory_NSD = encoder_outputs[0]
        start = past_key_values.get_seq_length()
        embedded_NTD = self.network.embed("decoder", decoder_input_ids)
        T, D = embedded_NTD.shape[1:]
        x_NTD = embedded_NTD * D**0.5 + decoder.get_buffer("positions_TD")[start : start + T]
        mask_N11S = attention_mask.bool()[:, None, None]
        for i, layer in enumerate(decoder.layers):
            normed_NTD = layer.self_norm(x_NTD)  # pyright: ignore
            own = layer.self_attention.keys_values(normed_NTD)  # pyright: ignore
            own = KeysValues(*past_key_values.self_attention_cache.update(*own, i))
            x_NTD = x_NTD + layer.self_attention(normed_NTD, own)  # pyright: ignore
            if not past_key_values.is_updated.get(i):
                cross = layer.cross_keys_values(memory_NSD)  # pyright: ignore
                past_key_values.cross_attention_cache.update(*cross, i)
                past_key_values.is_updated[i] = True
            kept = past_key_values.cross_attention_cache.layers[i]
            normed_NTD = layer.cross_norm(x_NTD)  # pyright: ignore
            pair = KeysValues(kept.keys, kept.values)  # pyright: ignore
            x_NTD = x_NTD + layer.cross_attention(normed_NTD, pair, mask_N11S)  # pyright: ignore
            inner = F.gelu(layer.inner(layer.feed_norm(x_NTD)), approximate="tanh")  # pyright: ignore
            x_NTD = x_NTD + layer.outer(inner)  # pyright: ignore
        logits = self.output(decoder.norm(x_NTD))
        return Seq2SeqLMOutput(logits=logits, past_key_values=past_key_values)  # pyright: ignore


class _Only(LogitsProcessor):
    """The mask; at the last step it leaves [EOS] alone, with its log-probability."""

    def __init__(self, allowed_V: Tensor, steps: int, eos: int) -> None:
        self.blocked_V, self.steps = ~allowed_V, steps
        self.going_on_V = torch.arange(len(allowed_V), device=allowed_V.device) != eos

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        last = input_ids.shape[1] == self.steps  # [BOS] and all tokens but one are written.
        return scores.masked_fill(self.going_on_V if last else self.blocked_V, -torch.inf)


def with_torchs_products(network: Seq2Seq) -> Seq2Seq:
    """A copy whose matrices torch multiplies, as those of all models of transformers."""
    network = copy.deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, Linear):
            layer.__class__ = nn.Linear
    network.logits = lambda x: F.linear(x, network.embedding.weight, network.output_bias)
    return network


def transformers_generate(
    network: Seq2Seq, allowed_V: Tensor, *, beam: int, steps: int, bos: int, eos: int
) -> Callable[[Tensor], list[list[int]]]:
    """Targets of ``steps`` tokens, [EOS] included, by transformers' beam search."""
    config = PeerConfig(
        vocab_size=len(network.output_bias), is_encoder_decoder=True,
        num_hidden_layers=network.config.decoder.layers,
        num_attention_heads=network.config.decoder.heads,
        hidden_size=network.embedding.embedding_dim, pad_token_id=0, eos_token_id=eos,
        decoder_start_token_id=bos, bos_token_id=bos, tie_word_embeddings=False,
    )  # fmt: skip
    model = Peer(config, network).eval()

    @torch.inference_mode()
    def run(source_BS: Tensor) -> list[list[int]]:
        found = model.generate(
            input_ids=source_BS, attention_mask=(source_BS != 0).long(), num_beams=beam,
            min_new_tokens=steps - 1, max_new_tokens=steps, no_repeat_ngram_size=3,
            do_sample=False, length_penalty=1.0, logits_processor=[_Only(allowed_V, steps, eos)],
        )  # fmt: skip
        return [row[1:].tolist() for row in found]  # pyright: ignore

    return run


def ctranslate2_search(
    network: Seq2Seq, *, beam: int, steps: int, threads: int, compute: str
) -> Callable[[Tensor], list[list[int]]]:
    """Targets by CTranslate2's beam search, over the whole vocabulary, in float32 or int8."""
    import ctranslate2

    folder = tempfile.TemporaryDirectory(prefix="mclas-ct2-")
    spec = _spec(network)
    spec.validate()
    spec.optimize(quantization=None if compute == "float32" else compute)
    spec.save(folder.name)
    translator = ctranslate2.Translator(
        folder.name, device="cpu", compute_type=compute, intra_threads=threads, inter_threads=1
    )

    def run(source_BS: Tensor) -> list[list[int]]:
        assert folder  # A reference, so that the folder lives as long as the translator.
        found = translator.translate_batch(
            [[f"t{i}" for i in row if i] for row in source_BS.tolist()], beam_size=beam,
            min_decoding_length=steps, max_decoding_length=steps, no_repeat_ngram_size=3,
            length_penalty=1.0, batch_type="examples", max_batch_size=len(source_BS),
        )  # fmt: skip
        return [[int(token[1:]) for token in result.hypotheses[0]] for result in found]

    return run


def _spec(network: Seq2Seq) -> Any:
    from ctranslate2.specs import common_spec, transformer_spec

    bert, decoder = network.encoder, network.decoder("decoder")
    spec = transformer_spec.TransformerSpec(
        transformer_spec.TransformerEncoderSpec(
            12, 12, pre_norm=False, activation=common_spec.Activation.GELU,
            layernorm_embedding=True,
        ),
        transformer_spec.TransformerDecoderSpec(
            6, 8, pre_norm=True, activation=common_spec.Activation.GELUTanh
        ),
    )  # fmt: skip
    spec.config.layer_norm_epsilon = 1e-6
    spec.config.add_source_eos = False
    spec.config.decoder_start_token = "t1"
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "t1", "t2", "t100"
    tokens = [f"t{i}" for i in range(len(network.output_bias))]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    embeddings = bert.embeddings
    spec.encoder.scale_embeddings = False
    spec.encoder.embeddings[0].weight = _array(embeddings.word_embeddings.weight)
    # All segment ids are 0, so that their vector is added to each position's.
    positions = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
    spec.encoder.position_encodings.encodings = _array(positions)
    _norm(spec.encoder.layernorm_embedding, embeddings.LayerNorm)
    for ours, theirs in zip(bert.encoder.layer, spec.encoder.layer, strict=True):
        own = ours.attention.self
        _linear(theirs.self_attention.linear[0], own.query, own.key, own.value)
        _linear(theirs.self_attention.linear[1], ours.attention.output.dense)
        _norm(theirs.self_attention.layer_norm, ours.attention.output.LayerNorm)
        _linear(theirs.ffn.linear_0, ours.intermediate.dense)
        _linear(theirs.ffn.linear_1, ours.output.dense)
        _norm(theirs.ffn.layer_norm, ours.output.LayerNorm)
    spec.decoder.embeddings.weight = _array(network.embedding.weight)
    spec.decoder.position_encodings.encodings = _array(sinusoids(MAX_POSITIONS, 768))
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.decoder.projection.bias = _array(network.output_bias)
    _norm(spec.decoder.layer_norm, decoder.norm)
    for layer, theirs in zip(decoder.layers, spec.decoder.layer, strict=True):
        ours: Any = layer
        own = ours.self_attention
        _linear(theirs.self_attention.linear[0], own.query, own.key, own.value)
        _linear(theirs.self_attention.linear[1], own.output)
        _norm(theirs.self_attention.layer_norm, ours.self_norm)
        cross = ours.cross_attention
        _linear(theirs.attention.linear[0], cross.query)
        _linear(theirs.attention.linear[1], cross.key, cross.value)
        _linear(theirs.attention.linear[2], cross.output)
        _norm(theirs.attention.layer_norm, ours.cross_norm)
        _linear(theirs.ffn.linear_0, ours.inner)
        _linear(theirs.ffn.linear_1, ours.outer)
        _norm(theirs.ffn.layer_norm, ours.feed_norm)
    return spec


def _array(tensor: Tensor) -> Any:
    return tensor.detach().numpy()


def _linear(spec: Any, *layers: Any) -> None:
    spec.weight = _array(torch.cat([layer.weight for layer in layers]))
    spec.bias = _array(torch.cat([layer.bias for layer in layers]))


def _norm(spec: Any, norm: Any) -> None:
    spec.gamma, spec.beta = _array(norm.weight), _array(norm.bias)
