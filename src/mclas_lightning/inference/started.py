"""The start of a run's folder: what is written before the first update, and has to stay."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary, save_vocabulary
from mclas_lightning.errors import InputError
from mclas_lightning.files import make_folder, read_json, sha256, whole_file, write_json
from mclas_lightning.inference.environment import environment
from mclas_lightning.inference.trained import network_of
from mclas_lightning.model.seq2seq import NetworkConfig
from mclas_lightning.runs.moves import whole_files
from mclas_lightning.runs.run import INITIALIZED_FROM, Run


class TrainedSystem(NamedTuple):
    """A network's sizes, with the tokenizer and vocabulary that it was trained with."""

    network: NetworkConfig
    tokenizer: Tokenizer
    vocabulary: Vocabulary


def check_content(
    run: Run,
    dataset: DatasetConfig,
    tokenizer: Tokenizer | None = None,
    ms: Run | None = None,
) -> None:
    """InputError where corpus, tokenizer or initial weights have changed since the run was started.

    ``ms`` is the run whose weights are read now: none where a checkpoint is resumed.
    """
    if not run.started:
        return
    for path in run.changed_files(Path(dataset.path)):
        raise InputError(
            f"{path}: is not the file that {run} was started with; restore it, or delete the run"
        )
    if tokenizer and tokenizer.fingerprint != network_of(run)[1]:
        raise InputError(
            f"{dataset.tokenizer}: is not the tokenizer that {run} was started with; restore "
            f"it, or delete the run"
        )
    began = read_json(run.folder / "environment.json", dict).get(INITIALIZED_FROM) if ms else None
    if ms and began and began.split()[-1] != sha256(ms.best):
        raise InputError(
            f"{ms.best}: is not the checkpoint that {run} was started with; restore it, or delete "
            f"the run"
        )


def start_run(
    run: Run,
    config: Mapping[str, Any],
    corpus: Mapping[str, str],
    system: TrainedSystem | None = None,
    ms: Run | None = None,
) -> None:
    """Write a run's files that are known before its first update; config.yaml last, as its mark.

    ``corpus`` has the SHA-256 of each split that the run depends on, as it was read: its file may
    be another one by now. A pipeline has no ``system``. ``ms`` is the run that has the initial
    weights. The files of a run that was started before stay.
    """
    make_folder(run.folder)
    if run.started:
        return
    if system is not None:
        _write_system(run, system)
    started = {"started": datetime.now(UTC).isoformat(), **environment(run.folder)}
    if ms is not None:
        started[INITIALIZED_FROM] = f"{ms} {sha256(ms.best)}"
    write_json(run.folder / "environment.json", started)
    write_json(run.folder / "corpus.json", dict(corpus))
    with whole_files(run.folder) as part, whole_file(part / "config.yaml") as file:
        yaml.safe_dump(dict(config), file, allow_unicode=True, sort_keys=False)


def _write_system(run: Run, system: TrainedSystem) -> None:
    network, tokenizer, vocabulary = system
    make_folder(run.folder / "checkpoints")
    tokenizer.save(run.folder / "tokenizer")
    save_vocabulary(run.folder / "vocabulary", vocabulary)
    write_json(
        run.folder / "network.json", {**asdict(network), "vocabulary": tokenizer.fingerprint}
    )
