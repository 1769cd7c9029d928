"""A run's folder, ``runs/<dataset>/<scenario>/<model>/seed=<n>/``: this path names the run.

config.yaml         the resolved configuration        network.json   sizes of the network
corpus.json         SHA-256 of the corpus's files
environment.json    start, git commit, versions       tokenizer/     vocabulary/{mono,cross}.json
metrics.csv         what training logged              checkpoints/{best,last,previous}.ckpt
training.json       written when training has ended   predictions.jsonl
diverged.json       written when training has diverged; such a run is neither resumed nor scored
results.json        scores of the test set, written last: the run is finished
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import found_below, read_json, sha256
from mclas_lightning.runs.identity import (
    differences,
    differences_in_words,
    has_network,
    read_config,
)
from mclas_lightning.runs.recipe import differences_of_updates

# The key of environment.json and results.json for an ms run, as "folder hash of its weights".
INITIALIZED_FROM = "initialized_from"

DIVERGED_ADVICE = (
    "start it under another name (model.name=...) with lower optim.encoder.lr and "
    "optim.decoder.lr, or delete the folder"
)

# Files that scores depend on, beside config.yaml; a pipeline has few of them.
SCORED_FILES = (
    *("corpus.json", "environment.json", "network.json", "training.json"),
    *("tokenizer/*.json", "vocabulary/*.json", "checkpoints/best.ckpt"),
)


LONGEST = 255  # bytes of a folder's name

# Path separators, characters of glob patterns, control characters, and undecodable bytes.
_NO_NAME = re.compile(r"[/\\*?\[\]\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_run_names(dataset: str, scenario: str, model: str) -> None:
    """InputError where one of the three cannot name a folder."""
    for key, name in (("dataset.name", dataset), ("scenario", scenario), ("model.name", model)):
        found = _NO_NAME.search(name)
        if found or not name.strip(". ") or len(name.encode()) > LONGEST:
            what = f"{found[0]!a} in {name!a}" if found else ascii(name)
            raise InputError(
                f"{key}: names a folder of runs; expected up to {LONGEST} bytes, none of / \\ * ? "
                f"[ ] or a control character, not only dots; found {what}; name it otherwise "
                f"({key}=...)"
            )


def seed_folders(folder: str | Path, seed: int) -> tuple[Path, Path]:
    """The two folders that ``folder`` may stand for: its subfolder ``seed=<n>``, and itself.

    Words such as ``init_from`` name either; neither need exist.
    """
    return Path(folder, f"seed={seed}"), Path(folder)


def run_of_seed(folder: str | Path, seed: int) -> "Run":
    """The run in the subfolder ``seed=<n>`` of ``folder`` if that exists, else in ``folder``."""
    inner, outer = seed_folders(folder, seed)
    return Run(inner if inner.is_dir() else outer)


def finished_folders(folders: Sequence[Path]) -> list[Path]:
    """The folders with a results.json at or below ``folders``; InputError where one has none."""
    found: dict[Path, None] = {}
    for folder in folders:
        if not (results := found_below(folder, "results.json")):
            raise InputError(f"{folder}: no finished run here or below (no results.json)")
        found |= dict.fromkeys(path.parent for path in results)
    return [*found]


def run_folder_of(folder: Path) -> Path:
    """The run's folder of results in ``folder``, which may be a trial two folders below it."""
    places = (folder, *Path(os.path.abspath(folder)).parents[:2])
    return next((place for place in places if (place / "config.yaml").exists()), folder)


@dataclass(frozen=True)
class Run:
    """The folder of one run, its files, and the state that they show."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def best(self) -> Path:
        """The path of the checkpoint with the lowest validation loss."""
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def last(self) -> Path:
        """The path of the checkpoint to resume from, which exists during training."""
        return self.folder / "checkpoints" / "last.ckpt"

    @property
    def previous(self) -> Path:
        """The path of the checkpoint before ``last``, which exists during training."""
        return self.folder / "checkpoints" / "previous.ckpt"

    def drop_resumable(self, keep_last: bool) -> None:
        """Remove ``previous`` and, unless ``keep_last``, ``last``, once training has ended.

        With Adam's moments, each is three times as large as best.ckpt, which holds only weights.
        """
        self.previous.unlink(missing_ok=True)
        if not keep_last:
            self.last.unlink(missing_ok=True)

    @property
    def started(self) -> bool:
        """Whether the folder holds a run, which start_run marks by config.yaml."""
        return (self.folder / "config.yaml").exists()

    @property
    def diverged_path(self) -> Path:
        """The path of diverged.json, which says why training diverged, if it did."""
        return self.folder / "diverged.json"

    def check_diverged(self) -> None:
        """InputError where training has diverged: such a run is neither resumed nor scored."""
        if not self.diverged_path.exists():
            return
        noted = read_json(self.diverged_path, dict)
        raise InputError(
            f"{self}: its training has diverged at update {noted.get('update')}: "
            f"{noted.get('reason')}; {DIVERGED_ADVICE}"
        )

    def changed_files(self, corpus: Path) -> list[Path]:
        """The files of the folder ``corpus`` that are missing, or not as the run was started."""
        kept = read_json(self.folder / "corpus.json", dict)
        files = {corpus / f"{split}.jsonl": sha for split, sha in kept.items()}
        return [path for path, sha in files.items() if not path.exists() or sha256(path) != sha]

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each file that the run's scores depend on, by its path in the folder."""
        paths = (path for pattern in SCORED_FILES for path in self.folder.glob(pattern))
        return {path.relative_to(self.folder).as_posix(): sha256(path) for path in sorted(paths)}

    @property
    def training_path(self) -> Path:
        """The path of training.json, which is written when training ends."""
        return self.folder / "training.json"

    @property
    def trained(self) -> bool:
        """Whether training has ended."""
        return self.training_path.exists()

    def check_trained(self) -> None:
        """InputError unless training has ended, and has not diverged; only a network is trained."""
        self.check_diverged()
        if not (self.trained or has_network(self.config)):
            raise InputError(
                f"{self}: is a pipeline or a baseline, which has no network of its own; name a "
                f"trained run, such as the summarizer of a pipeline"
            )
        if not self.trained:
            raise InputError(f"{self}: its training has not ended; run the same mclas-train again")

    @property
    def finished(self) -> bool:
        """Whether the test set has been scored."""
        return (self.folder / "results.json").exists()

    @property
    def foreign(self) -> bool:
        """Whether the folder holds results of an outside system."""
        return self.finished and not (self.started or self.trained)

    @property
    def config(self) -> dict[str, Any]:
        """The configuration the run was started with."""
        return read_config(self.folder)

    @property
    def id(self) -> str:
        """The run's name on servers such as W&B, 16 hexadecimal digits.

        A run of another configuration has another id, and so has one that was deleted and started
        again.
        """
        files = [self.folder / "config.yaml", self.folder / "environment.json"]
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]

    @property
    def updates(self) -> int:
        """The number of updates of an ended training; 0 for pipelines and imported checkpoints."""
        return read_json(self.training_path, dict).get("updates", 0) if self.trained else 0

    def check_identity(self, config: Mapping[str, Any], sections: Sequence[str] = ()) -> None:
        """InputError where the folder holds a run of another configuration, or foreign results.

        ``sections`` limits the comparison to these top-level keys.
        """
        advice = "give this one another name (model.name=...), or delete the old one"
        if self.foreign:
            raise InputError(f"{self}: holds the results of an outside system; {advice}")
        if not self.started:
            return
        if sections:
            advice = "give the words that it was trained with (optim=... sets lengths, too)"
        found = differences(self.config, config, sections)
        if not (sections or self.trained):
            found += differences_of_updates(self.config, config)
        if found:
            raise InputError(f"{self}: holds a run with {differences_in_words(found)}; {advice}")
