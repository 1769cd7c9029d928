"""Checkpoints of the released MCLAS code: their tensors under our names.

A ``model_step_*.pt`` is a pickle of the network's tensors, an argparse Namespace and optimizer
objects. Only tensors and plain values are read: the unpickler replaces every other class by one
without code, so that nothing in the file is executed.
"""

import pickle
import types
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._utils import _rebuild_parameter, _rebuild_tensor_v2
from transformers import BertConfig

from mclas_lightning.errors import InputError
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, encoder_settings

DECODER_HEADS = 8  # of the released decoder, where the checkpoint's options do not say

BERT_HEAD_WIDTH = 64  # width of a head in a pretrained BERT

BASELINE_HEADS = 8  # of an encoder that is not pretrained (encoder=baseline) of any width

# Our names of the released decoder's modules.
LAYER_NAMES = {
    "self_attn": "self_attention",
    "context_attn": "cross_attention",
    "linear_query": "query",
    "linear_keys": "key",
    "linear_values": "value",
    "final_linear": "output",
    "layer_norm_1": "self_norm",
    "layer_norm_2": "cross_norm",
    "feed_forward.layer_norm": "feed_norm",
    "feed_forward.w_1": "inner",
    "feed_forward.w_2": "outer",
}

# Tensors whose shapes tell the network's sizes.
SIZING_TENSORS = (
    "bert.model.embeddings.word_embeddings.weight",
    "bert.model.embeddings.position_embeddings.weight",
    "bert.model.encoder.layer.0.intermediate.dense.weight",
    "decoder.transformer_layers.0.feed_forward.w_1.weight",
    "generator.0.weight",
    "generator.0.bias",
)

# Endings of the names of buffers, which our network computes.
COMPUTED_BUFFERS = (".mask", ".pos_emb.pe", "position_ids")

# Our names of the released NCLS+MS's two decoders.
DECODER_NAMES = {"decoder": "cross", "decoder_monolingual": "mono"}

SAFE_CLASSES = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}


@dataclass(frozen=True)
class ReleasedCheckpoint:
    """A checkpoint's tensors by their released names, and the options it was trained with."""

    state: Mapping[str, Tensor]
    options: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> "ReleasedCheckpoint":
        """Read a ``model_step_*.pt``; InputError for a missing, damaged or other file."""
        if not path.exists():
            raise InputError(f"{path}: no such checkpoint")
        try:
            if _is_program(path):
                raise ValueError("a program")
            found = torch.load(path, map_location="cpu", pickle_module=_inert, weights_only=False)
        except Exception as error:  # torch raises many kinds for a truncated file.
            raise InputError(
                f"{path}: not a checkpoint of the released code, or cut short"
            ) from error
        state = found.get("model") if isinstance(found, dict) else None
        if not isinstance(state, dict) or "decoder.embeddings.weight" not in state:
            raise InputError(
                f"{path}: expected a checkpoint of the released code, with the tensor "
                f"decoder.embeddings.weight"
            )
        if not all(isinstance(tensor, Tensor) for tensor in state.values()):
            raise InputError(f"{path}: holds something other than tensors in its model")
        for name in SIZING_TENSORS:
            if name not in state:
                raise InputError(
                    f"{path}: lacks the tensor {name} of the released network; it is of other code"
                )
        return cls(state, vars(found.get("opt")) if isinstance(found.get("opt"), _Inert) else {})

    @property
    def decoders(self) -> tuple[str, ...]:
        """Our names of the checkpoint's decoders."""
        return ("mono", "cross") if self._has_two else ("decoder",)

    @property
    def _has_two(self) -> bool:
        return any(name.startswith("decoder_monolingual.") for name in self.state)

    def network_config(self) -> NetworkConfig:
        """The sizes of the network that the tensors belong to."""
        words, heads = self.state[SIZING_TENSORS[0]], self.options.get("dec_heads")
        width = words.shape[1]
        layers = _num_layers(self.state, "bert.model.encoder.layer.")
        inner = self.state["bert.model.encoder.layer.0.intermediate.dense.weight"].shape[0]
        positions = self.state["bert.model.embeddings.position_embeddings.weight"].shape[0]
        return NetworkConfig(
            encoder=encoder_settings(
                BertConfig(
                    vocab_size=words.shape[0],
                    hidden_size=width,
                    num_hidden_layers=layers,
                    num_attention_heads=self._encoder_heads(width),
                    intermediate_size=inner,
                    max_position_embeddings=positions,
                )
            ),
            decoder=DecoderConfig(
                layers=_num_layers(self.state, "decoder.transformer_layers."),
                heads=heads if isinstance(heads, int) else DECODER_HEADS,
                feed_forward=self.state[
                    "decoder.transformer_layers.0.feed_forward.w_1.weight"
                ].shape[0],
                dropout=0.1,
            ),
            decoders=self.decoders,
            own_embeddings=("mono",) if self._mono_embeds_alone else (),
            alternating=self.options.get("use_interval") is not False,
        )

    def _encoder_heads(self, width: int) -> int:
        baseline = self.options.get("encoder") == "baseline"
        return BASELINE_HEADS if baseline else max(1, width // BERT_HEAD_WIDTH)

    @property
    def _mono_embeds_alone(self) -> bool:
        mono = self.state.get("decoder_monolingual.embeddings.weight")
        return mono is not None and not torch.equal(mono, self.state["decoder.embeddings.weight"])

    def seq2seq_state(self) -> dict[str, Tensor]:
        """The tensors under the names of ``Seq2Seq``; InputError for a tensor it does not have."""
        state = {
            "embedding.weight": self.state["decoder.embeddings.weight"],
            "output_bias": self.state["generator.0.bias"],
        }
        if not torch.equal(self.state["generator.0.weight"], state["embedding.weight"]):
            raise InputError(
                "this checkpoint's output layer is not its decoder's embedding; it is of no system "
                "of the paper"
            )
        for name, tensor in self.state.items():
            if not name.endswith(COMPUTED_BUFFERS) and not name.startswith("generator."):
                state.update(self._place(name, tensor))
        return state

    def _place(self, name: str, tensor: Tensor) -> dict[str, Tensor]:
        if name.startswith("bert.model."):
            return {f"encoder.{name.removeprefix('bert.model.')}": tensor}
        prefix, _, rest = name.partition(".")
        if prefix not in DECODER_NAMES:
            raise InputError(f"tensor '{name}': is of no system of the paper")
        ours = DECODER_NAMES[prefix] if self._has_two else "decoder"
        if rest == "embeddings.weight":
            alone = ours == "mono" and self._mono_embeds_alone
            return {f"embeddings.{ours}.weight": tensor} if alone else {}
        rest = rest.replace("transformer_layers.", "layers.").replace("layer_norm.", "norm.")
        return {f"decoders.{ours}.{_translated(rest)}": tensor}


def _translated(name: str) -> str:
    name = name.replace("feed_forward.norm.", "feed_forward.layer_norm.")
    for theirs, our in LAYER_NAMES.items():
        name = name.replace(f".{theirs}.", f".{our}.")
    return name


def _num_layers(state: Mapping[str, Tensor], prefix: str) -> int:
    """The number of layers in ``state``, whose names are ``prefix`` and a number."""
    return len(
        {name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)}
    )


def _is_program(path: Path) -> bool:
    """Whether the file is a TorchScript archive, whose code torch.load would run."""
    try:  # torch.load uses the same reader; another one might see another archive.
        names = torch._C.PyTorchFileReader(str(path)).get_all_records()
    except RuntimeError:
        return False  # Not an archive.
    return any(name.rpartition("/")[2] == "constants.pkl" for name in names)


class _Inert:
    """A stand-in for an object of any class, which keeps its plain state and runs no code."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        """Ignore an item that the pickle of a list appends."""

    def extend(self, items: object) -> None:
        """Ignore items that the pickle of a list appends."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in SAFE_CLASSES:
            return SAFE_CLASSES[module, name]
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return super().find_class(module, name)
        return type(name, (_Inert,), {"__module__": module})


def _load(file: Any, **words: Any) -> Any:
    return _Unpickler(file, **words).load()


# The members that torch.load uses of a pickle module.
_inert = types.ModuleType("inert")

_inert.__dict__.update(Unpickler=_Unpickler, load=_load)
