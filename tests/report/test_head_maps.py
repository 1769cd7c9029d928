import re

import numpy as np
import pytest
from PIL import Image

from mclas_lightning.errors import InputError
from mclas_lightning.report import fonts
from mclas_lightning.report.head_maps import head_named, maps_svg, panels, save_maps
from tests.report.analyses import SOURCE, TARGET, made_up_analysis


@pytest.fixture
def analysis(tmp_path):
    found = made_up_analysis(tmp_path / "run")
    return found, found.maps(tmp_path / "run")


def test_figure_5_has_the_strongest_head_of_each_kind(analysis):
    found, shown = analysis
    drawn = panels(5, found, shown)
    assert [panel.title for panel in drawn] == [
        "translation, 2.2 (0.70)", "local, 2.1 (0.40)", "self, 1.2 (0.50)",
    ]  # fmt: skip
    for panel, head in zip(drawn, ((1, 1), (1, 0), (0, 1)), strict=True):
        np.testing.assert_array_equal(panel.weights_RC, shown.self_LHWW[head])
        assert panel.rows == panel.columns == TARGET


def test_figure_6_has_the_document_up_to_its_last_word_that_a_head_sees(analysis):
    found, shown = analysis
    drawn = panels(6, found, shown)
    assert [panel.title for panel in drawn] == [
        "summarization, 1.1 (0.30)",
        "translation, 2.3 (0.20)",
    ]
    assert drawn[0].rows == SOURCE[:4]
    assert drawn[0].columns == TARGET
    np.testing.assert_array_equal(drawn[0].weights_RC, shown.cross_LHWV[0, 0].T[:4])


@pytest.mark.parametrize(("number", "maps"), [(9, "self_LHWW"), (10, "cross_LHWV")])
def test_figures_9_and_10_have_all_heads(analysis, number, maps):
    found, shown = analysis
    drawn = panels(number, found, shown)
    assert [panel.title for panel in drawn] == ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"]
    last = getattr(shown, maps)[1, 2]
    expected = last if number == 9 else last.T[: len(drawn[0].rows)]
    np.testing.assert_array_equal(drawn[-1].weights_RC, expected)


def test_heads_are_named_from_one(analysis):
    found, shown = analysis
    (panel,) = panels(5, found, shown, [head_named("1.3")])
    np.testing.assert_array_equal(panel.weights_RC, shown.self_LHWW[0, 2])
    for text in ("0.1", "1", "a.b", "1.2.3"):
        with pytest.raises(InputError, match=r"expected layer\.head, counted from 1"):
            head_named(text)
    with pytest.raises(InputError, match=r"head 3\.1: the decoder has 2 layers of 3 heads"):
        panels(6, found, shown, [(2, 0)])
    with pytest.raises(InputError, match="figure 9 shows all heads; give --head to figure 5 or 6"):
        panels(9, found, shown, [(0, 0)])


def test_a_decoder_of_one_side_has_no_figure_6(tmp_path):
    found = made_up_analysis(tmp_path, one_side=True)
    with pytest.raises(InputError, match="no head has a kind of Figure 6; name heads with --head"):
        panels(6, found, found.maps(tmp_path))
    assert len(panels(5, found, found.maps(tmp_path))) == 2


def test_darker_is_stronger_and_a_whole_word_is_black(tmp_path, analysis):
    found, shown = analysis
    one = shown._replace(self_LHWW=np.broadcast_to(np.eye(7), (2, 3, 7, 7)))
    save_maps(tmp_path / "a.png", 9, panels(9, found, one), 3)
    black = (np.asarray(Image.open(tmp_path / "a.png").convert("L")) < 8).sum()
    none = shown._replace(self_LHWW=np.zeros((2, 3, 7, 7)))
    save_maps(tmp_path / "b.png", 9, panels(9, found, none), 3)
    frames = (np.asarray(Image.open(tmp_path / "b.png").convert("L")) < 8).sum()
    assert black > 2 * frames


def test_words_are_text_whatever_they_hold(analysis, monkeypatch):
    found, shown = analysis
    text = maps_svg(6, panels(6, found, shown), 3)
    assert "&lt;b&gt;fire&lt;/b&gt;" in text
    assert not re.search(r'(href|src)="(?!#|data:)', text)
    monkeypatch.setattr(fonts, "_fonts", list)
    fonts._family.cache_clear()
    boxes = maps_svg(5, panels(5, found, shown), 3)
    fonts._family.cache_clear()
    assert "\u25a1\u25a1\u25a1" in boxes
    assert "慕" not in boxes
