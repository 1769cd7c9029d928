import random
from dataclasses import replace

import pytest

from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import Layout, TableScore, TableSystem
from mclas_lightning.report.ranking import best_as_shown, leaders

MODELS = ("ncls", "ncls_ms", "mclas", "tltran", "tetran")
SCORE = TableScore("rouge1_f", "R-1", digits=1)
NEAREST = TableScore("difference", "To ref.", scale=1, digits=1, aim=0)


def grid_of(made_up, **scores) -> Grid:
    """A grid with one run of each model; ``scores`` has a list of values by model."""
    systems = tuple(TableSystem("minimum", model, "minimum") for model in MODELS)
    runs = [
        made_up(model, **{name: values[i] for name, values in scores.items()})
        for i, model in enumerate(MODELS)
    ]
    layout = Layout(
        title="", side="cross", datasets=("toy_en2de",), systems=systems, scores=(SCORE, NEAREST)
    )
    runs = [run for run in runs if "cross" in run.scores]
    return Grid(layout=layout, dataset="toy_en2de", profile="standard", runs=runs)


@pytest.mark.parametrize("seed", range(5))
def test_the_leader_has_the_highest_mean_or_the_one_nearest_to_0(made_up, seed):
    rng = random.Random(seed)
    values = [value / 1000 for value in rng.sample(range(1000), len(MODELS))]
    lengths = [13 + rng.choice((-1, 1)) * size / 7 for size in rng.sample(range(50), len(MODELS))]
    grid = grid_of(made_up, rouge1_f=values, length=lengths)
    for score, merits in ((SCORE, values), (NEAREST, [-abs(x - 13) for x in lengths])):
        ((first, others),) = leaders(grid, score)
        assert first.model == MODELS[merits.index(max(merits))]
        assert {first.model, *(system.model for system in others)} == set(MODELS)


def test_systems_with_the_same_rounded_score_are_best_together(made_up):
    grid = grid_of(made_up, rouge1_f=[0.42001, 0.1, 0.42002, 0.4189, 0.2])
    assert {system.model for system in best_as_shown(grid, SCORE)} == {"ncls", "mclas"}


def test_where_all_systems_show_the_same_score_none_is_best(made_up):
    assert best_as_shown(grid_of(made_up, rouge1_f=[0.42001, *[0.42] * 4]), SCORE) == set()


@pytest.mark.parametrize(
    ("model", "provenance"),
    [("oracle", {}), ("mt", {}), ("my_mt", {"recipe": {"model.source": "mono"}})],
)
def test_what_reads_the_references_is_shown_and_in_no_ranking(made_up, model, provenance):
    grid = grid_of(made_up, rouge1_f=[0.3, 0.2, 0.1, 0.1, 0.1])
    reads = replace(made_up(model, rouge1_f=0.9), provenance=provenance)
    systems = (*grid.layout.systems, TableSystem("minimum", model, "minimum"))
    layout = replace(grid.layout, systems=systems)
    grid = replace(grid, layout=layout, runs=[*grid.runs, reads])
    assert model in {system.model for system in grid.systems}
    ((first, others),) = leaders(grid, SCORE)
    assert first.model == "ncls"
    assert model not in {system.model for system in others}
