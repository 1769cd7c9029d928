"""The pretrained encoder of a score, from a folder or a hub.

Shape letters: B texts, S length, D width.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub import HfApi
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer, RobertaTokenizer
from transformers.utils import logging

from mclas_lightning.errors import InputError, first_line
from mclas_lightning.metrics.normalization import NORMALIZATION_VERSION, normalize
from mclas_lightning.model.checkpoint import check_whole, positions_of

HUB_PATIENCE = 5  # seconds that a hub may take to connect, and to send

POSITIONS = 512  # the largest number of ids for an encoder without a limit of its own

BATCH_TEXTS = 64


class States(NamedTuple):
    """The encoder's states of one text; the mask is false at [CLS] and [SEP]."""

    hidden_SD: Tensor
    is_piece_S: Tensor


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder and its tokenizer; ``sha256`` is of the weights and vocabulary, not of files.

    Texts are normalized as ROUGE's are: a cased BERT has other pieces for an umlaut of two code
    points, which a reference may have and a summary of ours never has.
    """

    name: str  # the last part of a hub's name or of a folder's path
    model: Any
    tokenizer: Any
    sha256: str

    @property
    def max_length(self) -> int:
        """The largest number of ids, [CLS] and [SEP] included; a longer text is truncated."""
        return self.tokenizer.model_max_length

    def num_pieces(self, texts: Sequence[str]) -> list[int]:
        """The number of word pieces of each truncated text, without control tokens."""
        if not texts:
            return []
        ids = self.tokenizer([*map(normalize, texts)], truncation=True)["input_ids"]
        special = self.tokenizer.num_special_tokens_to_add(pair=False)
        return [len(text) - special for text in ids]

    @torch.inference_mode()
    def read(self, texts: Iterable[str]) -> Iterator[tuple[str, States]]:
        """Each distinct text and its states of the last layer, longest first."""
        distinct = [*dict.fromkeys(texts)]
        lengths = self.num_pieces(distinct)
        order = sorted(range(len(distinct)), key=lambda i: -lengths[i])
        for start in range(0, len(order), BATCH_TEXTS):
            chosen = [distinct[i] for i in order[start : start + BATCH_TEXTS]]
            batch = self.tokenizer(
                [*map(normalize, chosen)], padding=True, truncation=True,
                return_special_tokens_mask=True, return_tensors="pt",
            ).to(self.model.device)  # fmt: skip
            is_piece_BS = batch.pop("special_tokens_mask") == 0
            hidden_BSD = self.model(**batch).last_hidden_state
            real_BS = batch["attention_mask"].bool()
            for text, hidden_SD, is_piece_S, real_S in zip(
                chosen, hidden_BSD, is_piece_BS, real_BS, strict=True
            ):
                yield text, States(hidden_SD[real_S], is_piece_S[real_S])

    def __str__(self) -> str:
        return f"model:{self.name}|sha256:{self.sha256[:12]}|normalization:{NORMALIZATION_VERSION}"


def num_layers(name: str) -> int:
    """The number of layers of the encoder in folder ``name``, or of this name on a hub."""
    config = _load(AutoConfig, name)
    if config.is_encoder_decoder or config.get_text_config() is not config:
        raise InputError(f"encoder '{name}': is more than an encoder of text ({config.model_type})")
    return config.num_hidden_layers


def load_encoder(name: str, layers: int, device: torch.device) -> Encoder:
    """The first ``layers`` layers of an encoder, in single precision, without dropout."""
    # from_pretrained takes options of the configuration; the layers above are never built.
    words = {"num_hidden_layers": layers, "dtype": torch.float32, "output_loading_info": True}
    model, loading = _load(AutoModel, name, **words)
    try:
        check_whole(loading)
    except ValueError as error:
        raise InputError(f"encoder '{name}': its weights cannot be loaded ({error})") from error
    tokenizer = _load(AutoTokenizer, name)
    if isinstance(tokenizer, RobertaTokenizer):  # A first word is encoded as later ones are.
        tokenizer = _load(AutoTokenizer, name, add_prefix_space=True)
    if None in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id):
        raise InputError(
            f"encoder '{name}': its vocabulary lacks [CLS], [SEP] or [PAD]; give an encoder such "
            f"as bert-base-multilingual-cased"
        )
    config = model.config.to_dict()
    positions = positions_of(config) if "max_position_embeddings" in config else POSITIONS
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return Encoder(
        name=Path(name).resolve().name if Path(name).is_dir() else name.split("/")[-1],
        model=model.eval().to(device),
        tokenizer=tokenizer,
        sha256=model_sha256(model, tokenizer),
    )


def _load(kind: Any, name: str, **words: Any) -> Any:
    """``kind.from_pretrained``, with InputError where the model is missing or damaged."""
    is_folder, cached = Path(name).is_dir(), not _on_hub(name)
    try:
        with _quiet():
            return kind.from_pretrained(
                name, local_files_only=is_folder or cached, trust_remote_code=False, **words
            )
    except Exception as error:  # The libraries raise many kinds of errors for missing files.
        found = "no such folder, nor is it in the cache of models, and no hub offers it"
        if is_folder:
            found = f"this folder holds no encoder that can be loaded ({first_line(error)})"
        raise InputError(
            f"encoder '{name}': {found}; give a folder with config.json, model.safetensors and "
            f"tokenizer.json (where there is a network: hf download NAME --local-dir FOLDER)"
        ) from error


@cache
def _on_hub(name: str) -> bool:
    """Whether a hub has ``name``: one quick request, where a loader would retry for a minute."""
    if Path(name).is_dir():
        return False
    try:
        HfApi().model_info(name, timeout=HUB_PATIENCE)
    except Exception:  # Offline, refused, unknown: errors of any HTTP client.
        return False
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers without its report of unused layers and without its progress bar."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def model_sha256(model: Any, tokenizer: Any) -> str:
    """The SHA-256 of a pretrained model's vocabulary and weights, but for a pooler's."""
    pieces = sorted(tokenizer.get_vocab().items())
    found = hashlib.sha256(json.dumps(pieces).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if not name.startswith("pooler."):  # Unused, and random where a checkpoint has no pooler.
            found.update(name.encode())
            found.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return found.hexdigest()
