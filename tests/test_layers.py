"""Imports go downward only (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "mclas_lightning"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE

# Packages, and modules of the root, lowest first. Those of one line do not import each other.
ORDER = (
    ("errors",),
    ("files", "page_policy", "progress", "schema"),
    ("distributed", "example", "model"),
    ("paper", "task"),
    ("runs",),
    ("config",),
    ("tracking",),
    ("metrics",),
    ("data", "human"),
    ("corpora", "decoding", "verification"),
    ("inference", "report"),
    ("evaluation", "heads", "training"),
    ("convert", "evaluate", "train", "webapp"),
    ("sweep",),
    ("app", "cli"),
)
LAYERS = {name: layer for layer, names in enumerate(ORDER) for name in names}
# Where a framework may be imported: a package, or a module of one. What is not named may be
# imported anywhere.
ONLY = {
    "hydra": {"config.compose", "config.overrides", "tracking.loggers", "train"},
    "pytorch_lightning": {"data.datamodule", "tracking", "train", "training"},
    "lightning_fabric": {"tracking.wandb_logger", "train"},
    "wandb": {"tracking"},
    "wandb_workspaces": {"tracking.workspace"},
    "gradio": {"cli.app", "webapp.page"},
    "starlette": {"webapp.page"},
}
# What must be quick: nothing of these packages loads torch, however deep.
LIGHT = (
    *("errors", "progress", "files", "page_policy", "schema", "example", "paper", "task", "runs"),
    *("human", "verification", "report", "cli.main", "sweep.plan", "sweep.status"),
)
HEAVY = {"torch", "transformers", "wandb", "pytorch_lightning"}
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"
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


def top(name: str) -> str:
    """The package, or the module of the root, that a module belongs to."""
    return name.split(".")[0]


def test_every_package_has_its_layer_and_the_root_stays_small():
    assert {top(name) for name in MODULES} == set(LAYERS)
    assert len(list(SOURCE.glob("[!_]*.py"))) <= 12


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_downward(name):
    for imported in imports_of(name):
        if imported.startswith(f"{PACKAGE}."):
            below = top(imported.removeprefix(f"{PACKAGE}."))
            assert below == top(name) or LAYERS[below] < LAYERS[top(name)], f"{name}: {imported}"


@pytest.mark.parametrize("name", MODULES)
def test_frameworks_stay_in_their_rooms(name):
    for imported in imports_of(name):
        rooms = ONLY.get(top(imported))
        assert rooms is None or rooms & {name, top(name)}, f"{name} imports {imported}"


@pytest.mark.parametrize("name", LIGHT)
def test_help_tables_people_and_plans_load_no_torch(name):
    modules = [each for each in MODULES if each == name or top(each) == name]
    lines = "\n".join(f"import {PACKAGE}.{module}" for module in modules)
    code = f"import sys\n{lines}\nprint({HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_files_and_functions_are_short_enough_to_read(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250, f"{path}: a room of its own for a part of it?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{path}: {node.name}"
