import random
from itertools import combinations

import numpy as np
import pytest

from mclas_lightning.human.analysis import score_array
from mclas_lightning.human.annotators import (
    agreement_with_others,
    annotator_signs,
    one_sided_position,
)
from mclas_lightning.human.results import FEWEST_DOCUMENTS
from mclas_lightning.human.score import fleiss, label_counts, score_filled_sheets
from mclas_lightning.human.sheet import SheetKey, write_sheets
from tests.human.conftest import read_judgements

QUALITY = {"gold": 1.5, "mclas": 1.0, "ncls": 0.5, "ncls_ms": 0.0}


def careful(draw: random.Random, item):
    felt = {system: value + draw.gauss(0, 0.5) for system, value in QUALITY.items()}
    return max(felt, key=felt.__getitem__), min(felt, key=felt.__getitem__)


@pytest.fixture
def signs(tmp_path, runs, fill):
    """The signs of annotators 1 to 5 who choose with ``choose(draw, item)``."""

    def found(choose, seconds=lambda item: 60.0):
        write_sheets(runs, tmp_path / "out", num=20, seed=0, annotators=5)
        draw = random.Random(0)
        fill(tmp_path / "out", lambda item, _: choose(draw, item))
        key = SheetKey.read(tmp_path / "out")
        judgements = read_judgements(tmp_path / "out", key)
        times = {name: seconds(item) for name, item in key.items.items()}
        return annotator_signs(key, judgements, times, score_array(judgements, key.systems))

    return found


def test_careful_annotators_have_no_signs(signs):
    found = signs(careful)
    assert [one.annotator for one in found] == [1, 2, 3, 4, 5]
    assert {(one.seconds, *one.signs) for one in found} == {(60.0,)}


def test_who_always_chooses_the_first_summary_is_named(signs):
    found = signs(
        lambda draw, item: (
            (item.order[0], item.order[2]) if item.annotator == 3 else careful(draw, item)
        )
    )
    assert [one.annotator for one in found if one.signs] == [3]
    assert "chooses A as best too often" in found[2].signs


def test_who_takes_no_time_is_named(signs):
    found = signs(careful, seconds=lambda item: 4.0 if item.annotator == 2 else 60.0)
    assert [one.signs for one in found] == [
        [], ["takes 4 s a document, the middle is 60 s"], [], [], [],
    ]  # fmt: skip


def test_who_chooses_the_opposite_agrees_no_more_than_by_chance(signs):
    found = signs(
        lambda draw, item: careful(draw, item)[::-1] if item.annotator == 5 else careful(draw, item)
    )
    assert found[4].signs == ["agrees with the others no more than by chance"]


def test_agreement_on_few_documents_is_no_sign(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "out", num=FEWEST_DOCUMENTS - 1, seed=0, annotators=2)
    pairs = {1: ("gold", "ncls"), 2: ("mclas", "ncls_ms")}
    fill(tmp_path / "out", lambda item, _: pairs[item.annotator])
    found = score_filled_sheets(tmp_path / "out").analysis
    assert found is not None
    assert {(one.agreement, *one.signs) for one in found.annotators} == {(0.0,)}


def test_the_mean_of_all_agreements_with_others_is_the_overall_agreement(tmp_path, runs, fill):
    write_sheets(runs, tmp_path / "out", num=11, seed=0, annotators=5)
    draw = random.Random(1)
    fill(tmp_path / "out", lambda item, _: careful(draw, item))
    key = SheetKey.read(tmp_path / "out")
    judgements = read_judgements(tmp_path / "out", key)
    scores_PDAS = score_array(judgements, key.systems)
    found = agreement_with_others(scores_PDAS)
    assert found.mean() == pytest.approx(fleiss(label_counts(judgements, key.systems)).overall)
    pairs = [
        (scores_PDAS[:, :, a] == scores_PDAS[:, :, b]).mean()
        for a, b in combinations(range(5), 2)
        if 0 in (a, b)
    ]
    assert found[0] == pytest.approx(np.mean(pairs))


def test_a_careful_annotator_is_rarely_taken_for_one_sided():
    """Three perspectives of a document often name the same system: positions come in threes."""
    draw = np.random.default_rng(1)
    chances = []
    for _ in range(200):
        first = np.array([draw.permutation(4)[:2] for _ in range(20)])
        chances.append(one_sided_position(np.tile(first, 3), 4)[2])
    assert np.mean(np.array(chances) <= 0.05) == pytest.approx(0.05, abs=0.045)
