from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.runs import write_run, write_runs
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.grid import Grid
from mclas_lightning.report.layout import LAYOUTS, Layout
from mclas_lightning.report.marks import Marks, significance_marks
from mclas_lightning.runs.documents import DOCUMENT_SCORES, write_document_scores

NUM = 83
IDS = [f"d{i}" for i in range(NUM)]


def write(
    runs: Path, model: str, gain: float, seed: int = 0, ids: Sequence[str] = IDS,
    dataset: str = "en2desum", scenario: str = "minimum",
) -> None:  # fmt: skip
    """A run whose documents have ``gain`` in ROUGE-1, and noise that is its own."""
    run = write_run(runs, dataset, scenario, model, seed, num=NUM)
    own = np.random.default_rng([seed, *f"{dataset}{model}".encode()])
    values = np.linspace(0.2, 0.5, NUM) + gain + own.normal(0, 0.05, NUM)
    means = run.scores["cross"] | {"rouge1_f": float(values.mean())}
    scores = run.scores | {"cross": means}
    folder = runs / dataset / scenario / model / f"seed={seed}"
    replace(run, scores=scores).write(folder / "results.json")
    write_document_scores(folder / DOCUMENT_SCORES, ids, {"cross": {"rouge1_f": values}})


LAYOUT = replace(LAYOUTS[2], scores=LAYOUTS[2].scores[:1])


def grid_of(runs: Path, dataset: str = "en2desum", layout: Layout = LAYOUT) -> Grid:
    found = Runs(runs).of(dataset)
    return Grid(layout=layout, dataset=dataset, profile="standard", runs=found)


def judged(runs: Path, *datasets: str) -> Marks:
    return significance_marks([grid_of(runs, name) for name in datasets or ("en2desum",)])


def marked(runs: Path) -> set[str]:
    return {system.model for _, system, _ in judged(runs).marked}


def test_who_is_clearly_better_than_all_others_is_marked(tmp_path):
    for model, gain in (("ncls", 0.0), ("ncls_ms", 0.01), ("mclas", 0.1)):
        write(tmp_path, model, gain)
    assert marked(tmp_path) == {"mclas"}


def test_better_than_all_but_one_is_not_enough(tmp_path):
    for model, gain in (("ncls", 0.0), ("ncls_ms", 0.1), ("mclas", 0.1)):
        write(tmp_path, model, gain)
    assert marked(tmp_path) == set()


def test_holms_correction_is_over_the_whole_table(tmp_path):
    """One test alone is below the level; with twenty of no difference beside it, it is not."""
    write(tmp_path, "ncls", 0.0)
    write(tmp_path, "mclas", 0.009)
    alone = judged(tmp_path)
    assert "over the 1 tests" in alone.tests
    assert {system.model for _, system, _ in alone.marked} == {"mclas"}
    others = [f"other{i}" for i in range(20)]
    for dataset in others:
        write(tmp_path, "ncls", 0.0, dataset=dataset)
        write(tmp_path, "mclas", 0.0, dataset=dataset)
    crowded = judged(tmp_path, "en2desum", *others)
    assert "over the 21 tests" in crowded.tests
    assert crowded.marked == frozenset()


def test_several_seeds_are_tested_together(tmp_path):
    for model, gain in (("ncls", 0.0), ("mclas", 0.1)):
        for seed in range(3):
            write(tmp_path, model, gain, seed)
    found = judged(tmp_path)
    assert {system.model for _, system, _ in found.marked} == {"mclas"}
    assert "3 seeds a system" in found.tests
    assert "seeds" in found.tests


def test_a_scenario_with_a_system_without_documents_scores_is_not_judged(tmp_path):
    for model, gain in (("ncls", 0.0), ("ncls_ms", 0.01), ("mclas", 0.1)):
        write(tmp_path, model, gain)
    (tmp_path / "en2desum" / "minimum" / "ncls" / "seed=0" / DOCUMENT_SCORES).unlink()
    found = judged(tmp_path)
    assert found.marked == frozenset()
    assert list(found.note(grid_of(tmp_path))) == [
        "Not tested for significance: minimum, NCLS has no scores.npz."
    ]
    assert list(found.note(grid_of(tmp_path, "zh2ensum"))) == []


def test_a_seed_without_documents_scores_is_not_left_out_in_silence(tmp_path):
    for seed in (0, 1):
        write(tmp_path, "ncls", 0.0, seed)
        write(tmp_path, "mclas", 0.1, seed)
    (tmp_path / "en2desum" / "minimum" / "mclas" / "seed=1" / DOCUMENT_SCORES).unlink()
    found = judged(tmp_path)
    assert found.marked == frozenset()
    assert "minimum, MCLAS lacks R-1 in a scores.npz" in "".join(found.note(grid_of(tmp_path)))


def test_damaged_documents_scores_are_named_and_the_table_stands(tmp_path):
    write(tmp_path, "ncls", 0.0)
    write(tmp_path, "mclas", 0.1)
    path = tmp_path / "en2desum" / "minimum" / "ncls" / "seed=0" / DOCUMENT_SCORES
    path.write_bytes(b"PK")
    found = judged(tmp_path)
    assert found.marked == frozenset()
    assert f"minimum, NCLS: {path}: cannot be read" in "".join(found.note(grid_of(tmp_path)))


def test_systems_with_other_documents_are_not_judged(tmp_path):
    write(tmp_path, "ncls", 0.0)
    write(tmp_path, "mclas", 0.1, ids=IDS[::-1])
    found = judged(tmp_path)
    assert found.marked == frozenset()
    assert "have different documents" in "".join(found.note(grid_of(tmp_path)))


@pytest.mark.parametrize("num", [5, 7])
def test_mono_summaries_are_tested_in_their_own_tables(tmp_path, num):
    places = [(s.scenario, s.model) for s in LAYOUTS[7].systems]
    write_runs(tmp_path, ["en2desum"], places, [0], num=NUM * num)
    runs = Runs(tmp_path).of("en2desum")
    grid = Grid(layout=LAYOUTS[7], dataset="en2desum", profile="paper", runs=runs)
    found = significance_marks([grid])
    assert "over the 12 tests" in found.tests  # six scores, MS-Pretrain against two
    assert {(system.model, score.name[:5]) for _, system, score in found.marked} == {
        ("ms", "rouge")
    }


def test_the_note_is_of_outputs_where_there_is_one_seed_and_of_all_systems_seeds(tmp_path):
    for model, gain in (("ncls", 0.0), ("mclas", 0.1)):
        write(tmp_path, model, gain)
    note = " ".join(judged(tmp_path).note(grid_of(tmp_path)))
    assert note.startswith("*: this output is better than every other of its part")
    assert "1 seed a system" in note
    assert "these outputs are compared" in note
    for seed in (1, 2):
        write(tmp_path, "ncls", 0.0, seed)
    note = " ".join(judged(tmp_path).note(grid_of(tmp_path)))
    assert note.startswith("*: this system is better")
    assert "1-3 seeds a system" in note
    assert "outputs" not in note


def test_without_a_mark_the_note_says_that_nobody_is_better(tmp_path):
    for model in ("ncls", "mclas"):
        for seed in (0, 1):
            write(tmp_path, model, 0.0, seed)
    note = " ".join(judged(tmp_path).note(grid_of(tmp_path)))
    assert note.startswith("No system is better than every other of its part of the table")
    assert "*" not in note
    assert "Smallest difference that could have been found (docs/metrics.md): R-1 " in note


def test_the_notes_of_a_sheet_are_of_its_own_scenario(tmp_path):
    for scenario, gain, seeds in (("minimum", 0.1, (0, 1)), ("medium", 0.0, (2, 3))):
        for model, more in (("ncls", 0.0), ("mclas", gain)):
            for seed in seeds:
                write(tmp_path, model, more, seed, scenario=scenario)
    of_scenario = {
        name: replace(LAYOUT, systems=tuple(s for s in LAYOUT.systems if s.scenario == name))
        for name in ("minimum", "medium")
    }
    grids = [grid_of(tmp_path, layout=layout) for layout in of_scenario.values()]
    found = significance_marks(grids)
    (minimum, least), (medium, other) = (list(found.note(grid)) for grid in grids)
    assert minimum.startswith("*: this system is better than every other")
    assert medium.startswith("No system is better than every other")
    assert least != other
