"""Runs of a plan, in the states that a sweep finds."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mclas_lightning.files import write_json
from mclas_lightning.runs.results import Results
from mclas_lightning.sweep.plan import PlannedRun, plan_runs


def toy_plan(folder: Path) -> list[PlannedRun]:
    """The toy sweep of one seed, in an empty folder: ms, then three systems in two languages."""
    return plan_runs(["toy"], ["seed=0", f"runs={folder}/runs"])


@cache
def _relative_toy_plan() -> list[PlannedRun]:
    return plan_runs(["toy"], ["seed=0"])


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The runs of ``toy_plan`` in the folder "runs" of an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return _relative_toy_plan()


def finished(folder: Path, seconds: float = 60.0, decoding: dict[str, Any] | None = None) -> None:
    write_json(folder / "training.json", {"updates": 30, "seconds": seconds})
    dataset, scenario, model, seed = folder.parts[-4:]
    Results(
        dataset=dataset,
        scenario=scenario,
        model=model,
        seed=int(seed.removeprefix("seed=")),
        languages={"source": "en", "target": None},
        scores={},
        signatures={},
        decoding=decoding or {},
        provenance={},
    ).write(folder / "results.json")


def started(run: PlannedRun, **optim: Any) -> None:
    """The config.yaml of a planned run, with other values of ``optim``."""
    config = {**run.config, "optim": {**run.config["optim"], **optim}}
    run.folder.mkdir(parents=True)
    (run.folder / "config.yaml").write_text(yaml.safe_dump(config))
