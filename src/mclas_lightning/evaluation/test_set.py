"""The set of examples that a run is scored on: its corpus's test or validation set, or another."""

import hashlib
import json
import os
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
from mclas_lightning.runs.run import Run


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """A file of examples to score; ``name`` is None for a split of the run's own corpus."""

    split: Split
    path: Path
    name: str | None = None

    @classmethod
    def named(cls, path: Path) -> "EvaluationSet":
        """The test set in the file ``path``, or in test.jsonl of the folder ``path``."""
        file = path / "test.jsonl" if path.is_dir() else path
        stem = file.stem if file.stem != "test" else Path(os.path.abspath(file)).parent.name
        return cls(split="test", path=file, name=re.sub(r"[^\w.-]+", "_", stem)[:40] or "set")

    @classmethod
    def of(cls, dataset: DatasetConfig, split: Split) -> "EvaluationSet":
        """The set of a split of the run's own corpus."""
        return cls(split=split, path=dataset.file(split))

    def check(self, run: Run, dataset: DatasetConfig) -> None:
        """InputError where the file is missing, or where a file of the run's corpus has changed.

        Other files of the corpus may be missing: scoring does not read them.
        """
        if not run.started:
            dataset.check_files({self.split, "test"})  # Scoring starts a pipeline's run.
        if not self.path.exists():
            more = "" if self.name else "give the corpus's folder (dataset.path=...), or "
            raise InputError(f"{self.path}: no such file; {more}name a test set with --test FILE")
        changed = run.changed_files(Path(dataset.path)) if self.name is None and run.started else []
        for path in changed:
            if path.exists():
                raise InputError(
                    f"{path}: is not the file that {run} was started with; restore it, or score "
                    f"another test set beside the run's results: mclas-evaluate RUN --test FILE"
                )

    def read(self, require: Iterable[Side]) -> list[Example]:
        """The examples of the file; InputError where one lacks a summary of ``require``."""
        try:
            return read_examples(self.path, require)
        except InputError:
            for side in require:
                if not any(example.summary(side) for example in read_examples(self.path, ())):
                    raise InputError(
                        f"{self.path}: has no {side} summaries to score by; "
                        f"give a corpus that has them"
                    ) from None
            raise

    def trial(self, decoding: DecodingConfig) -> str | None:
        """The subfolder of the run for the scores of this set; None for the run's own test set.

        Its name depends on the set and on the decoding.
        """
        if self.name is None and self.split == "test":
            return None
        words = json.dumps(asdict(decoding), sort_keys=True)
        if self.name is None:
            return f"{self.split}/{_short(words)}"
        return f"test/{self.name}-{_short(f'{sha256(self.path)} {words}')}"

    def origin(self) -> dict[str, Any]:
        """The set's split, hash and file, for the provenance in results.json."""
        own = {"split": self.split, f"{self.split}_sha256": sha256(self.path)}
        return own if self.name is None else {**own, "test_file": str(self.path)}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
