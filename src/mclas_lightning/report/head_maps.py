"""Figures 5, 6, 9 and 10: attention of the decoder's heads on one document; darker is stronger.

Shape letters: L layers, H heads, W words of the target, V words of the source, R rows, C columns.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from mclas_lightning.errors import InputError
from mclas_lightning.report.drawing import INK, save_figure, svg_element
from mclas_lightning.report.fonts import drawable, families
from mclas_lightning.runs.heads import HeadsResults, ShownMaps, strongest

Head = tuple[int, int]  # layer and head, from 0

# Of each figure: the attention, and the kinds that have a panel; without kinds, all heads have one.
FIGURES: dict[int, tuple[str, tuple[str, ...]]] = {
    5: ("self", ("translation", "local", "self")),
    6: ("cross", ("summarization", "translation")),
    9: ("self", ()),
    10: ("cross", ()),
}

SHADES = PowerNorm(0.5, vmin=0, vmax=1)  # diffuse attention stays visible beside a single word

SEEN = 0.1  # The end of a document is left out from where no head gives a word so much.

WORD = 0.16  # inches of a word at an axis


class Panel(NamedTuple):
    """The picture of one head, with the words at its axes."""

    title: str
    weights_RC: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


def head_named(text: str) -> Head:
    """The head of a name such as ``2.3``, layer and head from 1; InputError for another text."""
    if not re.fullmatch(r"[1-9]\d*\.[1-9]\d*", text):
        raise InputError(f"'{text}': no head; expected layer.head, counted from 1, such as 2.3")
    layer, head = map(int, text.split("."))
    return layer - 1, head - 1


def has_kinds(number: int, found: HeadsResults) -> bool:
    """Whether a run's heads have a kind of this figure; figures of all heads need none."""
    attention, kinds = FIGURES[number]
    return not kinds or any(kind in found.scores(attention) for kind in kinds)


def panels(
    number: int, found: HeadsResults, shown: ShownMaps, named: Sequence[Head] = ()
) -> list[Panel]:
    """A figure's panels: the ``named`` heads, else the strongest of each kind, else all heads."""
    attention, kinds = FIGURES[number]
    if named and not kinds:
        raise InputError(f"figure {number} shows all heads; give --head to figure 5 or 6")
    maps = shown.self_LHWW if attention == "self" else shown.cross_LHWV.swapaxes(-1, -2)
    layers, heads = maps.shape[:2]
    if kinds and not named:
        chosen = [
            (kind, strongest(found.scores(attention), kind))
            for kind in kinds
            if kind in found.scores(attention)
        ]
        titles = [
            (f"{kind}, {_name(best[:2])} ({best.score:.2f})", best[:2]) for kind, best in chosen
        ]
    else:
        every = named or [(layer, head) for layer in range(layers) for head in range(heads)]
        titles = [(_name(head), head) for head in every]
    if not titles:
        raise InputError(
            f"{found.run['model']}: its decoder does not write S^A and then S^B, so that no head "
            f"has a kind of Figure {number}; name heads with --head, such as --head 1.1"
        )
    if beyond := [_name(head) for _, head in titles if head[0] >= layers or head[1] >= heads]:
        raise InputError(f"head {beyond[0]}: the decoder has {layers} layers of {heads} heads")
    rows, columns = shown.of["target"], shown.of["target"]
    if attention == "cross":
        rows = shown.of["source"][: _informative(maps)]
    return [Panel(title, maps[head][: len(rows)], rows, columns) for title, head in titles]


def save_maps(path: Path, number: int, drawn: Sequence[Panel], lsep: int) -> None:
    """Draw the panels into a file; ``lsep`` is the place of [LSEP] among the target's words."""
    save_figure(path, lambda: _draw(number, drawn, lsep))


def maps_svg(number: int, drawn: Sequence[Panel], lsep: int) -> str:
    """The panels as an ``<svg>`` element."""
    return svg_element(lambda: _draw(number, drawn, lsep))


def drawn_words(number: int, drawn: Sequence[Panel]) -> list[str]:
    """The words at the axes of the panels; a figure of all heads has none."""
    labeled = drawn if FIGURES[number][1] else ()
    return [word for panel in labeled for word in (*panel.rows, *panel.columns)]


def lsep_place(of: dict[str, Any]) -> int:
    """The place of [LSEP] in an entry of ``shown``: the number of words before it."""
    return of["target_sides"].count(0)


def _name(head: Head) -> str:
    return f"{head[0] + 1}.{head[1] + 1}"


def _informative(maps_LHRC: np.ndarray) -> int:
    """The number of words of the document up to the last that a head looks at."""
    seen = (maps_LHRC[..., :-1, :].max((0, 1, 3)) >= SEEN).nonzero()[0]
    return int(seen[-1]) + 1 if len(seen) else maps_LHRC.shape[2]


def _draw(number: int, drawn: Sequence[Panel], lsep: int) -> Figure:
    attention, kinds = FIGURES[number]
    rows, columns = len(drawn[0].rows), len(drawn[0].columns)
    labeled = bool(kinds)
    grid = (1, len(drawn)) if labeled else _grid(drawn)
    width, height = (1.2 + WORD * columns, 1.5 + WORD * rows) if labeled else (1.2, 1.4)
    # A label has the fonts of the time at which its axis was made.
    with mpl.rc_context({"font.family": families(drawn_words(number, drawn))}):
        figure = Figure(figsize=(width * grid[1], height * grid[0]), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(*grid, squeeze=False)
        # The bottom row is the lowest layer, as in the paper.
        for place, panel in zip(axes[::-1].flat, drawn, strict=True):
            _panel(place, panel, labeled)
            place.axvline(lsep, color=INK, linewidth=0.5, linestyle=":")
            if attention == "self":
                place.axhline(lsep, color=INK, linewidth=0.5, linestyle=":")
    return figure


def _grid(drawn: Sequence[Panel]) -> tuple[int, int]:
    """Layers and heads of all panels."""
    layers, heads = head_named(drawn[-1].title)
    return layers + 1, heads + 1


def _panel(axes: Axes, panel: Panel, labeled: bool) -> None:
    axes.set_title(panel.title, fontsize=9 if labeled else 7)
    axes.imshow(panel.weights_RC, cmap="Greys", norm=SHADES, aspect="auto", interpolation="nearest")
    if not labeled:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.set_xticks(range(len(panel.columns)), _labels(panel.columns), fontsize=7, rotation=90)
    axes.set_yticks(range(len(panel.rows)), _labels(panel.rows), fontsize=7)


def _labels(words: Sequence[str]) -> list[str]:
    """Words as labels; a $ would open mathematics."""
    return [word.replace("$", r"\$") for word in drawable(words)]
