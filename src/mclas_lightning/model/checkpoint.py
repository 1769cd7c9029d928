"""Weights from elsewhere: a pretrained encoder, a run's checkpoint, MS initialization."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, BertModel

from mclas_lightning.errors import InputError
from mclas_lightning.model.seq2seq import Seq2Seq

State = Mapping[str, Tensor]
SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob"),
    *("max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id"),
)


def pretrained_config(name: str) -> dict[str, Any]:
    """The BertConfig of a folder or a model on the hub."""
    where = f"network.encoder.pretrained '{name}'"
    try:
        config = AutoConfig.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{where}: neither a folder with a model nor a model that a hub could deliver"
        ) from error
    if config.model_type != "bert":
        raise InputError(f"{where}: expected a BERT, found a model of type '{config.model_type}'")
    # What BertConfig has of its own; not who wrote the file, and when.
    return {key: value for key, value in config.to_dict().items() if key in SIZES}


def load_pretrained_encoder(network: Seq2Seq, name: str) -> None:
    """Initialize the encoder, and with its word embedding the decoders' (section 4.1)."""
    try:
        pretrained = BertModel.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise InputError(
            f"network.encoder.pretrained '{name}': its weights cannot be loaded"
        ) from error
    network.encoder.load_state_dict(pretrained.state_dict())
    network.copy_embedding()


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What Lightning saved, plain types and tensors only; nothing in the file is executed."""
    if not path.exists():
        raise InputError(f"{path}: no such checkpoint")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that was cut short
        raise InputError(
            f"{path}: not a whole checkpoint (cut short, or not ours); delete "
            f"{'it' if path.name == 'last.ckpt' else 'the folder of its run'} and train again"
        ) from error


def network_state(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The network's tensors in a checkpoint of Lightning's."""
    prefix = "network."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }


def initialize_from_ms(network: Seq2Seq, state: State) -> None:
    """Copy an MS network: its one decoder into every decoder of ours (sections 4.2 and 5.3)."""
    own = {name: tensor for name, tensor in state.items() if not name.startswith("decoders.")}
    written = {name.split(".")[1] for name in state if name.startswith("decoders.")}
    (source,) = written
    for name, tensor in state.items():
        if name.startswith(f"decoders.{source}."):
            rest = name.removeprefix(f"decoders.{source}.")
            own |= {f"decoders.{ours}.{rest}": tensor for ours in network.config.decoders}
    for ours in network.config.own_embeddings:
        own[f"embeddings.{ours}.weight"] = state["embedding.weight"]
    network.load_state_dict(own)
