"""Recipe and decoding are part of what is compared."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.runs import write_run
from mclas_lightning.report.comparable import unlike_seeds
from mclas_lightning.report.comparison import comparison_sheets
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.score_tables import score_table_sheets
from mclas_lightning.report.sheet import Cell, Sheet
from mclas_lightning.runs.results import Results

NUM = 83
BEAM_1, BEAM_5 = {"beam": 1, "max_tokens": 1}, {"beam": 5, "max_tokens": 2}


@pytest.fixture
def write(tmp_path) -> Callable[..., Results]:
    """A run of the minimum scenario: ``write("mclas", 0, recipe={...}, decoding={...})``."""

    def write(model: str, seed: int = 0, recipe: Any = None, **changes: Any) -> Results:
        run = write_run(tmp_path, "en2desum", "minimum", model, seed, num=NUM)
        own = {} if recipe is None else {"recipe": recipe}
        run = replace(run, **{"provenance": run.provenance | own, **changes})
        run.write(place(tmp_path, model, seed) / "results.json")
        return run

    return write


def place(runs: Path, model: str, seed: int = 0) -> Path:
    return runs / "en2desum" / "minimum" / model / f"seed={seed}"


def drawn(runs: Path) -> Sheet:
    (sheet,) = score_table_sheets(2, ["en2desum"], Runs(runs), "standard")
    return sheet


def cells(sheet: Sheet, system: str) -> list[str]:
    """R-1 to BERTScore of a system, ours alone."""
    (row,) = [row for row in sheet.rows(repeat=True) if row[:2] == ["minimum", system]]
    return [str(row[i]) for i in (3, 6, 9, 12)]


def ranked(sheet: Sheet) -> bool:
    found = [cell for row in sheet.rows() for cell in row if isinstance(cell, Cell)]
    return any(cell.best or cell.significant for cell in found)


def test_seeds_of_two_recipes_have_no_mean_and_the_note_names_the_key(tmp_path, write):
    for seed, updates in enumerate((12, 210, 210)):
        write("ncls", seed, recipe={"optim.updates.minimum": updates, "split": "random"})
    sheet = drawn(tmp_path)
    assert cells(sheet, "NCLS") == ["-"] * 4
    assert (
        "No mean, minimum/ncls: its seeds differ in optim.updates.minimum 12: seed=0; 210: "
        "seed=1, seed=2." in sheet.notes
    )
    assert sheet.missing == 12 * 4 + 3
    assert not any("scenario=minimum model=ncls " in line for line in sheet.commands)


def test_seeds_of_two_decodings_have_no_mean(tmp_path, write):
    write("ncls", 0, decoding=BEAM_1)
    write("ncls", 1, decoding=BEAM_5)
    sheet = drawn(tmp_path)
    assert cells(sheet, "NCLS") == ["-"] * 4
    assert any("its seeds differ in decoding.beam 1: seed=0; 5: seed=1." in n for n in sheet.notes)
    assert any(line.startswith("mclas-evaluate ") for line in sheet.commands)


def test_the_recipe_of_an_old_run_is_that_of_its_configuration(tmp_path, write):
    for seed, updates in enumerate((12, 210)):
        write("ncls", seed)
        config = {"scenario": "minimum", "optim": {"updates": {"minimum": updates}}, "seed": seed}
        (place(tmp_path, "ncls", seed) / "config.yaml").write_text(yaml.safe_dump(config))
    assert cells(drawn(tmp_path), "NCLS") == ["-"] * 4
    (place(tmp_path, "ncls", 1) / "config.yaml").write_text("damaged: [")
    assert "-" not in cells(drawn(tmp_path), "NCLS")


def test_systems_of_two_decodings_are_shown_and_not_ranked(tmp_path, write):
    write("ncls", decoding=BEAM_5)
    write("mclas", decoding=BEAM_5)
    assert ranked(drawn(tmp_path))
    write("mclas", decoding=BEAM_1)
    sheet = drawn(tmp_path)
    assert "-" not in cells(sheet, "MCLAS")
    assert not ranked(sheet)
    note = "Not ranked, minimum: systems differ in decoding.beam 5: ncls; 1: mclas."
    assert note in sheet.notes
    (sheet,) = comparison_sheets(Runs(tmp_path).all)
    assert "Not ranked: systems differ in decoding.beam 5: ncls; 1: mclas." in sheet.notes


def test_other_scenarios_are_ranked_beside_one_that_is_not(tmp_path, write):
    write("ncls", decoding=BEAM_5)
    write("mclas", decoding=BEAM_1)
    for model in ("ncls", "mclas"):
        write_run(tmp_path, "en2desum", "full", model, 0, num=NUM)
    best = {
        str(row[0])
        for row in drawn(tmp_path).rows(repeat=True)
        for cell in row
        if isinstance(cell, Cell) and cell.best
    }
    assert best == {"full"}


def test_beside_seeds_without_a_mean_nobody_is_best(tmp_path, write):
    write("ncls", 0, recipe={"optim.updates.minimum": 12})
    write("ncls", 1, recipe={"optim.updates.minimum": 210})
    for model in ("ncls_ms", "mclas"):
        write(model)
    assert not ranked(drawn(tmp_path))


def test_targets_and_initialization_make_systems_and_are_not_told(tmp_path, write):
    write("ncls", recipe={"model.targets": {"decoder": ["cross"]}, "init_from": "a", "split": "x"})
    write("mclas", recipe={"model.targets": {"decoder": ["mono"]}, "init_from": None, "split": "x"})
    sheet = drawn(tmp_path)
    assert ranked(sheet)
    assert not any("systems differ" in note or "different ways" in note for note in sheet.notes)


def test_systems_of_two_recipes_are_ranked_and_told(tmp_path, write):
    write("ncls", recipe={"optim.updates.minimum": 12})
    write("mclas", recipe={"optim.updates.minimum": 210})
    sheet = drawn(tmp_path)
    assert ranked(sheet)
    note = "Trained in different ways, minimum: optim.updates.minimum 12: ncls; 210: mclas."
    assert note in sheet.notes


def test_a_system_that_says_nothing_of_its_decoding_is_compared(tmp_path, write):
    write("ncls", decoding={})
    write("mclas", decoding=BEAM_1)
    assert ranked(drawn(tmp_path))


def test_systems_that_see_more_documents_an_update_are_named(tmp_path, write):
    def seen(documents: float, cut_off: bool = False) -> dict:
        seen = {"documents_per_update": documents}
        return {"test_sha256": "0" * 64, "training": {"seen": seen, "cut_off": cut_off}}

    write("ncls", provenance=seen(104.9))
    write("mclas", provenance=seen(100.0))
    assert not [note for note in drawn(tmp_path).notes if "Documents an update" in note]
    write("ncls", provenance=seen(187.0, cut_off=True))
    notes = drawn(tmp_path).notes
    assert "Documents an update differ, minimum: 187: ncls, 100: mclas." in notes
    assert "Cut off, the last validation was the best: minimum/ncls/seed=0." in notes
    assert not [note for note in notes if "Trained on test documents" in note]
    write("mclas", provenance={"training": {"leaks": 3}})
    leaking = [note for note in drawn(tmp_path).notes if "Trained on test documents" in note]
    assert [note.endswith("minimum/mclas/seed=0.") for note in leaking] == [True]


def test_seeds_whose_updates_had_more_documents_than_others_have_no_mean(write):
    seeds = [write("mclas", seed) for seed in range(3)]
    assert unlike_seeds(seeds) == []

    def saw(run: Results, documents: float) -> Results:
        seen = {"seen": {"documents_per_update": documents}}
        return replace(run, provenance=run.provenance | {"training": seen})

    first, second, third = seeds
    assert unlike_seeds([saw(first, 16.0), saw(second, 16.5), third]) == []
    (said,) = unlike_seeds([saw(first, 16.2), saw(second, 64.8), third])
    assert said == "documents an update 16: seed=0; 65: seed=1"


def test_one_number_written_in_two_ways_is_no_difference(tmp_path, write):
    for seed, one in enumerate((1, 1.0)):
        for model in ("ncls", "mclas"):
            write(model, seed, recipe={"optim.encoder.lr": one}, decoding={"length_penalty": one})
    sheet = drawn(tmp_path)
    assert ranked(sheet)
    assert not any("differ in" in note for note in sheet.notes)
    assert unlike_seeds([write("mclas", 0, {"x": 1}), write("mclas", 1, {"x": True})])
