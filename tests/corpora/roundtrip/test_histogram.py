import numpy as np
from PIL import Image

from mclas_lightning.corpora.roundtrip.histogram import draw_scores


def test_the_picture_shows_what_is_kept_and_what_is_not(tmp_path):
    rng = np.random.default_rng(0)
    scores = rng.random((500, 2))
    for name, thresholds in (("few", (0.9, 0.9)), ("many", (0.1, 0.1))):
        draw_scores(tmp_path / f"{name}.png", scores, thresholds)
    blue = {}
    for name in ("few", "many"):
        pixels = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")).astype(int)
        assert pixels.shape[1] > 1000
        blue[name] = (np.abs(pixels - (0x2A, 0x6F, 0x97)).sum(axis=2) < 9).sum()
    assert blue["many"] > 5 * blue["few"] > 0


def test_no_pairs_are_a_picture_too(tmp_path):
    draw_scores(tmp_path / "none.png", np.empty((0, 2)), (0.6, 0.2))
    assert (tmp_path / "none.png").stat().st_size > 1000
