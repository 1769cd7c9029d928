from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from mclas_lightning.report.heads_table import heads_sheet, heads_sheets, rank_correlation
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


def ablated(side: str, sign: float = 1) -> dict[str, Any]:
    change = {
        "loss": {side: [[0.3 * sign, 0.0], [0.2, 0.1]]},
        "rouge1": {side: [[-0.05, 0.01], [0.0, 0.02]]},
    }
    without_rouge = {"loss": change["loss"]}
    changes = {
        "zero": {"self": change, "cross": change},
        "mean": {"self": without_rouge, "cross": without_rouge},
    }
    return {"num": 9, "loss": {side: 1.25}, "rouge1": {side: 0.5}, "change": changes}


def test_the_ablation_stands_in_a_table_for_each_replacement():
    assert len(heads_sheets(FOUND)) == 1
    _, zero, mean = heads_sheets(replace(FOUND, ablation={"decoder": ablated("cross")}))
    for sheet, row, names in (
        (
            zero,
            ("translation", "1.1", "+0.300", "-5.00", "+1.00", "-0.80"),
            ["best", "loss S^B", "R-1 S^B", "corr. loss S^B", "corr. R-1 S^B"],
        ),
        (mean, ("translation", "1.1", "+0.300", "+1.00"), ["best", "loss S^B", "corr. loss S^B"]),
    ):
        assert [found for section in sheet.sections for found in section.rows] == [row]
        assert [column.name for column in sheet.columns] == names
        assert "With all heads, on 9 documents: loss S^B 1.250, R-1 S^B 50.00." in sheet.notes
    assert ["replaced by zero" in zero.title, "replaced by their mean" in mean.title] == [True] * 2


def test_no_minus_stands_before_a_zero():
    change = {"loss": {"cross": [[-0.0004, 0.1], [0.0, -0.2]]}}
    ablation = ablated("cross")
    ablation["change"]["mean"] = {"self": change, "cross": change}
    *_, mean = heads_sheets(replace(FOUND, ablation={"decoder": ablation}))
    assert mean.sections[0].rows[0][2] == "+0.000"


def test_each_decoder_has_its_own_tables():
    two = {"first": FOUND.decoders["decoder"], "second": FOUND.decoders["decoder"]}
    ablation = {"first": ablated("mono"), "second": ablated("cross", -1)}
    sheets = heads_sheets(replace(FOUND, decoders=two, ablation=ablation))
    assert [sheet.title.split(", ")[-1] for sheet in sheets] == [
        *["decoder first"] * 3, *["decoder second"] * 3,
    ]  # fmt: skip
    assert len({sheet.name for sheet in sheets}) == 6
    changes = [sheets[i].sections[0].rows[0][2] for i in (1, 4)]
    assert changes == ["+0.300", "-0.300"]


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 3, 7))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)  # pyright: ignore
    assert rank_correlation(a, np.ones((3, 7))) == 0
