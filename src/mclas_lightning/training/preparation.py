"""Inputs of a training, read and checked before anything is written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.config.dataset import SPLITS, Split
from mclas_lightning.config.settings import Settings
from mclas_lightning.data.batch import EncodedExamples, Limits
from mclas_lightning.data.scenario import (
    SubsetRule,
    check_subset,
    planned_subset,
    scenario_subset,
    write_or_check,
)
from mclas_lightning.data.store import TokenStore, open_store
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary, read_ids, target_vocabulary
from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.example import Side
from mclas_lightning.files import num_records, sha256
from mclas_lightning.inference.started import TrainedSystem, start_run
from mclas_lightning.inference.trained import ms_run, weights_of
from mclas_lightning.metrics.language import check_language
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.metrics.self_test import self_test
from mclas_lightning.model.checkpoint import initialize_from_ms, load_pretrained_encoder
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.runs.recipe import full_precision
from mclas_lightning.runs.run import Run, seed_folders
from mclas_lightning.training.leaks import count_leaks
from mclas_lightning.training.network import check_initialization, check_source, network_config

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")  # Lightning has more.


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Examples, tokenizer, vocabulary and network of a training."""

    train: EncodedExamples
    valid: EncodedExamples
    manifest: Mapping[str, Any]
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    network: NetworkConfig
    ms: Run | None  # whose weights some decoders start with
    leaks: int  # training documents that the test set has, too, or almost
    corpus: Mapping[str, str]  # SHA-256 of each split, as it was read

    @property
    def system(self) -> TrainedSystem:
        """What the network must be kept with."""
        return TrainedSystem(self.network, self.tokenizer, self.vocabulary)


def prepare(settings: Settings) -> Preparation:
    """Read the corpus, choose the scenario's examples, size the network; InputError if unusable."""
    # Tokenizing a corpus may take hours: what can fail in a moment is checked before it.
    tokenizer, network, ms = check_inputs(settings)
    asked = str(settings.trainer.get("precision"))
    if asked.startswith("16") and settings.device.type == "cpu":
        # Lightning would train in bf16, and config.yaml would say fp16.
        raise InputError(f"trainer.precision={asked}: is for GPUs; a CPU takes bf16-mixed")
    dataset, task = settings.dataset, settings.task
    of_test = sha256(dataset.file("test"))
    dataset.read("test", task.required)
    valid, train = (open_split(settings, split, tokenizer) for split in ("valid", "train"))
    rows, manifest = scenario_subset(
        _rule(settings),
        dataset,
        keys=train.keys,
        ids=train.ids,
        corpus_sha256=train.about["corpus_sha256"],
    )
    _check_enough(len(rows), settings)
    limits = Limits(max_source=dataset.max_source, max_summary=dataset.max_summary)
    return Preparation(
        train=EncodedExamples(train, rows, task, tokenizer.special, limits),
        valid=EncodedExamples(valid, np.arange(len(valid)), task, tokenizer.special, limits),
        manifest=manifest,
        tokenizer=tokenizer,
        vocabulary=side_vocabularies(settings, tokenizer, train),
        network=network,
        ms=ms,
        leaks=count_leaks(dataset, train, rows, settings.store),
        corpus={
            "train": train.about["corpus_sha256"],
            "valid": valid.about["corpus_sha256"],
            "test": of_test,
        },
    )


def keep_preparation(
    settings: Settings, config: Mapping[str, Any], preparation: Preparation
) -> None:
    """Write the scenario's subset.json and begin the run's folder.

    InputError where the scenario's runs were trained on another subset.
    """
    write_or_check(settings.subset_manifest, preparation.manifest)
    start_run(settings.run, config, preparation.corpus, preparation.system, preparation.ms)


def check_inputs(
    settings: Settings, planned: Collection[Path] = ()
) -> tuple[Tokenizer, NetworkConfig, Run | None]:
    """The tokenizer, the network's sizes and the ms run it starts from; InputError if unusable.

    Only what takes a moment is checked: of texts, the first example of each split. ``planned`` are
    folders of runs that will be trained first: an init_from that names one of them is no run yet,
    and None is returned for it.
    """
    _check_precision(settings)
    dataset, task = settings.dataset, settings.task
    for side in task.required:
        key = "dataset.source" if side == "mono" else "dataset.target"
        check_language(dataset.language(side), f"{key}: language")
        self_test(standard_profile(dataset.language(side)))
    dataset.check_first_examples(SPLITS, task.required)
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
        ms = ms_run(start, settings.seed, "init_from")
        check_initialization(ms, network, tokenizer)
        return tokenizer, network, ms
    return tokenizer, network, None


def _check_precision(settings: Settings) -> None:
    """InputError for weights that are not float32."""
    asked = full_precision(settings.trainer.get("precision"))
    if asked not in PRECISIONS:
        raise unknown_choice("trainer.precision", asked, PRECISIONS, state="is not supported")


def check_examples(settings: Settings) -> None:
    """InputError where the corpus has not the scenario's subset, or its runs had another one.

    The first example of each split is read, and those of train are counted, so that a sweep is told
    before its first run.
    """
    dataset, train = settings.dataset, settings.dataset.file("train")
    dataset.check_first_examples(SPLITS, settings.task.required)
    written = train.stat().st_mtime_ns
    subset = planned_subset(_rule(settings), dataset, _num_records(train, written))
    _check_enough(subset["size"], settings)
    if settings.subset_manifest.exists():
        subset["corpus_sha256"] = _sha256(train, written)
    check_subset(settings.subset_manifest, subset)


def _check_enough(num: int, settings: Settings) -> None:
    if num < settings.optim.accumulate:
        raise InputError(
            f"{num} training examples are too few for one update of "
            f"optim.accumulate={settings.optim.accumulate} micro-batches"
        )


@lru_cache
def _num_records(path: Path, written: int) -> int:
    """The records of a file written at the time ``written``; a sweep asks for every scenario."""
    return num_records(path)


@lru_cache
def _sha256(path: Path, written: int) -> str:
    """The hash of a file written at the time ``written``, taken once for all runs of a sweep."""
    return sha256(path)


def _rule(settings: Settings) -> SubsetRule:
    return SubsetRule(scenario=settings.scenario, split=settings.split, seed=settings.split_seed)


def open_split(settings: Settings, split: Split, tokenizer: Tokenizer) -> TokenStore:
    """The token ids of a split; InputError where a summary is missing that the task needs."""
    dataset = settings.dataset
    limit = max(dataset.max_source, dataset.max_summary)
    store = open_store(
        dataset.file(split), tokenizer, limit, settings.store, sentences=settings.sentences
    )
    store.require(settings.task.required)
    return store


def side_vocabularies(
    settings: Settings, tokenizer: Tokenizer, train: TokenStore | None
) -> dict[Side, list[int]]:
    """Vocabulary ids that each side may be written with; all, where no summaries are known."""
    dataset, special = settings.dataset, tokenizer.special
    found: dict[Side, list[int]] = {}
    for side in settings.task.sides:
        if dataset.vocabulary is not None:
            path = Path(dataset.vocabulary, f"{dataset.language(side)}.json")
            ids = read_ids(path, len(tokenizer))
        elif train is not None:
            # The whole training split is read, in every scenario: a vocabulary is knowledge of a
            # language, as the dictionaries of the released code are.
            ids = train.written(side)
        else:
            ids = range(len(tokenizer))
        found[side] = target_vocabulary(ids, special)
        if not found[side]:
            raise InputError(
                f"vocabulary of {side} summaries ({dataset.language(side)}): holds control tokens "
                f"alone; nothing could be written"
            )
    return found


def build_network(settings: Settings, preparation: Preparation) -> Seq2Seq:
    """The network with its initial weights: of an ms run, of a pretrained encoder, or random."""
    network = Seq2Seq(preparation.network)
    if preparation.ms is not None:
        initialize_from_ms(network, weights_of(preparation.ms), settings.initialize)
    elif settings.network.encoder.pretrained:
        load_pretrained_encoder(network, settings.network.encoder.pretrained)
    return network
