import pytest
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

from mclas_lightning.report import fonts
from mclas_lightning.report.fonts import BOX, drawable, families, lacks_font

NOWHERE = "\U0010fffe"  # no character


def has(family: str, letter: str) -> bool:
    found = font_manager.get_font(
        font_manager.findfont(FontProperties(family=[family]), fallback_to_default=False)
    )
    return bool(found.get_char_index(ord(letter)))


def test_letters_of_the_usual_font_need_no_other():
    assert families(["Straße", "Одеса", "شرطة", "שלום"]) == ["sans-serif"]
    assert drawable(["Straße"]) == ["Straße"]


@pytest.mark.skipif(lacks_font(["港"]), reason="no font with Chinese letters on this machine")
def test_letters_of_other_scripts_have_a_font_that_has_them():
    found = families(["港の", "한국"])
    assert any(has(family, "港") for family in found[1:])
    assert drawable(["港の"]) == ["港の"]


def test_a_letter_without_a_font_is_a_box():
    assert lacks_font(["a", f"b{NOWHERE}c"])
    assert drawable(["a", f"b{NOWHERE}c"]) == ["a", f"b{BOX}c"]
    assert families([NOWHERE]) == ["sans-serif"]


def test_fonts_that_were_installed_later_are_found(monkeypatch):
    path = font_manager.findfont("DejaVu Sans")
    entries = [e for e in font_manager.fontManager.ttflist if e.fname != path]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [path])
    fonts._fonts.cache_clear()
    try:
        assert any(entry.fname == path for entry in fonts._fonts())
    finally:
        fonts._fonts.cache_clear()
