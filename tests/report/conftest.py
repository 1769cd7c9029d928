import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.runs.results import Results


@pytest.fixture
def run(tmp_path, made_up) -> Callable[..., Results]:
    """A run with predictions for the documents d0, d1, ... of ``numbers``."""

    def make(model: str, wrote: dict, numbers=range(11), document="a document", seed=0) -> Results:
        folder = Path(tmp_path, model, f"seed={seed}")
        folder.mkdir(parents=True)
        lines = [{"id": f"d{n}", "document": document, **wrote} for n in numbers]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / "predictions.jsonl").write_text(text, encoding="utf-8")
        return replace(made_up(model, seed=seed, num=len(numbers)), folder=folder)

    return make
