"""docs/metrics.md says what is so."""

import re
from pathlib import Path

import pytest

from benchmarks.default_rouge import LANGUAGES, rows
from mclas_lightning.metrics.rouge import standard_profile

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def computed() -> list[str]:
    return rows()


def test_its_table_is_what_the_program_computes(computed):
    assert [line for line in PAGE.splitlines() if re.match(r"\| (en|de|zh) \|", line)] == computed


def test_only_a_language_that_is_ascii_survives_rouge_scores_tokenizer(computed):
    cells = {tuple(row.split(" | ")[:2]): row.split(" | ")[2:] for row in computed}
    for language in LANGUAGES:
        default, *ours = cells[f"| {language}", "itself"]
        assert ours == ["100.0 / 100.0 / 100.0", "100.0 / 100.0 / 100.0 |"]
        assert (default == ours[0]) == (language != "zh")
    first = {key: float(row[0].split(" / ")[0]) for key, row in cells.items()}
    ours = {key: float(row[1].split(" / ")[0]) for key, row in cells.items()}
    assert first["| de", "another"] > ours["| de", "another"]
    assert first["| en", "another"] == ours["| en", "another"]


def test_its_signature_is_of_this_version():
    pattern = re.compile(r"sentencex:[\d.]+\|rouge-score:[\d.]+")
    shown = pattern.sub("", PAGE)
    assert pattern.sub("", standard_profile("de").signature) in shown
