import pytest
from matplotlib.figure import Figure

from mclas_lightning.errors import InputError
from mclas_lightning.report.drawing import save_figure, svg_element


def draw() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("one & two")
    return figure


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_equal_figures_are_equal_files(tmp_path, ending):
    for name in ("a", "b"):
        save_figure(tmp_path / f"{name}.{ending}", draw)
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_an_unknown_ending_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(InputError, match=r"a figure is written as \.svg, \.png, \.pdf"):
        save_figure(tmp_path / "a.gif", lambda: pytest.fail("drawn"))
    assert not list(tmp_path.iterdir())


def test_an_element_keeps_its_text_and_takes_the_color_around_it():
    text = svg_element(draw)
    assert text.startswith("<svg")
    assert "one &amp; two" in text
    assert "currentColor" in text
