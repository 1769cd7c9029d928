"""Scores of one document's heads: how much each looks at what its kind looks at.

Every score is attention minus what a head would give without knowing anything, so that 0 is chance.
docs/heads.md has the formulas.

Shape letters: L layers, H heads, W words of the target, V words of the source.
"""

import numpy as np

from mclas_lightning.heads.alignment import Links, diagonal_place
from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.heads.words import Array, Places
from mclas_lightning.runs.heads import AHEAD

Scores = dict[str, Array]  # [L, H] by name; a score that the document does not have is absent


def self_scores(maps: DocumentMaps, links: Links, window: int) -> Scores:
    """Scores of self-attention; ``links`` are of places within S^B and S^A."""
    weights, target = maps.self_LHWW, maps.target
    num = len(target.labels)
    uniform_W = 1 / np.arange(1, num + 1)
    before = sum(np.diagonal(weights, -d, -2, -1)[..., window - d :] for d in range(1, window + 1))
    scores = {"self": (np.diagonal(weights, 0, -2, -1) - uniform_W)[..., 1:].mean(-1)}
    if num > window + 1:  # The first rows have no other words to look at.
        local = before - window * uniform_W[window:]
        scores["local"] = local[..., 1:].mean(-1)
    if target.side_W[-1] == 0:
        return scores
    first, second = target.places(0), target.places(1)
    if len(second):
        rows = weights[..., second, :]
        lsep = int((target.side_W == 0).sum())
        scores["separator"] = (rows[..., lsep] - uniform_W[second]).mean(-1)
    scores |= _aligned(weights, second, first, links, "translation")
    return scores


def cross_scores(maps: DocumentMaps, links: Links) -> Scores:
    """Scores of encoder-decoder attention; ``links`` are of places within S^B and the document."""
    target, source = maps.target, maps.source
    last = int(target.side_W[-1])
    lookup = _aligned(maps.cross_LHWV, target.places(last), source.places(), links, "lookup")
    if last == 0:
        return lookup
    uniform = 1 / len(source.labels)
    text_LHWV = maps.cross_LHWV[..., source.is_text_W]
    # [BOS] predicts the first word of S^A, [LSEP] that of S^B.
    by_side = [text_LHWV[..., target.side_W == side, :] for side in (0, 1)]
    first, second = (rows.mean(-2) for rows in by_side)
    focus = [np.maximum(rows - uniform, 0).sum(-1).mean(-1) for rows in by_side]
    return {
        "summarization": np.maximum(np.minimum(first, second) - uniform, 0).sum(-1),
        "translation": focus[0] - focus[1],
        **lookup,
    }


def _aligned(weights: Array, rows: Places, columns: Places, links: Links, name: str) -> Scores:
    """Mass from words of S^B to their aligned words, above chance and above position.

    Chance spreads a row's mass on ``columns`` evenly. Position is what the word on the diagonal
    gets, where that is not an aligned word.
    """
    of_word: dict[int, list[int]] = {}
    for j, i in links:
        of_word.setdefault(j, []).append(i)
    if not of_word:
        return {}
    found: dict[str, list[Array]] = {name: [], name + AHEAD: []}
    for j, aligned in of_word.items():
        straight = diagonal_place(j, len(columns), len(rows))
        for key, row in ((name, rows[j]), (name + AHEAD, rows[j] - 1)):
            mass = weights[..., row, :][..., columns]
            rival = mass.sum(-1) * len(aligned) / len(columns)
            if straight not in aligned:
                rival = np.maximum(rival, mass[..., straight])
            found[key].append(mass[..., aligned].sum(-1) - rival)
    return {key: np.mean(values, axis=0) for key, values in found.items()}
