from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from mclas_lightning.report.heads_table import (
    heads_sheet,
    heads_sheets,
    rank_correlation,
    strongest,
)
from mclas_lightning.report.render import sheets_as_text
from mclas_lightning.runs.heads import HeadsResults


def score(mean, low, share):
    return {"num": 3, "mean": mean, "low": low, "high": mean, "share": share}


FOUND = HeadsResults(
    run={"dataset": "toy_en2de", "scenario": "minimum", "model": "mclas", "seed": 1},
    thresholds={"self": {"translation": 0.2, "separator": 0.2}, "cross": {"summarization": 0.2}},
    decoders={
        "decoder": {
            "gold": {
                "self": {
                    "translation": score([[0.5, 0.0], [0.25, 0.15]], [[0.4, 0], [0.1, 0]],
                                         [[1.0, 0.1], [0.5, 0.3]]),
                },
                "cross": {},
            },
            "own": {"self": {"translation": score([[0.5, 0], [0, 0]], [[0, 0]] * 2, [[0, 0]] * 2)}},
        }
    },
    alignment={"best head": 0.25, "diagonal": 0.5},
    notes=["2 of 9 documents are longer"],
)  # fmt: skip


def test_counts_stand_beside_the_papers():
    rows = [row for section in heads_sheet(FOUND).sections for row in section.rows]
    assert rows[0] == (
        *("translation", "23 of 48", "2 of 4", "50.0%", "1", "75%", "1", "3", "1"),
        *("1.1", "0.50"),
    )
    assert rows[1][:3] == ("separator", "-", "-")
    assert rows[2][:3] == ("summarization", "28 of 48", "-")


def test_notes_say_what_the_counts_are_and_what_was_left_out():
    text = sheets_as_text([heads_sheet(FOUND)], "markdown")
    assert "The paper told kinds apart by eye" in text
    assert "best head 0.250, diagonal 0.500" in text
    assert "2 of 9 documents are longer" in text
    assert "Alignment error" not in sheets_as_text(
        [heads_sheet(replace(FOUND, alignment={}))], "md"
    )


def test_the_strongest_head_is_found():
    assert strongest(FOUND, "self", "translation") == ((0, 0), 0.5)


def test_the_ablation_stands_in_a_table_of_its_own():
    assert len(heads_sheets(FOUND)) == 1
    change = {"cross": [[0.3, 0.0], [0.2, 0.1]]}
    ablation = {"num": 9, "loss": {"cross": 1.25}, "change": {"self": change, "cross": change}}
    _, sheet = heads_sheets(replace(FOUND, ablation={"decoder": ablation}))
    rows = [row for section in sheet.sections for row in section.rows]
    assert rows == [("translation", "1.1", "-", "+0.300", "-", "+1.00")]
    assert "With all heads, on 9 documents: cross 1.250." in sheet.notes


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 3, 7))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)  # pyright: ignore
    assert rank_correlation(a, np.ones((3, 7))) == 0
