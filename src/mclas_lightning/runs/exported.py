"""An exported system: the folder that a model hub keeps, read as the folder of a trained run.

config.json        model, dataset, decoding and network; size and SHA-256 of each other file
model.safetensors  weights              tokenizer.json   vocabulary/{mono,cross}.json
README.md          the model card       tokenizer_config.json, for Hugging Face's AutoTokenizer

Nothing in these files is executed. No file is read that config.json does not list.
"""

from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json, read_versioned, sha256
from mclas_lightning.runs.run import Run

EXPORT_FORMAT = 1

MODEL_TYPE = "mclas"  # tells our config.json from those of Hugging Face's models

CONFIG, CARD = "config.json", "README.md"

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"

SECTIONS = ("model", "dataset", "decoding", "trainer", "network", "files")


def opened(run: Run) -> Run:
    """``run``, as an ExportedRun where its folder holds an exported system."""
    if not run.started:
        with suppress(InputError):
            if read_json(run.folder / CONFIG, dict).get("model_type") == MODEL_TYPE:
                return ExportedRun(run.folder)
    return run


class ExportedRun(Run):
    """The trained run that was exported into a folder."""

    @property
    def best(self) -> Path:
        """The path of the weights."""
        return self.folder / WEIGHTS

    @property
    def started(self) -> bool:
        """True: only a trained run is exported."""
        return True

    @property
    def trained(self) -> bool:
        """True: only a trained run is exported."""
        return True

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of config.json; InputError where it is of something else."""
        return read_versioned(self.folder / CONFIG, EXPORT_FORMAT, _checked_about)

    def checked(self, name: str) -> Path:
        """The path of a file; InputError unless it is the one that was exported."""
        path, known = self.folder / name, self.config["files"].get(name)
        if known is None:
            raise InputError(f"{self.folder / CONFIG}: does not list '{name}'; export it again")
        if not path.is_file():
            raise InputError(f"{path}: no such file; download or export the whole folder again")
        if [path.stat().st_size, sha256(path)] != known:
            raise InputError(
                f"{path}: has another size or hash than config.json says; it was changed or cut "
                f"short; download or export the folder again"
            )
        return path


def _checked_about(record: dict[str, Any]) -> dict[str, Any]:
    for name in SECTIONS:
        # Exports of version 0.1.0 do not say how the training computed.
        if not isinstance(record.setdefault(name, {} if name == "trainer" else None), dict):
            raise InputError(f"'{name}' is missing or no object")
    for name in record["files"]:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise InputError(f"'{name}' of files leaves the folder; this export is not to be used")
    return record
