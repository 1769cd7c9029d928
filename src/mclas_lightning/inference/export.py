"""Export of a trained run into a folder that a model hub keeps, and its upload and download."""

import re
from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from safetensors.torch import save_file

from mclas_lightning.data.vocabulary import load_vocabulary, save_vocabulary
from mclas_lightning.errors import InputError, first_line
from mclas_lightning.files import read_json, sha256, whole_folder, write_json
from mclas_lightning.inference.card import model_card
from mclas_lightning.inference.trained import task_of, tokenizer_of, weights_of
from mclas_lightning.runs.exported import (
    CARD,
    CONFIG,
    EXPORT_FORMAT,
    MODEL_TYPE,
    TOKENIZER,
    WEIGHTS,
    ExportedRun,
    opened,
)
from mclas_lightning.runs.run import Run

HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)

# The content of an exported folder, which the next export of the same name replaces.
EXPORTED = {CARD, CONFIG, TOKENIZER, WEIGHTS, "tokenizer_config.json", "vocabulary"}

# Of a dataset, what belongs to this machine alone and is not exported.
LOCAL = {"path": "", "tokenizer": "", "vocabulary": None, "pretraining": []}


def export_run(run: Run, out: Path, *, half: bool, place: str, license: str) -> None:
    """Write the trained ``run`` into the folder ``out``, its weights as float16 with ``half``.

    The model card says that the system is loaded from ``place``, and has the ``license``.

    InputError for a run that is not trained, or where ``out`` holds something else than an export.
    """
    config = run.config
    run.check_trained()
    task = task_of(run)
    if out.exists() and not isinstance(opened(Run(out)), ExportedRun):
        raise InputError(f"{out}: exists and is no earlier export; name a new folder")
    others = {path.name for path in out.iterdir()} - EXPORTED if out.exists() else ()
    if others:
        raise InputError(
            f"{out}: holds '{min(others)}', which no export writes and which would be lost; name a "
            f"new folder, and copy its files into this one"
        )
    tokenizer = tokenizer_of(run)
    vocabulary = load_vocabulary(run.folder / "vocabulary", task.sides, len(tokenizer))
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in weights_of(run).items()
    }
    with whole_folder(out) as part:
        save_file(tensors, part / WEIGHTS, metadata={"format": "pt"})
        (part / WEIGHTS).chmod(0o644)  # safetensors lets nobody else read its files.
        tokenizer.backend.save_pretrained(part)
        save_vocabulary(part / "vocabulary", vocabulary)
        names = [WEIGHTS, TOKENIZER, *(f"vocabulary/{side}.json" for side in task.sides)]
        about = {
            "model_type": MODEL_TYPE,
            "format": EXPORT_FORMAT,
            "model": config["model"],
            "dataset": {**config["dataset"], **LOCAL},
            "decoding": config["decoding"],
            # weights=auto decodes in the precision of the training.
            "trainer": {"precision": config.get("trainer", {}).get("precision")},
            "network": read_json(run.folder / "network.json", dict),
            "files": {name: [(part / name).stat().st_size, sha256(part / name)] for name in names},
        }
        write_json(part / CONFIG, about)
        (part / CARD).write_text(model_card(run, place, license), encoding="utf-8")


def check_hub_name(name: str) -> None:
    """InputError for a name that no repository of a hub has."""
    if not HUB_NAME.fullmatch(name):
        raise InputError(f"--push {name}: expected user/name")


def push(folder: Path, name: str) -> str:
    """Upload an exported folder as ``user/name``; the address of the repository."""
    check_hub_name(name)
    hub = HfApi()
    try:
        address = hub.create_repo(name, exist_ok=True)
        hub.upload_folder(repo_id=name, folder_path=folder)
    except Exception as error:  # The hub's client raises its own errors, OSErrors and httpx's.
        raise InputError(
            f"--push {name}: the hub did not take it ({first_line(error).rstrip('.')}); "
            f"{folder} is whole: log in (hf auth login), and export again"
        ) from error
    return str(address)


def find_run(name: str | Path) -> Run:
    """The run or exported system in the folder ``name``, or downloaded from a hub by its name.

    InputError where there is none.
    """
    run = opened(Run(Path(name)))
    if run.started and isinstance(run.config.get("model"), Mapping):
        return run
    if run.folder.exists() or not HUB_NAME.fullmatch(str(name)):
        raise InputError(
            f"{name}: neither the folder of a trained run, .../seed=<n>, nor an exported folder, "
            f"nor the name of a model on a hub (user/name)"
        )
    try:
        kept = [CONFIG, WEIGHTS, TOKENIZER, "vocabulary/*.json"]
        folder = snapshot_download(str(name), allow_patterns=kept)
    except Exception as error:  # The hub's client raises its own errors, OSErrors and httpx's.
        raise InputError(
            f"{name}: no such folder, and no hub delivered a model of this name "
            f"({first_line(error).rstrip('.')})"
        ) from error
    found = opened(Run(Path(folder)))
    if not found.started:
        raise InputError(f"{name}: this model on the hub is no export of mclas-lightning")
    return found
