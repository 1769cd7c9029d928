"""A made-up analysis of heads: two layers of three heads, one document with known maps."""

from pathlib import Path
from typing import Any

import numpy as np

from mclas_lightning.runs.heads import HeadsResults

TARGET = ["[BOS]", "Munich", "burns", "[LSEP]", "慕尼黑", "$5", "brennt"]
SOURCE = ["[CLS]", "<b>fire</b>", "in", "Munich", "on", "Monday", "[SEP]"]
SIDES = [0, 0, 0, 1, 1, 1, 1]


def score(mean: list[list[float]]) -> dict[str, Any]:
    return {"num": 3, "mean": mean, "low": mean, "high": mean, "share": mean}


def made_up_analysis(folder: Path, *, one_side: bool = False) -> HeadsResults:
    """The analysis, written into ``folder``; ``one_side`` is as of NCLS."""
    rng = np.random.default_rng(0)
    self_LHWW = np.tril(rng.random((2, 3, 7, 7))) + 1e-3 * np.eye(7)
    cross_LHWV = rng.random((2, 3, 7, 7))
    cross_LHWV[..., 4:6] = 0  # No head looks at "on Monday".
    maps = [each / each.sum(-1, keepdims=True) for each in (self_LHWW, cross_LHWV)]
    of_self = {
        "local": score([[0.1, 0.2, 0.3], [0.4, 0.1, 0.0]]),
        "self": score([[0.0, 0.5, 0.3], [0.0, 0.1, 0.0]]),
    }
    of_cross = {}
    if not one_side:
        of_self["translation"] = score([[0.0, 0.1, 0.0], [0.1, 0.0, 0.3]])
        of_self["translation_ahead"] = score([[0.0, 0.1, 0.0], [0.1, 0.7, 0.3]])
        of_cross["summarization"] = score([[0.3, 0.1, 0.0], [0.1, 0.0, 0.2]])
        of_cross["translation"] = score([[0.0, 0.1, 0.0], [0.1, 0.0, 0.2]])
    gold = {"self": of_self, "cross": of_cross}
    thresholds: dict[str, float] = dict.fromkeys(("translation", "local", "self", "separator"), 0.2)
    found = HeadsResults(
        run={"dataset": "toy_en2de", "scenario": "minimum", "model": "mclas", "seed": 0},
        thresholds={"self": thresholds, "cross": {"summarization": 0.2, "translation": 0.2}},
        decoders={"decoder": {"gold": gold, "own": gold}},
        shown=[
            {"id": "a", "decoder": "decoder", "target": TARGET, "target_sides": SIDES,
             "source": SOURCE, "links": [[4, 1], [6, 2]]},
        ],
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    found.write(folder, [(maps[0], maps[1])])
    return found
