"""All that a training needs, read and checked before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.data.example import Example
from mclas_lightning.data.scenario import scenario_subset
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary, target_vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.files import sha256
from mclas_lightning.metrics.language import check_language
from mclas_lightning.metrics.rouge import self_test
from mclas_lightning.model.checkpoint import (
    initialize_from_ms,
    load_pretrained_encoder,
    pretrained_config,
)
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.run import Run, task_from
from mclas_lightning.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The inputs of a training."""

    train: Sequence[Example]
    valid: Sequence[Example]
    manifest: Mapping[str, Any]
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    network: NetworkConfig


def prepare(settings: Settings) -> Preparation:
    """Read the corpus, choose the scenario's examples, size the network; InputError if unusable."""
    dataset, task = settings.dataset, settings.task
    # Nothing should fail after hours that can fail now.
    for side in task.required:
        check_language(dataset.language(side))
        self_test(dataset.language(side))
    corpus = dataset.read("train", task.required)
    valid = dataset.read("valid", task.required)
    dataset.read("test", task.required)
    train, manifest = scenario_subset(
        corpus,
        settings.scenario,
        dataset.sizes,
        seed=settings.split_seed,
        corpus_sha256=sha256(dataset.file("train")),
    )
    if len(train) < settings.optim.accumulate:
        raise InputError(
            f"{len(train)} training examples are too few for one update of "
            f"optim.accumulate={settings.optim.accumulate} micro-batches"
        )
    tokenizer = Tokenizer.load(settings.tokenizer)
    network = network_config(settings, tokenizer)
    if dataset.max_source > network.encoder["max_position_embeddings"]:
        raise InputError(
            f"dataset.max_source={dataset.max_source} is more than the encoder's "
            f"{network.encoder['max_position_embeddings']} positions"
        )
    return Preparation(
        train=train,
        valid=valid,
        manifest=manifest,
        tokenizer=tokenizer,
        # Of the whole training split, not of the scenario: it is knowledge of a language.
        vocabulary={
            side: target_vocabulary(
                tokenizer.encode([e.summary(side) or "" for e in corpus], dataset.max_summary),
                tokenizer.special,
            )
            for side in task.sides
        },
        network=network,
    )


def network_config(settings: Settings, tokenizer: Tokenizer) -> NetworkConfig:
    """Sizes of the network: a pretrained encoder's own, or those of the settings."""
    encoder, decoder = settings.network.encoder, settings.network.decoder
    if encoder.pretrained:
        bert = pretrained_config(encoder.pretrained)
        if bert["vocab_size"] < len(tokenizer):
            raise InputError(
                f"tokenizer '{settings.tokenizer}' has {len(tokenizer):,} entries, encoder "
                f"'{encoder.pretrained}' only {bert['vocab_size']:,}; they do not belong together"
            )
    else:
        bert = {
            "vocab_size": len(tokenizer),
            "hidden_size": encoder.width,
            "num_hidden_layers": encoder.layers,
            "num_attention_heads": encoder.heads,
            "intermediate_size": encoder.feed_forward,
            "max_position_embeddings": encoder.max_positions,
            "pad_token_id": tokenizer.special.pad,
        }
    width = bert["hidden_size"]
    for part, heads in (("encoder", bert["num_attention_heads"]), ("decoder", decoder.heads)):
        if width % heads:
            raise InputError(f"network.{part}: width {width} cannot be split into {heads} heads")
    dropout = settings.optim.encoder.dropout
    return NetworkConfig(
        encoder={**bert, "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout},
        decoder=DecoderConfig(**vars(decoder), dropout=settings.optim.decoder.dropout),
        decoders=tuple(settings.task.targets),
    )


def build_network(settings: Settings, preparation: Preparation) -> Seq2Seq:
    """The network with its initial weights: an ms run's, a pretrained encoder's, or random."""
    if settings.init_from is None:
        network = Seq2Seq(preparation.network)
        if settings.network.encoder.pretrained:
            load_pretrained_encoder(network, settings.network.encoder.pretrained)
        return network
    ms = ms_run(settings.init_from, settings.seed)
    check_initialization(ms, preparation)
    network = Seq2Seq(preparation.network)
    initialize_from_ms(network, ms.state())
    return network


def ms_run(init_from: str, seed: int) -> Run:
    """The run in this folder, or the one of the same seed in its ``seed=<n>`` subfolder."""
    folder = Path(init_from)
    of_seed = folder / f"seed={seed}"
    return Run(of_seed if of_seed.is_dir() else folder)


def check_initialization(ms: Run, preparation: Preparation) -> None:
    """InputError where ``ms`` is not a trained run whose weights fit."""
    where = f"init_from={ms}"
    if not (ms.folder / "config.yaml").exists():
        raise InputError(f"{where}: no run here; train one first with model=ms and the same seed")
    if not ms.trained:
        raise InputError(f"{where}: its training has not ended; run the same mclas-train again")
    theirs, vocabulary = ms.network_config()
    task = task_from(ms.config["model"])
    if (task.sides, len(task.targets), task.source) != (("mono",), 1, "document"):
        raise InputError(f"{where}: is a run of model '{task.name}'; give one of model=ms")
    if vocabulary != preparation.tokenizer.fingerprint:
        raise InputError(f"{where}: was trained with another vocabulary (tokenizer)")
    ours = preparation.network
    for part, their, our in (
        ("encoder", dict(theirs.encoder), dict(ours.encoder)),
        ("decoder", vars(theirs.decoder), vars(ours.decoder)),
    ):
        for key in sorted(their.keys() | our.keys()):
            if their.get(key) != our.get(key) and "dropout" not in key:
                raise InputError(
                    f"{where}: its {part} has {key}={their.get(key)}, this network has "
                    f"{our.get(key)}; use the same 'network'"
                )
