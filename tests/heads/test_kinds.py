"""Synthetic maps of a known kind."""

import numpy as np
import pytest

from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.heads.kinds import cross_scores, self_scores
from tests.heads.conftest import words_with

A, B, V = 7, 5, 13  # words of S^A, S^B and the document with [CLS] and [SEP]
T = A + B + 2
ALIGNED = {(0, 6), (1, 0), (2, 3), (3, 5), (4, 1)}  # of S^B and S^A, far from the diagonal
NOISE = 0.2
WINDOW = 3
LSEP, FIRST, SECOND = A + 1, 1, A + 2  # [BOS] is at 0.


TARGET = words_with(["[BOS]", *"a" * A, "[LSEP]", *"b" * B], [0] * (A + 1) + [1] * (B + 1))
SOURCE = words_with(["[CLS]", *"d" * (V - 2), "[SEP]"], [0] * V)


def noisy(map_: np.ndarray, causal: bool) -> np.ndarray:
    """The map as one of one layer and one head, a fifth of its mass spread at random."""
    rng = np.random.default_rng(0)
    noise = rng.random(map_.shape)
    noise = np.tril(noise) if causal else noise
    mixed = (1 - NOISE) * map_ + NOISE * noise / noise.sum(1, keepdims=True)
    return mixed[None, None]


def self_map(kind: str) -> np.ndarray:
    found = np.tril(np.ones((T, T))) / np.arange(1, T + 1)[:, None]  # uniform
    for row in range(T):
        if kind == "self":
            found[row] = np.eye(T)[row]
        elif kind == "local" and row > 0:
            found[row] = np.eye(T)[max(row - 2, 0)]
        elif kind == "separator" and row >= LSEP:
            found[row] = np.eye(T)[LSEP]
    for j, i in ALIGNED:
        if kind in ("translation", "translation_ahead"):
            found[SECOND + j - (kind == "translation_ahead")] = np.eye(T)[FIRST + i]
    return found


def diagonal_map() -> np.ndarray:
    found = self_map("uniform")
    for j in range(B):
        found[SECOND + j] = np.eye(T)[FIRST + (2 * j + 1) * A // (2 * B)]
    return found


def scored(self_map: np.ndarray, cross_map: np.ndarray) -> dict[str, float]:
    maps = DocumentMaps(TARGET, SOURCE, noisy(self_map, True), noisy(cross_map, False))
    found = self_scores(maps, ALIGNED, WINDOW)
    found |= {f"cross {name}": values for name, values in cross_scores(maps, {(0, 2)}).items()}
    return {name: float(values[0, 0]) for name, values in found.items()}


UNIFORM = np.full((T, V), 1 / V)
KINDS = ("self", "local", "separator", "translation", "translation_ahead")


@pytest.mark.parametrize("kind", KINDS)
def test_a_noisy_head_is_of_its_kind_alone(kind):
    found = scored(self_map(kind), UNIFORM)
    assert found[kind] > 0.4
    assert all(found[other] < 0.2 for other in KINDS if other != kind), found


def test_a_uniform_head_is_of_no_kind():
    found = scored(self_map("uniform"), UNIFORM)
    assert all(abs(value) < 0.1 for value in found.values()), found


def test_a_head_that_follows_the_diagonal_does_not_translate():
    assert scored(diagonal_map(), UNIFORM)["translation"] < 0


def test_a_head_on_the_same_words_for_both_sides_summarizes():
    cross = np.full((T, V), 1 / V)
    cross[:, :] = np.eye(V)[4]
    found = scored(self_map("uniform"), cross)
    assert found["cross summarization"] > 0.5
    assert abs(found["cross translation"]) < 0.1


def test_a_head_on_the_document_for_one_side_translates():
    cross = UNIFORM.copy()
    cross[:LSEP] = np.eye(V)[2 + np.arange(LSEP)]
    found = scored(self_map("uniform"), cross)
    assert found["cross translation"] > 0.5
    assert found["cross summarization"] < 0.1


def test_attention_to_control_tokens_is_no_focus():
    cross = np.tile(np.eye(V)[V - 1], (T, 1))
    found = scored(self_map("uniform"), cross)
    assert found["cross summarization"] == 0
    assert abs(found["cross translation"]) < 0.1


def test_a_head_finds_a_words_counterpart_in_the_document():
    cross = UNIFORM.copy()
    cross[SECOND] = np.eye(V)[1 + 2]
    assert scored(self_map("uniform"), cross)["cross lookup"] > 0.5


def test_a_decoder_of_one_side_has_local_self_and_lookup_scores_alone():
    target = TARGET._replace(side_W=np.zeros(T, dtype=int))
    maps = DocumentMaps(target, SOURCE, noisy(self_map("self"), True), noisy(UNIFORM, False))
    assert self_scores(maps, set(), WINDOW).keys() == {"self", "local"}
    assert cross_scores(maps, set()) == {}
    cross = UNIFORM.copy()
    cross[3] = np.eye(V)[1 + 2]  # The third word looks at the document's third.
    found = cross_scores(maps._replace(cross_LHWV=noisy(cross, False)), {(2, 2)})
    assert found.keys() == {"lookup", "lookup_ahead"}
    assert float(found["lookup"][0, 0]) > 0.5 > float(found["lookup_ahead"][0, 0])
