"""The import of a released checkpoint as a run, which can be evaluated like a trained one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mclas_lightning.config.dataset import SPLITS
from mclas_lightning.config.settings import Settings
from mclas_lightning.convert.released import ReleasedCheckpoint
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256, whole_folder, write_json
from mclas_lightning.inference.started import TrainedSystem, start_run
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.runs.run import Run
from mclas_lightning.training.network import check_source
from mclas_lightning.training.preparation import open_split, side_vocabularies

# Ids in the released checkpoints: [BOS], [EOS], [LSEP] are mBERT's [unused1], [unused2], [unused5].
RELEASED_IDS = {"pad": 0, "bos": 1, "eos": 2, "lsep": 5}


def import_checkpoint(file: Path, settings: Settings, config: Mapping[str, Any]) -> TrainedSystem:
    """Write the checkpoint ``file`` as the run that ``settings`` describe, whole or not at all.

    InputError where the run is there already, or where the checkpoint is of another network,
    tokenizer or system than ``settings``.
    """
    run = settings.run
    if run.folder.exists():
        raise InputError(f"{run}: is there already; choose another place, or delete it")
    released = ReleasedCheckpoint.load(file)
    if set(released.decoders) != set(settings.task.targets):
        theirs = "NCLS+MS's two decoders" if len(released.decoders) > 1 else "one decoder"
        raise InputError(
            f"{file}: has {theirs}, model '{settings.task.name}' has "
            f"{', '.join(settings.task.targets)}; name its system with model=..."
        )
    tokenizer = _tokenizer(settings, released)
    network = replace(
        released.network_config(),
        sentence_id=tokenizer.special.cls if settings.network.encoder.sentences else None,
    )
    check_source(settings.dataset, network)
    width = network.encoder["hidden_size"]
    for heads in (network.decoder.heads, network.encoder["num_attention_heads"]):
        if heads < 1 or width % heads:
            raise InputError(f"{file}: its options say {heads} heads, which do not divide {width}")
    state = _checked_state(file, released, network)
    system = TrainedSystem(network, tokenizer, _vocabulary(settings, tokenizer))
    files = [path for split in SPLITS if (path := settings.dataset.file(split)).exists()]
    with whole_folder(run.folder) as folder:
        part = Run(folder)
        start_run(part, config, {path.stem: sha256(path) for path in files}, system)
        named = {f"network.{name}": tensor.contiguous() for name, tensor in state.items()}
        torch.save({"state_dict": named}, part.best)
        write_json(part.training_path, {"imported": file.name, "sha256": sha256(file)})
    return system


def _tokenizer(settings: Settings, released: ReleasedCheckpoint) -> Tokenizer:
    tokenizer = Tokenizer.load(settings.tokenizer)
    entries = released.network_config().encoder["vocab_size"]
    ids = {name: getattr(tokenizer.special, name) for name in RELEASED_IDS}
    if len(tokenizer) != entries or ids != RELEASED_IDS:
        raise InputError(
            f"tokenizer '{settings.tokenizer}' has {len(tokenizer):,} entries and control tokens "
            f"{ids}, the checkpoint {entries:,} and {RELEASED_IDS}; name the one it was trained "
            f"with (bert-base-multilingual-uncased) with network.tokenizer=..."
        )
    return tokenizer


def _vocabulary(settings: Settings, tokenizer: Tokenizer) -> Vocabulary:
    """The ids that each side may write, from the corpus's training texts where they are present.

    The released code writes a border between sentences. The border is in no text of the corpus, and
    is added to each side.
    """
    here = settings.dataset.vocabulary is None and settings.dataset.file("train").exists()
    if not here:
        return side_vocabularies(settings, tokenizer, None)
    assert tokenizer.border is not None, "its control tokens are mBERT's"
    found = side_vocabularies(settings, tokenizer, open_split(settings, "train", tokenizer))
    return {side: sorted({*ids, tokenizer.border}) for side, ids in found.items()}


def _checked_state(
    file: Path, released: ReleasedCheckpoint, network: NetworkConfig
) -> Mapping[str, torch.Tensor]:
    """The tensors by our names; InputError unless names and shapes are those of ``network``."""
    state = released.seq2seq_state()
    with torch.device("meta"):
        expected = {name: t.shape for name, t in Seq2Seq(network).state_dict().items()}
    found = {name: tensor.shape for name, tensor in state.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise InputError(
                f"{file}: tensor {name} (our name) should have shape {expected.get(name)}, has "
                f"{found.get(name)}"
            )
    return state
