"""One encoder and one or more named decoders over one target vocabulary.

Shape letters: B documents, T target length, S source length, D width, M any number of positions.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig

from mclas_lightning.errors import InputError
from mclas_lightning.model.attention import Attention
from mclas_lightning.model.decoder import Decoder, DecoderConfig
from mclas_lightning.model.device import reading_waits
from mclas_lightning.model.linear import linear, use_onednn_linear
from mclas_lightning.model.loss import output_loss
from mclas_lightning.model.malloc import give_freed_memory_back

INIT_STD = 0.02  # Released code: N(0, 0.02) for the decoder's linear layers and embedding.


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network without its weights.

    ``encoder`` are the settings of a Hugging Face configuration, of BERT by default.
    ``sentence_id`` is the token that opens each sentence of a source, if sentences are set apart.
    Segment ids then alternate between 0 and 1 from sentence to sentence (released code), or are all
    0 without ``alternating`` (released code with ``use_interval=False``).
    """

    encoder: Mapping[str, Any]
    decoder: DecoderConfig
    decoders: tuple[str, ...] = ("decoder",)
    own_embeddings: tuple[str, ...] = ()  # decoders whose embedding is not the output layer's
    sentence_id: int | None = None
    alternating: bool = True


class Memory(NamedTuple):
    """An encoded batch of documents; the mask is true at real source positions."""

    hidden_BSD: Tensor
    mask_B11S: Tensor


class Seq2Seq(nn.Module):
    """The network of every system: NCLS+MS has two decoders, all others one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AutoModel.from_config(encoder_config(config.encoder))
        use_onednn_linear(self.encoder)
        width, vocabulary = self.encoder.config.hidden_size, self.encoder.config.vocab_size
        self.decoders = nn.ModuleDict(
            {name: Decoder(width, config.decoder) for name in config.decoders}
        )
        # Separate from the encoder's embedding, shared by the decoders and the output layer.
        self.embedding = nn.Embedding(vocabulary, width)
        self.embeddings = nn.ModuleDict(
            {name: nn.Embedding(vocabulary, width) for name in config.own_embeddings}
        )
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))
        self.decoders.apply(_initialize)
        self.copy_embedding()
        # The paper counts the pooler, which nothing uses. DDP refuses a parameter that wants a
        # gradient and gets none.
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.get_submodule("pooler").requires_grad_(False)

    def recompute_activations(self) -> None:
        """Turn on activation checkpointing of all layers: less memory, more time."""
        if not self.encoder.supports_gradient_checkpointing:
            raise InputError("trainer.recompute_activations: this encoder cannot; set it to false")
        self.encoder.activation_checkpointing_enable({"use_reentrant": False})
        for name in self.decoders:
            self.decoder(name).recompute = True
        for module in (self.encoder.get_input_embeddings(), self.encoder, *self._embeddings()):
            module.register_forward_hook(_return_freed_memory)

    def multiply_attention(self) -> None:
        """Compute attention by matrix products, which keep its weights, not by a fused kernel.

        In bf16 on a CPU, the gradient of torch's fused kernel takes longer than in float32
        (docs/performance.md).
        """
        self.encoder.set_attn_implementation("eager")
        for module in self.decoders.modules():
            if isinstance(module, Attention):
                module.fused = False

    def in_bfloat16(self) -> "Seq2Seq":
        """A copy in bfloat16, but for the encoder's buffers.

        Frequencies of rotary positions are buffers; positions would multiply their rounding.
        """
        half = copy.deepcopy(self)
        half.decoders.bfloat16()
        for parameter in half.parameters():
            parameter.data = parameter.data.bfloat16()
        return half

    def layers(self) -> list[nn.Module]:
        """The encoder's layers and the decoders'."""
        number = self.encoder.config.num_hidden_layers
        stacks = (m for m in self.encoder.modules() if isinstance(m, nn.ModuleList))
        encoder = next((stack for stack in stacks if len(stack) == number), None)
        if encoder is None:
            raise InputError("trainer: this encoder's layers cannot be sharded; take trainer=ddp")
        return [*encoder, *(layer for name in self.decoders for layer in self.decoder(name).layers)]

    @torch.no_grad()
    def copy_embedding(self) -> None:
        """Initialize the decoders' embedding from the encoder's, as the released code does."""
        for embedding in self._embeddings():
            embedding.weight.copy_(self.encoder.get_input_embeddings().weight)  # pyright: ignore

    def _embeddings(self) -> list[nn.Module]:
        return [self.embedding, *self.embeddings.values()]

    def encode(self, source_BS: Tensor) -> Memory:
        """Encode the documents."""
        mask_BS = source_BS != self.pad_id
        inputs = {"input_ids": source_BS, "attention_mask": self._attention_mask(mask_BS)}
        if self.config.sentence_id is not None and self.config.alternating:
            sentence_BS = (source_BS == self.config.sentence_id).cumsum(1)  # The first is 1.
            inputs["token_type_ids"] = (sentence_BS + 1) % 2
        hidden_BSD = self.encoder(**inputs).last_hidden_state
        return Memory(hidden_BSD, mask_BS[:, None, None])

    def _attention_mask(self, mask_BS: Tensor) -> Tensor:
        # transformers reads the values of a mask of two dimensions, for which a GPU's step would
        # wait.
        is_plain = self.encoder.config.model_type in ("bert", "xlm-roberta", "roberta")
        return mask_BS[:, None, None] if reading_waits(mask_BS) and is_plain else mask_BS

    def hidden(self, decoder: str, target_BT: Tensor, memory: Memory) -> Tensor:
        """Vectors that predict the token after each position of ``target`` (teacher forcing)."""
        network = self.decoder(decoder)
        cross = network.cross_keys_values(memory.hidden_BSD)
        return network(self.embed(decoder, target_BT), cross, memory.mask_B11S)

    def embed(self, decoder: str, target_BT: Tensor) -> Tensor:
        """Embedded target tokens of ``decoder``."""
        own = decoder in self.config.own_embeddings
        return (self.embeddings[decoder] if own else self.embedding)(target_BT)

    def logits(self, hidden_MD: Tensor) -> Tensor:
        """Scores of the vocabulary; the output layer is tied to the decoders' embedding."""
        return linear(hidden_MD, self.embedding.weight, self.output_bias)

    def loss(self, hidden_MD: Tensor, gold_M: Tensor, smoothing: float) -> Tensor:
        """The label-smoothed loss, summed over positions, of the true tokens ``gold_M``."""
        layer = (self.embedding.weight, self.output_bias)
        return output_loss(hidden_MD, *layer, gold_M, smoothing=smoothing, pad_id=self.pad_id)

    def decoder(self, name: str) -> Decoder:
        """The decoder called ``name``."""
        return self.decoders[name]  # pyright: ignore[reportReturnType]

    @property
    def pad_id(self) -> int:
        """The id of padding."""
        return self.encoder.config.pad_token_id or 0

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The parameters of the encoder's optimizer."""
        return [p for p in self.encoder.parameters() if p.requires_grad]

    def decoder_parameters(self) -> list[nn.Parameter]:
        """The parameters of the decoders' optimizer: decoders, embeddings, output bias."""
        embeddings = (*self.embedding.parameters(), *self.embeddings.parameters())
        shared = (*embeddings, self.output_bias)
        return [*self.decoders.parameters(), *shared]


def encoder_config(settings: Mapping[str, Any]) -> PreTrainedConfig:
    """The Hugging Face configuration that ``NetworkConfig.encoder`` describes."""
    words = {"model_type": "bert", **settings}
    config = AutoConfig.for_model(words.pop("model_type"), **words)
    config.use_cache = False  # An encoder has no key-value cache.
    return config


def encoder_settings(config: PreTrainedConfig) -> dict[str, Any]:
    """The settings that rebuild ``config``; the inverse of ``encoder_config``.

    Only the fields that the model's type adds to every configuration's are among them.
    """
    ours = {field.name for field in fields(config)} - {f.name for f in fields(PreTrainedConfig)}
    ours -= {"bos_token_id", "eos_token_id", "use_cache", "classifier_dropout"}
    values = {key: value for key, value in config.to_dict().items() if key in ours}
    return {"model_type": config.model_type, **values}


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=INIT_STD)
        nn.init.zeros_(module.bias)


def _return_freed_memory(module: nn.Module, inputs: Any, output: Any) -> None:
    """A forward hook that returns freed memory, now and when the backward pass reaches ``output``.

    The next allocations, layers or an embedding's gradient, do not fit into the gaps of the freed
    memory.
    """
    x = output if isinstance(output, Tensor) else output[0]
    if x.is_cpu and x.requires_grad and torch.is_grad_enabled():
        give_freed_memory_back()
        x.register_hook(lambda _: give_freed_memory_back())
