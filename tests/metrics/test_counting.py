from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.metrics import counting
from mclas_lightning.metrics.counting import ROUGE_KINDS, count_overlaps
from mclas_lightning.metrics.rouge import standard_profile

TEXTS = st.lists(st.sampled_from("abc"), max_size=9).map(" ".join)


def overlap_by_hand(hypothesis: str, reference: str, n: int) -> tuple[float, float, float]:
    """Precision, recall and F1 of n-grams, each counted as often as both texts have it."""
    grams = [
        Counter(zip(*(text.split()[i:] for i in range(n)), strict=False))
        for text in (hypothesis, reference)
    ]
    hits, (ours, theirs) = (grams[0] & grams[1]).total(), (each.total() for each in grams)
    if not hits:
        return 0.0, 0.0, 0.0
    return hits / ours, hits / theirs, 2 * hits / (ours + theirs)


@given(TEXTS, TEXTS)
def test_n_grams_are_counted_as_often_as_both_texts_have_them(hypothesis, reference):
    found = count_overlaps([(hypothesis, reference)], ("rouge1", "rouge2"), 1)
    expected = [overlap_by_hand(hypothesis, reference, n) for n in (1, 2)]
    assert found[0] == pytest.approx(np.array(expected))


def test_texts_come_apart_at_spaces_and_nowhere_else():
    assert count_overlaps([("##s, Größe", "##s, größe")], ("rouge1",), 1).tolist() == [[[0.5] * 3]]


def test_shares_are_put_together_in_order(monkeypatch):
    pairs = [("a " * i + "b", "a " * 7) for i in range(11)]
    together = count_overlaps(pairs, ROUGE_KINDS, None)
    monkeypatch.setattr(counting, "PAIRS_OF_A_TASK", 3)
    assert count_overlaps(pairs, ROUGE_KINDS, None).tolist() == together.tolist()
    assert count_overlaps([], ROUGE_KINDS, None).shape == (0, len(ROUGE_KINDS), 3)


def test_several_processes_score_what_one_does():
    words = ["die", "Größe", "der", "Lücke", "fällt.", "Im", "Norden", "regnet", "es!"]
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, 9)) for _ in range(2 * 250)]
    alone, shared = (
        standard_profile("de").scores(texts[::2], texts[1::2], processes=processes)
        for processes in (1, 2)
    )
    assert list(alone) == [f"{kind}_{name}" for kind in ROUGE_KINDS for name in "prf"]
    for name, column in alone.items():
        assert len(column) == 250
        assert shared[name].tolist() == column.tolist()
