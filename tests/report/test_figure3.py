import re

import numpy as np
import pytest
from PIL import Image

from benchmarks.runs import write_runs
from mclas_lightning.errors import InputError
from mclas_lightning.report import figure3
from mclas_lightning.report.finished_runs import Runs

PLACES = [(system.scenario, system.model) for system in figure3.FIGURE3_LAYOUT.systems]
SCRATCH = [place for place in PLACES if place[1].endswith("_scratch")]


@pytest.fixture
def grids(tmp_path):
    def make(places, *datasets):
        write_runs(tmp_path, ["en2desum"], places, [0, 1], num=23)
        return figure3.grids(list(datasets), Runs(tmp_path), "standard")

    return make


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_columns_are_gray_and_lines_have_no_color(tmp_path, grids):
    figure3.save(tmp_path / "all.png", grids(PLACES))
    found = pixels(tmp_path / "all.png")
    assert (found.max(axis=2) - found.min(axis=2)).max() <= 8  # nothing but grays
    for face in figure3.FACES:
        gray = int(face[1:3], 16)
        assert (np.abs(found - gray).max(axis=2) <= 2).sum() > 1000


def test_without_runs_from_scratch_there_are_no_columns(tmp_path, grids):
    initialized = [place for place in PLACES if place not in SCRATCH]
    figure3.save(tmp_path / "lines.png", grids(initialized))
    lines = pixels(tmp_path / "lines.png")
    figure3.save(tmp_path / "both.png", grids(SCRATCH))
    both = pixels(tmp_path / "both.png")
    gray = int(figure3.FACES[2][1:3], 16)
    few, many = ((np.abs(p - gray).max(axis=2) <= 2).sum() for p in (lines, both))
    assert many > 5 * few


def test_the_drawing_in_a_page_takes_the_color_of_its_text_and_loads_nothing(grids):
    text = figure3.svg(grids(PLACES, "en2desum"))
    assert text.startswith("<svg")
    assert "currentColor" in text
    assert "#000000" not in text
    assert not re.search(r'(href|src)="(?!#)', text)
    assert text.count("En2DeSum, R-") == 3


def test_a_place_in_the_figure_is_a_mean_over_seeds(tmp_path, grids):
    (grid,) = grids(PLACES, "en2desum")
    score = figure3.FIGURE3_LAYOUT.scores[0]
    places, means, spreads = figure3._scenario_points(grid, score, "mclas_scratch")
    runs = [run for run in Runs(tmp_path).all if run.model == "mclas_scratch"]
    expected = [
        100 * np.mean([r.scores["cross"]["rouge1_f"] for r in runs if r.scenario == scenario])
        for scenario in ("minimum", "medium", "maximum")
    ]
    assert places == [0, 1, 2]
    assert means == pytest.approx(expected)
    assert min(spreads) > 0


def test_what_is_missing_is_counted_and_made_by_a_command(tmp_path, grids):
    found = grids(PLACES[:3])
    sheets = figure3.sheets(found, Runs(tmp_path))
    assert [sheet.name for sheet in sheets] == ["figure3-en2desum", "figure3-zh2ensum"]
    assert [sheet.missing for sheet in sheets] == [15 * 3, 18 * 3]
    assert any("model=ncls_scratch,ncls_ms_scratch,mclas_scratch" in c for c in sheets[0].commands)


def test_equal_runs_make_equal_files(tmp_path, grids):
    found = grids(PLACES)
    for name in ("a.svg", "b.svg"):
        figure3.save(tmp_path / name, found)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_an_ending_that_is_no_format_is_refused(tmp_path, grids):
    with pytest.raises(InputError, match=r"\.svg, \.png, \.pdf"):
        figure3.save(tmp_path / "figure.jpg", grids(PLACES[:1]))
    assert not (tmp_path / "figure.jpg").exists()
