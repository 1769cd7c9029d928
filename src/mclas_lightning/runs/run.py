"""A run's folder: its place is its identity, ``runs/<dataset>/<scenario>/<model>/seed=<n>/``.

config.yaml         the resolved configuration        network.json   sizes of the network
corpus.json         SHA-256 of the corpus's files
environment.json    start, git commit, versions       tokenizer/     vocabulary/{mono,cross}.json
metrics.csv         what training logged              checkpoints/{best,last,previous}.ckpt
training.json       how training ended: it is done    predictions.jsonl
diverged.json       how training ended without success, which nothing goes on from
results.json        scores of the test set: the run is done
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json
from mclas_lightning.runs.identity import differences, in_words, read_config

AFTER_DIVERGENCE = (
    "start it under another name (model.name=...) with lower optim.encoder.lr and "
    "optim.decoder.lr, or delete the folder"
)


def seed_folders(folder: str | Path, seed: int) -> tuple[Path, Path]:
    """The two places of the run that ``folder`` means: its subfolder ``seed=<n>``, and itself.

    A word such as ``init_from`` names either; the run need not be there yet.
    """
    return Path(folder, f"seed={seed}"), Path(folder)


def run_of_seed(folder: str | Path, seed: int) -> "Run":
    """The run that ``folder`` means: the one in its subfolder ``seed=<n>``, if it has that."""
    inner, outer = seed_folders(folder, seed)
    return Run(inner if inner.is_dir() else outer)


@dataclass(frozen=True)
class Run:
    """Paths and files of one run."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def best(self) -> Path:
        """Checkpoint with the lowest validation loss."""
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def last(self) -> Path:
        """Checkpoint to resume from, while training."""
        return self.folder / "checkpoints" / "last.ckpt"

    @property
    def previous(self) -> Path:
        """The ``last`` checkpoint before the newest, while training."""
        return self.folder / "checkpoints" / "previous.ckpt"

    def drop_resumable(self, keep_last: bool) -> None:
        """Remove the checkpoints that an ended training could be resumed from.

        With Adam's moments, they are three times as large as best.ckpt, which holds weights alone.
        """
        self.previous.unlink(missing_ok=True)
        if not keep_last:
            self.last.unlink(missing_ok=True)

    @property
    def started(self) -> bool:
        """Whether the folder holds a run."""
        return (self.folder / "config.yaml").exists()

    @property
    def diverged_path(self) -> Path:
        """File that says why training diverged; absent where it did not."""
        return self.folder / "diverged.json"

    def check_diverged(self) -> None:
        """InputError where its training has diverged: it is neither resumed nor scored."""
        if not self.diverged_path.exists():
            return
        noted = read_json(self.diverged_path, dict)
        raise InputError(
            f"{self}: its training has diverged at update {noted.get('update')}: "
            f"{noted.get('reason')}; {AFTER_DIVERGENCE}"
        )

    @property
    def training_path(self) -> Path:
        """File that says how training ended; absent until then."""
        return self.folder / "training.json"

    @property
    def trained(self) -> bool:
        """Whether training has ended."""
        return self.training_path.exists()

    @property
    def finished(self) -> bool:
        """Whether the test set has been scored."""
        return (self.folder / "results.json").exists()

    @property
    def config(self) -> dict[str, Any]:
        """The configuration the run was started with."""
        return read_config(self.folder)

    @property
    def id(self) -> str:
        """Names the run elsewhere: the same for as long as the folder lives.

        Other configurations have others, and so has a run that was deleted and started again.
        """
        files = [self.folder / "config.yaml", self.folder / "environment.json"]
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]

    @property
    def updates(self) -> int:
        """Updates of its training; none of a pipeline or an imported checkpoint."""
        return read_json(self.training_path, dict).get("updates", 0) if self.trained else 0

    def check_identity(self, config: Mapping[str, Any], sections: Sequence[str] = ()) -> None:
        """InputError where the folder holds a run of another configuration.

        Only ``sections`` of it are compared, where they are given.
        """
        if not (self.folder / "config.yaml").exists():
            return
        advice = "give this one another name (model.name=...), or delete the old one"
        if sections:
            advice = "give the words that it was trained with (optim=... sets lengths, too)"
        if found := differences(self.config, config, sections):
            raise InputError(f"{self}: holds a run with {in_words(found)}; {advice}")
