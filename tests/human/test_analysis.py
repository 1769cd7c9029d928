import random
from itertools import permutations

import numpy as np
import pytest

from mclas_lightning.human.analysis import (
    alpha,
    bootstrap_preferences,
    differences,
    kappa_interval,
    p_values,
    score_array,
)
from mclas_lightning.human.judgements import Judgement
from mclas_lightning.human.plan import Judges, simulate
from mclas_lightning.human.results import FEWEST_DOCUMENTS, PERSPECTIVES
from mclas_lightning.human.score import fleiss, label_counts, preferences

SYSTEMS = ["ncls", "ncls_ms", "mclas", "gold"]


def at_random(annotators: int, documents: int, seed: int) -> list[Judgement]:
    draw = random.Random(seed)
    return [
        Judgement(
            annotator, f"d{document}", perspective, *draw.choice(list(permutations(SYSTEMS, 2)))
        )
        for annotator in range(annotators)
        for document in range(documents)
        for perspective in PERSPECTIVES
    ]


def test_means_of_scores_are_preferences():
    judgements = at_random(annotators=5, documents=7, seed=0)
    scores_PDAS = score_array(judgements, SYSTEMS)
    assert scores_PDAS.shape == (3, 7, 5, 4)
    found = preferences(judgements, SYSTEMS)
    for p, perspective in enumerate(PERSPECTIVES):
        expected = [found[system][perspective] for system in SYSTEMS]
        assert scores_PDAS[p].mean((0, 1)) == pytest.approx(expected)


@pytest.mark.parametrize(("axis", "num"), [(1, 23), (2, 13)])
def test_the_spread_of_resamples_is_the_standard_error_of_what_varies(axis, num):
    """Scores that differ between documents alone, or between annotators alone."""
    values = np.random.default_rng(0).standard_normal(num)
    scores_PDAS = np.zeros((1, 23, 13, 1)) + values.reshape(
        [-1 if i == axis else 1 for i in range(4)]
    )
    found = bootstrap_preferences(scores_PDAS, 20_000, seed=0)[:, 0, 0]
    assert found.std() == pytest.approx(values.std() / num**0.5, rel=0.03)
    assert found.mean() == pytest.approx(values.mean(), abs=0.01)


def test_p_values_count_the_resamples_beyond_0():
    differences_R = np.array([-1.0] * 3 + [2.0] * 96)
    assert p_values(differences_R) == pytest.approx(2 * 4 / 100)
    assert p_values(-differences_R) == p_values(differences_R)
    assert p_values(np.zeros(99)) == 1
    assert p_values(np.ones((99, 2))).tolist() == pytest.approx([0.02, 0.02])


def test_kappas_interval_is_the_percentiles_of_fleiss_of_drawn_documents():
    judgements = [
        one._replace(best="gold", worst="ncls") if hash_of(one) % 3 else one
        for one in at_random(annotators=5, documents=17, seed=0)
    ]
    rows = np.array(label_counts(judgements, SYSTEMS)).reshape(17, 3 * 4, 3)
    # Judgements are in the order of annotators, so that rows of a document lie together.
    draw = np.random.default_rng(1)
    drawn = [
        fleiss(rows[draw.integers(17, size=17)].reshape(-1, 3).tolist()).kappa for _ in range(2_000)
    ]
    found = kappa_interval(score_array(judgements, SYSTEMS), 20_000, seed=0)
    assert found == pytest.approx(np.percentile(drawn, [2.5, 97.5]).tolist(), abs=0.02)


def hash_of(one: Judgement) -> int:
    return int(one.document[1:]) + PERSPECTIVES.index(one.perspective)


def test_alpha_follows_from_fleiss_where_all_judged_everything():
    """Alpha draws pairs without replacement: chance disagrees n / (n - 1) times as often."""
    judgements = at_random(annotators=3, documents=5, seed=0)
    counts = label_counts(judgements, SYSTEMS)
    found = fleiss(counts)
    num = len(counts) * 3
    chance = (found.overall - found.kappa) / (1 - found.kappa)
    disagree = (1 - chance) * num / (num - 1)
    assert alpha(judgements, SYSTEMS) == pytest.approx(1 - (1 - found.overall) / disagree)


def test_a_clear_difference_is_found_and_none_where_choices_are_random():
    judgements = at_random(annotators=7, documents=20, seed=0)
    scores_PDAS = score_array(judgements, SYSTEMS)
    found = differences(bootstrap_preferences(scores_PDAS, 2_000, 0), scores_PDAS, SYSTEMS)
    assert len(found) == 3 * 6
    assert min(one.holm for one in found) > 0.05
    clear = [
        one._replace(best="gold", worst="ncls") if one.perspective == "fluency" else one
        for one in judgements
    ]
    scores_PDAS = score_array(clear, SYSTEMS)
    found = differences(bootstrap_preferences(scores_PDAS, 2_000, 0), scores_PDAS, SYSTEMS)
    significant = {(one.perspective, one.a, one.b) for one in found if one.holm < 0.05}
    assert ("fluency", "ncls", "gold") in significant
    assert {where for where, *_ in significant} == {"fluency"}
    (one,) = [
        one for one in found if (one.perspective, one.a, one.b) == ("fluency", "ncls", "gold")
    ]
    assert [one.difference, *one.interval] == pytest.approx([-2, -2, -2])


@pytest.mark.parametrize(
    ("documents", "least", "most"), [(FEWEST_DOCUMENTS, 0, 0.09), (FEWEST_DOCUMENTS // 2, 0.1, 1)]
)
def test_systems_that_do_not_differ_are_rarely_found_to_differ_from_ten_documents_on(
    documents, least, most
):
    """Three perspectives of 200 evaluations; the annotators' kappa is that of the paper's."""
    shape = (200, len(PERSPECTIVES), documents, 10)
    found = [
        differences(bootstrap_preferences(scores_PDAS, 1_000, seed=0), scores_PDAS, SYSTEMS)
        for scores_PDAS in simulate(Judges(quality=0, spread=1.14), shape, seed=0)
    ]
    share = np.mean([min(one.holm for one in tests) < 0.05 for tests in found])
    assert least <= share <= most
