"""Loading weights: a pretrained encoder, a run's checkpoint, an MS network (section 4.2)."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedModel

from mclas_lightning.errors import InputError, first_line
from mclas_lightning.files import REST_KEPT, clear_when_full
from mclas_lightning.model.seq2seq import Seq2Seq, encoder_settings

StateDict = Mapping[str, Tensor]

DROPOUT = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob"),  # BERT, XLM-R
    *("dropout", "attention_dropout", "embedding_dropout", "mlp_dropout"),  # DistilBERT, ModernBERT
)

# Types that number positions from pad_token_id + 1, beside those with roberta in their names.
LIKE_ROBERTA = (
    *("camembert", "data2vec-text", "esm", "ibert", "lilt", "longformer", "luke", "markuplm"),
    *("mpnet", "xmod"),
)


def pretrained_config(name: str) -> dict[str, Any]:
    """The configuration of an encoder in a folder or on a hub, for ``NetworkConfig.encoder``."""
    where = f"network.encoder.pretrained '{name}'"
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # A setting of another type raises huggingface_hub's own errors.
        raise InputError(
            f"{where}: neither a folder with a model nor a model that a hub could deliver"
        ) from error
    if config.is_encoder_decoder or config.get_text_config() is not config:
        raise InputError(f"{where}: is more than an encoder of text ({config.model_type})")
    if getattr(config, "embedding_size", config.hidden_size) != config.hidden_size:
        raise InputError(
            f"{where}: its word embedding is {config.embedding_size} wide, its layers "
            f"{config.hidden_size}; the decoder's embedding cannot be initialized from it"
        )
    found = encoder_settings(config)
    if "max_position_embeddings" not in found:
        raise InputError(f"{where}: does not say how long a text may be ({config.model_type})")
    return found


def dropout_of(encoder: Mapping[str, Any], probability: float) -> dict[str, float]:
    """``probability`` under the name of each dropout setting that the encoder's type has."""
    return {key: probability for key in DROPOUT if key in encoder}


def positions_of(encoder: Mapping[str, Any]) -> int:
    """The largest number of ids in a source of this encoder."""
    kind = encoder["model_type"]
    offset = encoder["pad_token_id"] + 1 if "roberta" in kind or kind in LIKE_ROBERTA else 0
    return encoder["max_position_embeddings"] - offset


def load_pretrained_encoder(network: Seq2Seq, name: str) -> None:
    """Initialize the encoder, and the decoders' embedding from the encoder's (section 4.1)."""
    try:
        pretrained, loading = AutoModel.from_pretrained(
            name, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
        )
        check_whole(loading)
    except Exception as error:  # safetensors, pickle and torch raise errors of their own.
        raise InputError(
            f"network.encoder.pretrained '{name}': its weights cannot be loaded "
            f"({first_line(error)})"
        ) from error
    if not _is_bidirectional(pretrained.eval()):
        raise InputError(
            f"network.encoder.pretrained '{name}': reads from left to right alone; it is no encoder"
        )
    if _reads_padding(pretrained):
        raise InputError(
            f"network.encoder.pretrained '{name}': reads padding ({pretrained.config.model_type}); "
            f"a summary would depend on the documents beside its own; take another encoder"
        )
    # Control tokens that the encoder's vocabulary lacks get rows at the end of its embedding.
    pretrained.resize_token_embeddings(network.encoder.config.vocab_size, mean_resizing=False)
    network.encoder.load_state_dict(pretrained.state_dict())
    network.copy_embedding()


def check_whole(loading: Mapping[str, Any]) -> None:
    """ValueError where a model's files lack weights; ``loading`` is what was found in them.

    Transformers draws such a weight at random. A pooler may lack: nothing uses it.
    """
    lacking = sorted(key for key in loading["missing_keys"] if not key.startswith("pooler."))
    if lacking:
        raise ValueError(f"its files lack {len(lacking)} of its weights, such as '{lacking[0]}'")


@torch.no_grad()
def _is_bidirectional(encoder: PreTrainedModel) -> bool:
    """Whether the first token's state depends on the last token, as in no causal model."""
    texts = torch.tensor([[5, 6, 7], [5, 6, 8]])
    first, other = encoder(input_ids=texts).last_hidden_state[:, 0]
    return not torch.allclose(first, other, rtol=1e-6, atol=1e-7)


@torch.no_grad()
def _reads_padding(encoder: PreTrainedModel) -> bool:
    """Whether masked padding changes a text's states, as in FNet and ConvBERT."""
    texts = torch.tensor([[5, 6, 7]])
    padded = F.pad(texts, (0, 13), value=encoder.config.pad_token_id or 0)
    mask = F.pad(torch.ones_like(texts), (0, 13))
    alone = encoder(input_ids=texts, attention_mask=mask[:, :3]).last_hidden_state
    beside = encoder(input_ids=padded, attention_mask=mask).last_hidden_state[:, :3]
    # Rounding is about 1e-6 of the largest state.
    return bool((beside - alone).abs().max() > 1e-3 * alone.abs().max())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of Lightning's: plain types and tensors; no code of the file is executed."""
    if not path.exists():
        raise InputError(
            f"{path}: no such checkpoint; bring it back, or delete the run's folder and train again"
        )
    try:
        with zipfile.ZipFile(path) as archive:  # torch reads no checksums.
            if damaged := archive.testzip():
                raise ValueError(damaged)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(checkpoint["state_dict"], dict):
            raise TypeError("state_dict")
        return checkpoint
    except Exception as error:  # torch raises many kinds of errors for a file that was cut short.
        raise InputError(
            f"{path}: not a whole checkpoint (cut short, damaged, or not ours); delete "
            f"{'it' if path.name == 'last.ckpt' else 'the folder of its run'} and train again"
        ) from error


def save_checkpoint(
    checkpoint: Mapping[str, Any], path: Path, previous: Path | None = None
) -> None:
    """Write ``path`` whole or not at all; an earlier file of this name becomes ``previous``."""
    part = path.with_name(f".{path.name}.part")
    with clear_when_full(path, REST_KEPT), part.open("wb") as file:
        torch.save(checkpoint, file)
    if previous is not None and path.exists():
        path.replace(previous)
    part.replace(path)


def network_state(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The network's tensors of a checkpoint of Lightning's."""
    prefix = "network."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }


def initialize_from_ms(network: Seq2Seq, state: StateDict, decoders: Sequence[str]) -> None:
    """Copy an MS network's encoder, and its decoder into ``decoders`` (sections 4.2, 5.3)."""
    own = network.state_dict()
    own |= {name: tensor for name, tensor in state.items() if not name.startswith("decoders.")}
    (source,) = {name.split(".")[1] for name in state if name.startswith("decoders.")}
    prefix = f"decoders.{source}."
    for name, tensor in state.items():
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            own |= {f"decoders.{ours}.{rest}": tensor for ours in decoders}
    network.load_state_dict(own)
