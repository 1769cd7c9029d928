"""Imports go downward only (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "mclas_lightning"
PACKAGE = "mclas_lightning"

# The first entry that a module's name starts with gives its layer.
LAYERS = {
    "errors": 0, "memory": 0, "preemption": 0, "files": 0, "typed": 0, "identity": 0, "task": 0,
    "progress": 0, "overrides": 0, "places": 0, "data.catalog": 0, "data.check": 0,
    "data.manifest": 0, "recipe": 0,
    "data.readers.shards": 1, "data.readers": 0, "data.importing": 1,
    "data.example": 0, "data.dataset": 0, "data.scenario": 0, "data.toy": 0, "data.debian": 0,
    "metrics.encoder": 1, "metrics.bertscore": 1, "metrics.similarity": 1, "metrics.neural": 1,
    "metrics": 0, "report": 0, "human": 0, "processes": 0,
    "data.datamodule": 3, "data": 1, "model": 1, "decoding.summarizer": 2, "decoding": 1,
    "ranks": 1, "loss": 1, "optim": 1,
    "translate": 2, "imported": 2, "pipeline": 2, "translations": 2, "roundtrip": 2,
    "corpora": 2, "run": 2, "settings": 2, "preparation": 2, "evaluation": 2, "evaluation_set": 2,
    "rescoring": 2,
    "module": 3, "callbacks": 3, "checkpoints": 3, "divergence": 3, "tracking": 3,
    "app": 4, "entries": 4, "train": 4, "evaluate": 4, "evaluate_words": 4, "demo": 4, "cli": 4,
    "cli_data": 4, "cli_human": 4, "cli_score": 4, "cli_neural": 4, "cli_report": 4, "cli_wandb": 4,
    "lock": 0, "sweep": 4, "cli_sweep": 4,
}  # fmt: skip
HYDRA = ("app", "overrides", "report.started", "train", "tracking.loggers")
# Who may import what: everything else must do without.
ONLY = {
    "torch": lambda name, layer: layer >= 1,
    "transformers": lambda name, layer: layer >= 1,
    "pytorch_lightning": lambda name, layer: layer == 3 or name == "train",
    "lightning_fabric": lambda name, layer: layer == 3 or name == "train",
    "hydra": lambda name, layer: name in HYDRA,
    "wandb": lambda name, layer: name.startswith("tracking."),
    "wandb_workspaces": lambda name, layer: name == "tracking.workspace",
}
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"
)


def layer_of(name: str) -> int:
    """The layer of a module, or of the package whose docstring an ``__init__`` holds."""
    if name in ("data", "model", "decoding", "tracking"):
        return 0
    return next(
        layer for start, layer in LAYERS.items() if name == start or name.startswith(f"{start}.")
    )


def imports_of(name: str) -> set[str]:
    """Full names of the modules that ``name`` imports anywhere in its code."""
    path = SOURCE.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {f"{PACKAGE}.{module}" for module in MODULES}
            found |= inner & known or {node.module or ""}
    return found


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_downward(name):
    for imported in imports_of(name):
        if imported.startswith(f"{PACKAGE}."):
            below = imported.removeprefix(f"{PACKAGE}.")
            assert layer_of(below) <= layer_of(name), f"{name} imports {below}"


@pytest.mark.parametrize("name", MODULES)
def test_frameworks_stay_in_their_layers(name):
    for imported in imports_of(name):
        allowed = ONLY.get(imported.split(".")[0])
        assert allowed is None or allowed(name, layer_of(name)), f"{name} imports {imported}"


@pytest.mark.parametrize(
    "name",
    [
        "app",
        "train",
        "evaluate",
        "demo",
        "cli",
        "cli_data",
        "cli_human",
        "cli_score",
        "cli_sweep",
        "cli_wandb",
        "sweep",
    ],
)
def test_composition_roots_are_imported_only_by_each_other(name):
    users = [other for other in MODULES if f"{PACKAGE}.{name}" in imports_of(other)]
    assert all(layer_of(user) == 4 for user in users)


@pytest.mark.parametrize(
    "module",
    [
        "cli",
        "report.tables",
        "report.page",
        "report.cases",
        "report.results",
        "human.results",
        "sweep.cost",
        "sweep.status",
    ],
)
def test_help_and_tables_load_no_torch(module):
    heavy = {"torch", "transformers", "wandb"}
    code = f"import sys, {PACKAGE}.{module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
