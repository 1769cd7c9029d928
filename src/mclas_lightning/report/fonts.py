"""Fonts of this machine that have the letters of words in pictures, whatever their script."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache

from matplotlib import font_manager
from matplotlib.font_manager import FontEntry, FontProperties, fontManager

PICTURES = "Last Resort"  # matplotlib's own font, which has a picture for each script

BOX = "\u25a1"  # stands for a letter that no font has


def families(words: Iterable[str]) -> list[str]:
    """Names of fonts that together have the letters of ``words``, as far as fonts have them."""
    return ["sans-serif", *dict.fromkeys(filter(None, map(_family, _lacking(words))))]


def drawable(words: Iterable[str]) -> list[str]:
    """Words with a box for each letter that no font has."""
    words = list(words)
    boxes = str.maketrans(dict.fromkeys(_without_font(words), BOX))
    return [word.translate(boxes) for word in words]


def lacks_font(words: Iterable[str]) -> bool:
    """Whether ``words`` have a letter that no font of this machine has."""
    return any(_without_font(words))


def _without_font(words: Iterable[str]) -> Iterator[str]:
    return (letter for letter in _lacking(words) if _family(letter) is None)


def _lacking(words: Iterable[str]) -> list[str]:
    """The letters that matplotlib's own font lacks."""
    own = font_manager.get_font(font_manager.findfont(FontProperties(family=["sans-serif"])))
    return [c for c in sorted(set("".join(words))) if not own.get_char_index(ord(c))]


@cache
def _family(letter: str) -> str | None:
    """The name of a font that has ``letter``; None where no font of this machine has it."""
    for entry in _fonts():
        with suppress(OSError, RuntimeError):  # files that are no fonts, or damaged
            if font_manager.get_font(entry.fname).get_char_index(ord(letter)):
                return entry.name
    return None


@cache
def _fonts() -> list[FontEntry]:
    """All fonts of this machine, upright ones without serifs first.

    Fonts that were installed after matplotlib had listed all of them are added to its list.
    """
    known = {entry.fname for entry in fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            with suppress(OSError, RuntimeError):
                fontManager.addfont(path)

    def oddity(entry: FontEntry) -> tuple[bool, bool, bool, str]:
        plain = entry.weight in (400, "normal", "regular")
        return "Sans" not in entry.name, entry.style != "normal", not plain, entry.name

    return sorted((e for e in fontManager.ttflist if not e.name.startswith(PICTURES)), key=oddity)
