from collections.abc import Callable
from typing import Any

import pytest

from mclas_lightning.example import SIDES, Side
from mclas_lightning.runs.results import Results

SCORES = {
    **{"rouge1_f": 0.4, "rouge2_f": 0.2, "rougeL_f": 0.3, "length": 11.0, "reference_length": 13.0},
    **{"wrong_language": 0.05, "reference_wrong_language": 0.02, "num": 17},
}
WRITES: dict[str, tuple[Side, ...]] = {"ms": ("mono",), "ncls": ("cross",)}


@pytest.fixture
def made_up() -> Callable[..., Results]:
    """Results of a made-up run: ``made_up("mclas", seed=1, rouge1_f=0.5)``."""

    def make(model: str, seed: int = 0, tok: str = "words", **changes: Any) -> Results:
        sides = WRITES.get(model, SIDES)
        return Results(
            dataset=changes.pop("dataset", "toy_en2de"),
            scenario=changes.pop("scenario", "minimum"),
            model=model,
            seed=seed,
            languages={"source": "en", "target": "de"},
            scores=dict.fromkeys(sides, SCORES | changes),
            signatures={side: {"rouge": f"rouge|lang:{side}|tok:{tok}"} for side in sides},
            decoding={"beam": 5},
            provenance={"version": "0.1.0"},
        )

    return make
