import numpy as np

from mclas_lightning.heads.counterparts import WAYS, looking_at, looking_up, reading_alike
from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.runs.heads import ATTENTIONS
from tests.heads.conftest import words_with

TARGET = words_with(["[BOS]", "a", "b", "[LSEP]", "x", "y"], [0, 0, 0, 1, 1, 1])
SOURCE = words_with(["[CLS]", "1", "2", "[SEP]"], [0] * 4)
RANDOM = np.random.default_rng(0)
MAPS = DocumentMaps(TARGET, SOURCE, RANDOM.random((2, 3, 6, 6)), RANDOM.random((2, 3, 6, 4)))


def test_rows_are_those_of_words_or_of_the_words_before():
    self_LHWW, cross_LHWV = MAPS.self_LHWW, MAPS.cross_LHWV
    np.testing.assert_array_equal(looking_at(MAPS, 0), self_LHWW[:, :, 4:6, 1:3])
    np.testing.assert_array_equal(looking_at(MAPS, 1), self_LHWW[:, :, 3:5, 1:3])
    np.testing.assert_array_equal(looking_up(MAPS, 0), cross_LHWV[:, :, 4:6, 1:3])
    np.testing.assert_array_equal(looking_up(MAPS, 1), cross_LHWV[:, :, 3:5, 1:3])


def test_words_read_alike_by_the_overlap_of_their_rows_on_the_document():
    alike = reading_alike(MAPS, 1)
    assert alike.shape == (2, 3, 2, 2)
    y, a = MAPS.cross_LHWV[1, 2, 4, 1:3], MAPS.cross_LHWV[1, 2, 0, 1:3]
    np.testing.assert_allclose(alike[1, 2, 1, 0], np.sqrt(y * a).sum())


def test_a_way_is_of_an_attention():
    assert {way.attention for way in WAYS.values()} == {*ATTENTIONS}
