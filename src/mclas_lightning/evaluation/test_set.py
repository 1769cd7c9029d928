"""What a run is scored on: its corpus's test or validation set, or any other test set."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mclas_lightning.config.dataset import DatasetConfig, Split, read_examples
from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, Side
from mclas_lightning.files import sha256
from mclas_lightning.inference.trained import changed_files
from mclas_lightning.runs.run import Run


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """A file of examples; ``name`` is that of a test set which is not the run's own."""

    split: Split
    path: Path
    name: str | None = None

    @classmethod
    def named(cls, path: Path) -> "EvaluationSet":
        """Another test set, by its file, or by the folder that holds it as test.jsonl."""
        file = path / "test.jsonl" if path.is_dir() else path
        stem = file.resolve().parent.name if file.stem == "test" else file.stem
        return cls(split="test", path=file, name=re.sub(r"[^\w.-]+", "_", stem)[:40] or "set")

    @classmethod
    def of(cls, dataset: DatasetConfig, split: Split) -> "EvaluationSet":
        """A split of the run's own corpus."""
        return cls(split=split, path=dataset.file(split))

    def check(self, run: Run, dataset: DatasetConfig) -> None:
        """InputError where the file is not there, or not the one that the run was started with.

        The rest of the run's corpus need not be here; what of it is here must be the same.
        """
        if self.name is None and not run.started:
            dataset.check_files({self.split, "test"})  # A pipeline that becomes a run now.
        if not self.path.exists():
            more = "" if self.name else "give the corpus's folder (dataset.path=...), or "
            raise InputError(f"{self.path}: no such file; {more}name a test set with --test FILE")
        changed = changed_files(run, dataset) if self.name is None and run.started else []
        for path in changed:
            if path.exists():
                raise InputError(
                    f"{path}: is not the file that {run} was started with; restore it, or score "
                    f"another test set beside the run's results: mclas-evaluate RUN --test FILE"
                )

    def read(self, require: Iterable[Side]) -> list[Example]:
        """All its examples."""
        return read_examples(self.path, require)

    def trial(self, decoding: DecodingConfig) -> str | None:
        """Where in the run's folder its scores go; those of the run's test set are the run's own.

        The same set and the same decoding have the same place.
        """
        if self.name is None and self.split == "test":
            return None
        words = json.dumps(asdict(decoding), sort_keys=True)
        if self.name is None:
            return f"{self.split}/{_short(words)}"
        return f"test/{self.name}-{_short(f'{sha256(self.path)} {words}')}"

    def origin(self) -> dict[str, Any]:
        """What results say of it."""
        own = {"split": self.split, f"{self.split}_sha256": sha256(self.path)}
        return own if self.name is None else {**own, "test_file": str(self.path)}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
