"""All that a training needs, read and checked before anything is written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.config.dataset import DatasetConfig, Split
from mclas_lightning.config.settings import Settings
from mclas_lightning.data.batch import EncodedExamples, Limits
from mclas_lightning.data.scenario import Choice, scenario_subset
from mclas_lightning.data.store import TokenStore, open_store
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary, read_ids, target_vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.inference.trained import TrainedSystem, ms_run, network_of, weights_of
from mclas_lightning.metrics.language import check_language
from mclas_lightning.metrics.rouge import standard
from mclas_lightning.metrics.self_test import self_test
from mclas_lightning.model.checkpoint import (
    dropout_of,
    initialize_from_ms,
    load_pretrained_encoder,
    positions_of,
    pretrained_config,
)
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq, encoder_config, encoder_settings
from mclas_lightning.runs.run import Run, seed_folders


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The inputs of a training."""

    train: EncodedExamples
    valid: EncodedExamples
    manifest: Mapping[str, Any]
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    network: NetworkConfig

    @property
    def system(self) -> TrainedSystem:
        """What the network must be kept with."""
        return TrainedSystem(self.network, self.tokenizer, self.vocabulary)


def prepare(settings: Settings) -> Preparation:
    """Read the corpus, choose the scenario's examples, size the network; InputError if unusable."""
    # Nothing should fail after hours that can fail now, nor after the corpus was tokenized.
    tokenizer, network = check_inputs(settings)
    dataset, task = settings.dataset, settings.task
    dataset.read("test", task.required)
    valid, train = (open_split(settings, split, tokenizer) for split in ("valid", "train"))
    rows, manifest = scenario_subset(
        Choice(scenario=settings.scenario, split=settings.split, seed=settings.split_seed),
        dataset,
        keys=train.keys,
        ids=train.ids,
        corpus_sha256=train.about["corpus_sha256"],
    )
    if len(rows) < settings.optim.accumulate:
        raise InputError(
            f"{len(rows)} training examples are too few for one update of "
            f"optim.accumulate={settings.optim.accumulate} micro-batches"
        )
    limits = Limits(max_source=dataset.max_source, max_summary=dataset.max_summary)
    return Preparation(
        train=EncodedExamples(train, rows, task, tokenizer.special, limits),
        valid=EncodedExamples(valid, np.arange(len(valid)), task, tokenizer.special, limits),
        manifest=manifest,
        tokenizer=tokenizer,
        vocabulary=side_vocabularies(settings, tokenizer, train),
        network=network,
    )


def check_inputs(
    settings: Settings, planned: Collection[Path] = ()
) -> tuple[Tokenizer, NetworkConfig]:
    """What can be checked in a moment; InputError if unusable.

    ``planned`` are folders of runs that will be trained first; init_from may be one.
    """
    dataset, task = settings.dataset, settings.task
    for side in task.required:
        key = "dataset.source" if side == "mono" else "dataset.target"
        check_language(dataset.language(side), f"{key}: language")
        self_test(standard(dataset.language(side)))
    dataset.check_files()
    tokenizer = Tokenizer.load(settings.tokenizer)
    network = network_config(settings, tokenizer)
    check_source(dataset, network)
    partly = 0 < len(settings.initialize) < len(task.targets)
    if settings.init_from is None and partly:
        raise InputError(
            f"model '{task.name}' starts its decoder {', '.join(settings.initialize)} from an ms "
            f"run; name its folder with init_from=..."
        )
    start = settings.init_from
    if start is not None and not set(seed_folders(start, settings.seed)) & set(planned):
        check_initialization(ms_run(start, settings.seed, "init_from"), network, tokenizer)
    return tokenizer, network


def open_split(settings: Settings, split: Split, tokenizer: Tokenizer) -> TokenStore:
    """The token ids of a split; InputError where a summary is missing that the task needs."""
    dataset = settings.dataset
    limit = max(dataset.max_source, dataset.max_summary)
    store = open_store(
        dataset.file(split), tokenizer, limit, settings.store, sentences=settings.sentences
    )
    store.require(settings.task.required)
    return store


def check_source(dataset: DatasetConfig, network: NetworkConfig) -> None:
    """InputError where a source may be longer than the encoder can read."""
    positions = positions_of(network.encoder)
    if dataset.max_source > positions:
        raise InputError(
            f"dataset.max_source={dataset.max_source} is more than the encoder's {positions} "
            f"positions"
        )


def side_vocabularies(
    settings: Settings, tokenizer: Tokenizer, train: TokenStore | None
) -> dict[Side, list[int]]:
    """What each side may be written with; everything, where nothing is known of its language."""
    dataset, special = settings.dataset, tokenizer.special
    found: dict[Side, Sequence[int]] = {}
    for side in settings.task.sides:
        if dataset.vocabulary is not None:
            path = Path(dataset.vocabulary, f"{dataset.language(side)}.json")
            found[side] = read_ids(path, len(tokenizer))
        elif train is not None:
            # Of the whole training split, not of the scenario: it is knowledge of a language.
            found[side] = train.written(side)
        else:
            found[side] = range(len(tokenizer))
    vocabularies: dict[Side, list[int]] = {}
    for side, ids in found.items():
        vocabularies[side] = target_vocabulary(ids, special)
        if not vocabularies[side]:
            raise InputError(
                f"vocabulary of {side} summaries ({dataset.language(side)}): holds control tokens "
                f"alone; nothing could be written"
            )
    return vocabularies


def network_config(settings: Settings, tokenizer: Tokenizer) -> NetworkConfig:
    """Sizes of the network: a pretrained encoder's own, or those of the settings."""
    asked, decoder = settings.network.encoder, settings.network.decoder
    if asked.pretrained:
        encoder = pretrained_config(asked.pretrained)
        if encoder["vocab_size"] + tokenizer.added < len(tokenizer):
            raise InputError(
                f"tokenizer '{settings.tokenizer}' has {len(tokenizer):,} entries, encoder "
                f"'{asked.pretrained}' only {encoder['vocab_size']:,}; they do not belong together"
            )
    else:
        encoder = {
            "model_type": "bert",
            "vocab_size": len(tokenizer),
            "hidden_size": asked.width,
            "num_hidden_layers": asked.layers,
            "num_attention_heads": asked.heads,
            "intermediate_size": asked.feed_forward,
            "max_position_embeddings": asked.max_positions,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }
    encoder |= {
        "vocab_size": max(encoder["vocab_size"], len(tokenizer)),
        "pad_token_id": tokenizer.special.pad,
        **dropout_of(encoder, settings.optim.encoder.dropout),
    }
    sizes = encoder_config(encoder)  # With what no one said, too.
    if asked.sentences and getattr(sizes, "type_vocab_size", 0) < 2:
        raise InputError(
            f"network.encoder.sentences: encoder '{asked.pretrained}' has no two kinds of segments "
            f"to tell sentences apart; set it to false"
        )
    for part, heads in (("encoder", sizes.num_attention_heads), ("decoder", decoder.heads)):
        if sizes.hidden_size % heads:
            raise InputError(
                f"network.{part}: width {sizes.hidden_size} cannot be split into {heads} heads"
            )
    return NetworkConfig(
        encoder=encoder_settings(sizes),
        decoder=DecoderConfig(**vars(decoder), dropout=settings.optim.decoder.dropout),
        decoders=tuple(settings.task.targets),
        sentence_id=tokenizer.special.cls if asked.sentences else None,
    )


def build_network(settings: Settings, preparation: Preparation) -> Seq2Seq:
    """The network with its initial weights: an ms run's, a pretrained encoder's, or random."""
    if settings.init_from is None:
        network = Seq2Seq(preparation.network)
        if settings.network.encoder.pretrained:
            load_pretrained_encoder(network, settings.network.encoder.pretrained)
        return network
    network = Seq2Seq(preparation.network)
    state = weights_of(ms_run(settings.init_from, settings.seed, "init_from"))
    initialize_from_ms(network, state, settings.initialize)
    return network


def check_initialization(ms: Run, ours: NetworkConfig, tokenizer: Tokenizer) -> None:
    """InputError where the weights of ``ms`` do not fit."""
    where = f"init_from={ms}"
    theirs, vocabulary = network_of(ms)
    if vocabulary != tokenizer.fingerprint:
        raise InputError(f"{where}: was trained with another vocabulary (tokenizer)")
    if theirs.sentence_id != ours.sentence_id:
        raise InputError(
            f"{where}: network.encoder.sentences was {theirs.sentence_id is not None}, here it is "
            f"{ours.sentence_id is not None}; use the same 'network'"
        )
    if not theirs.alternating:
        raise InputError(
            f"{where}: its sentences have no alternating segments (use_interval=False of the "
            f"released code), those of a training here have; it can be scored, and starts no others"
        )
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
