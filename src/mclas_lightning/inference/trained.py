"""What a trained run holds: network, task, summarizer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import load_vocabulary
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.errors import InputError, check_range
from mclas_lightning.files import read_json
from mclas_lightning.model.checkpoint import load_checkpoint, network_state, positions_of
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq, encoder_config, encoder_settings
from mclas_lightning.runs.exported import CONFIG, TOKENIZER, WEIGHTS, ExportedRun, opened
from mclas_lightning.runs.run import Run, run_of_seed
from mclas_lightning.schema import typed
from mclas_lightning.task import Task, task_from

ConfigSection = TypeVar("ConfigSection")


def task_of(run: Run) -> Task:
    """The task of the run; InputError for a pipeline or an old config.yaml."""
    return _section(run, "model", task_from)


def dataset_of(run: Run) -> DatasetConfig:
    """The dataset of the run; InputError for an old config.yaml."""
    return _section(run, "dataset", lambda kept: typed("dataset", DatasetConfig, kept))


def decoding_of(run: Run) -> DecodingConfig:
    """The decoding of the run's configuration; InputError for an old config.yaml."""
    return _section(run, "decoding", lambda kept: typed("decoding", DecodingConfig, kept))


def _section(run: Run, name: str, read: Callable[[Any], ConfigSection]) -> ConfigSection:
    try:
        return read(run.config[name])
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(
            f"{run}: its configuration is not of this version ({name}: {error}); make it again"
        ) from error


def network_of(run: Run) -> tuple[NetworkConfig, str]:
    """The network's sizes and its tokenizer's fingerprint; InputError for an old network.json."""
    exported, path = isinstance(run, ExportedRun), _sizes_path(run)
    try:
        sizes = run.config["network"] if exported else read_json(path, dict)
        config = NetworkConfig(
            encoder=sizes["encoder"],
            decoder=DecoderConfig(**sizes["decoder"]),
            decoders=tuple(sizes["decoders"]),
            own_embeddings=tuple(sizes["own_embeddings"]),
            sentence_id=sizes["sentence_id"],
            alternating=sizes.get("alternating", True),
        )
        if exported:
            _check_encoder(config.encoder)
        return config, sizes["vocabulary"]
    except Exception as error:  # Transformers checks settings by assertions, too.
        raise _not_a_network(path, error) from error


def _sizes_path(run: Run) -> Path:
    """The file with the network's sizes."""
    return run.folder / (CONFIG if isinstance(run, ExportedRun) else "network.json")


def _not_a_network(path: Path, error: Exception) -> InputError:
    # Transformers lists all its types of models for an unknown one.
    return InputError(f"{path}: not a network of this version ({shorten(str(error), 160)})")


def _check_encoder(encoder: Mapping[str, Any]) -> None:
    """ValueError for a setting that the encoder's type does not have.

    Hugging Face's configurations have settings beside these that name code on a hub.
    """
    known = encoder_settings(encoder_config({"model_type": encoder["model_type"]}))
    if unknown := sorted(encoder.keys() - known.keys()):
        raise ValueError(f"its encoder has the unknown setting '{unknown[0]}'")


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    """The network's tensors by name at the best validation loss; InputError for another's."""
    if isinstance(run, ExportedRun):
        try:
            weights = load_file(run.checked(WEIGHTS))
        except SafetensorError as error:
            raise InputError(f"{run.best}: not a file of safetensors ({error})") from error
    else:
        weights = network_state(load_checkpoint(run.best))
    _check_sizes(run, network_of(run)[0], weights)
    return weights


def tokenizer_of(run: Run) -> Tokenizer:
    """The tokenizer that the network was trained with."""
    if not isinstance(run, ExportedRun):
        folder = run.folder / "tokenizer"
        if not folder.is_dir():  # A hub would be asked for this name.
            raise InputError(f"{folder}: no such folder; restore it, or make the run again")
        return Tokenizer.load(str(folder))
    path = run.checked(TOKENIZER)
    try:
        return Tokenizer(PreTrainedTokenizerFast(tokenizer_file=str(path)))
    except Exception as error:  # The tokenizers library raises nothing more specific.
        raise InputError(f"{path}: not a tokenizer's file") from error


def load_summarizer(run: Run) -> NetworkSummarizer:
    """The summarizer of a trained run; InputError for missing or unreadable files."""
    dataset, task = dataset_of(run), task_of(run)
    tokenizer = tokenizer_of(run)
    network = _network(run)
    if isinstance(run, ExportedRun):
        _check_parts(run, network.config, task, dataset)
    apart = network.config.sentence_id is not None and task.source == "document"
    return NetworkSummarizer(
        network=network,
        task=task,
        tokenizer=tokenizer,
        vocabulary=load_vocabulary(run.folder / "vocabulary", task.sides, len(tokenizer)),
        languages={side: dataset.language(side) for side in task.sides},
        max_source=dataset.max_source,
        sentences=dataset.source if apart else None,
        trained_in=str(run.config.get("trainer", {}).get("precision")),
    )


def _network(run: Run) -> Seq2Seq:
    weights = weights_of(run)
    network = Seq2Seq(network_of(run)[0])
    network.load_state_dict(weights)
    return network


def _check_sizes(run: Run, config: NetworkConfig, weights: Mapping[str, torch.Tensor]) -> None:
    """InputError where the network has other tensors; neither memory nor time goes into them."""
    try:
        layers = encoder_config(config.encoder).num_hidden_layers + config.decoder.layers
        if layers > len(weights):  # Each layer has tensors, and takes time even without memory.
            raise ValueError(f"{layers:,} layers, and {len(weights):,} tensors")
        with torch.device("meta"):
            expected = Seq2Seq(config).state_dict()
    except Exception as error:  # A value of another type fails wherever it is used first.
        raise _not_a_network(_sizes_path(run), error) from error
    sizes, found = ({n: [*t.shape] for n, t in ts.items()} for ts in (expected, weights))
    if sizes != found:
        name = next(n for n in sorted({*sizes, *found}) if sizes.get(n) != found.get(n))
        raise InputError(
            f"{run.best}: tensor '{name}' has size {found.get(name, 'none')}, the network of "
            f"{_sizes_path(run).name} {sizes.get(name, 'none')}"
        )


def _check_parts(
    run: ExportedRun, network: NetworkConfig, task: Task, dataset: DatasetConfig
) -> None:
    """InputError where sections of config.json contradict each other, or vocabularies."""
    for side in task.sides:
        run.checked(f"vocabulary/{side}.json")
    if sorted(task.targets) != sorted(network.decoders):
        raise InputError(
            f"{run}: expected a network with the decoders of its model, {', '.join(task.targets)}; "
            f"found {', '.join(network.decoders)}"
        )
    check_range(f"{run}: dataset.max_source", dataset.max_source, 1, positions_of(network.encoder))


def ms_run(folder: str, seed: int, word: str) -> Run:
    """The trained ms run in the ``seed=<n>`` subfolder of ``folder``, or else in ``folder``.

    InputError, naming ``word`` of the command line, where no trained ms run is there.
    """
    run = opened(run_of_seed(folder, seed))
    where = f"{word}={run}"
    if not run.started:
        raise InputError(f"{where}: no run here; train one first with model=ms and the same seed")
    run.check_trained()
    task = task_of(run)
    if (task.sides, len(task.targets), task.source) != (("mono",), 1, "document"):
        raise InputError(f"{where}: is a run of model '{task.name}'; give one of model=ms")
    return run
