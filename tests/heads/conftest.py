"""A small trained run, on which heads are analyzed."""

from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.runs.run import Run
from mclas_lightning.train import train


@pytest.fixture
def trained(words: list[str]):
    """``trained("mclas")``: a finished run of a few updates."""

    def run(model: str, *more: str) -> Run:
        results = train(compose("train", [*words, f"model={model}", *more]))
        assert results is not None
        assert results.folder is not None
        return Run(Path(results.folder))

    return run
