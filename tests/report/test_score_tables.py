import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.runs import write_run, write_runs
from mclas_lightning import paper
from mclas_lightning.errors import InputError
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.render import sheets_as_text
from mclas_lightning.report.score_tables import score_table_sheets
from mclas_lightning.report.sheet import Cell, Sheet

NUM = 41
TABLE2 = [(system.scenario, system.model) for system in LAYOUTS[2].systems]


def table(num: int, runs: Path, *datasets: str, profile: str = "standard") -> list[Sheet]:
    return score_table_sheets(num, list(datasets), Runs(runs), profile)


def rows(sheet: Sheet) -> dict[tuple[str, ...], dict[str, str]]:
    """Cells by scenario and system, then by heading."""
    num, found = len(sheet.labels), {}
    for row in sheet.rows(repeat=True):
        cells = dict(zip(sheet.headings[num:], map(str, row[num:]), strict=True))
        found[tuple(map(str, row[:num]))] = cells
    return found


def change(path: Path, **keys: object) -> None:
    """Write other values into a results.json; ``scores__cross__num`` names an inner one."""
    record = json.loads(path.read_text())
    for name, value in keys.items():
        *outer, last = name.split("__")
        inner = record
        for key in outer:
            inner = inner[key]
        inner[last] = value
    path.write_text(json.dumps(record))


def at(runs: Path, model: str, seed: int = 0, scenario: str = "minimum") -> Path:
    return runs / "en2desum" / scenario / model / f"seed={seed}" / "results.json"


def test_table_2_has_39_cells_with_the_papers_numbers(tmp_path):
    sheets = table(2, tmp_path)
    assert sum(len(section.rows) for sheet in sheets for section in sheet.sections) == 39
    for sheet, dataset in zip(sheets, ("zh2ensum", "en2desum", "en2zhsum"), strict=True):
        printed = paper.numbers().table2[dataset]
        cells = rows(sheet)
        assert len(cells) == 13 == sum(map(len, printed.values()))
        names = {"ncls": "NCLS", "ncls_ms": "NCLS+MS", "mclas": "MCLAS", "tltran": "TLTran"}
        for scenario, systems in printed.items():
            for system, numbers in systems.items():
                row = cells[scenario, names[system]]
                assert row["R-1 paper"] == f"{numbers.rouge1_f:.2f}"
                assert row["R-L paper"] == f"{numbers.rougeL_f:.2f}"
                assert row["R-1 ours"] == "-"
                if numbers.bertscore_f is None:
                    assert row["BERTScore paper"] == "-"
                else:
                    assert row["BERTScore paper"] == f"{numbers.bertscore_f:.4f}"
        assert sheet.missing == 12 * 4 + 3  # the paper has no BERTScore of TLTran


def test_a_cell_is_the_mean_over_seeds_and_the_difference_is_to_what_is_shown(tmp_path):
    for seed, f1 in enumerate((0.1, 0.2, 0.27)):
        write_run(tmp_path, "en2desum", "minimum", "ncls", seed, num=NUM)
        change(at(tmp_path, "ncls", seed), scores__cross__rouge1_f=f1)
        (at(tmp_path, "ncls", seed).parent / "scores.npz").unlink()
    row = rows(table(2, tmp_path, "en2desum")[0])["minimum", "NCLS"]
    assert row["R-1 ours"] == "19.00 ±8.54"  # variance (81 + 1 + 64) / 2 = 73
    assert (row["R-1 paper"], row["R-1 diff."]) == ("17.59", "+1.41")
    assert row["Seeds"] == "3"


def test_a_dataset_that_is_not_the_papers_has_our_columns_alone(tmp_path):
    write_run(tmp_path, "mine", "minimum", "ncls", 0, num=NUM)
    (sheet,) = table(2, tmp_path, "mine")
    assert sheet.headings == ["Scenario", "System", "R-1", "R-2", "R-L", "BERTScore", "Seeds"]
    assert len(rows(sheet)) == 13


def test_an_outside_system_is_a_row_of_its_scenario(tmp_path):
    run = write_run(tmp_path, "en2desum", "minimum", "ncls", 0, num=NUM)
    outside = replace(run, model="theirs", provenance={})
    outside.write(at(tmp_path, "theirs"))
    cells = rows(table(2, tmp_path, "en2desum")[0])
    assert list(cells)[3] == ("minimum", "theirs")
    assert cells["minimum", "theirs"]["R-1 ours"] == cells["minimum", "NCLS"]["R-1 ours"]
    assert cells["minimum", "theirs"]["R-1 paper"] == "-"


def test_pretraining_and_models_from_scratch_are_not_in_table_2(tmp_path):
    write_run(tmp_path, "en2desum", "full", "ms", 0, num=NUM)
    write_run(tmp_path, "en2desum", "minimum", "mclas_scratch", 0, num=NUM)
    assert len(rows(table(2, tmp_path, "en2desum")[0])) == 13


def test_another_signature_is_said_and_nothing_is_ranked_or_subtracted(tmp_path):
    write_runs(tmp_path, ["en2desum"], TABLE2, [0], num=NUM)
    change(at(tmp_path, "mclas"), signatures__cross__rouge="rouge|version:1")
    (sheet,) = table(2, tmp_path, "en2desum")
    notes = "\n".join(sheet.notes)
    assert "Not compared, no differences: ROUGE has 2 signatures." in notes
    assert "rouge|version:1: minimum/mclas/seed=0" in notes
    for row in rows(sheet).values():
        assert row["R-1 ours"] != "-"
        assert row["R-1 diff."] == ""
        assert "*" not in row["R-1 ours"]
    rouge = [c for r in sheet.rows() for c in r[2:11] if isinstance(c, Cell)]
    assert rouge
    assert not any(cell.best or cell.significant for cell in rouge)
    # BERTScore has one signature: it is compared as ever.
    assert rows(sheet)["minimum", "MCLAS"]["BERTScore diff."] != ""


@pytest.mark.parametrize(
    "other", [{"provenance__test_sha256": "f" * 64}, {"scores__cross__num": NUM - 1}]
)
def test_another_test_set_is_said_and_nothing_is_ranked_or_subtracted(tmp_path, other):
    write_runs(tmp_path, ["en2desum"], TABLE2, [0], num=NUM)
    change(at(tmp_path, "ncls", scenario="full"), **other)
    (sheet,) = table(2, tmp_path, "en2desum")
    (note,) = [note for note in sheet.notes if "test sets differ" in note]
    assert "full/ncls/seed=0" in note
    assert "minimum/ncls/seed=0" in note
    assert {row["R-1 diff."] for row in rows(sheet).values()} == {""}
    cells = [entry for row in sheet.rows() for entry in row if isinstance(entry, Cell)]
    assert not any(cell.best or cell.significant for cell in cells)


def test_seeds_of_two_kinds_have_no_mean(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, "en2desum", "minimum", "mclas", seed, num=NUM)
    change(at(tmp_path, "mclas", 1), signatures__cross__rouge="rouge|version:1")
    (sheet,) = table(2, tmp_path, "en2desum")
    row = rows(sheet)["minimum", "MCLAS"]
    assert (row["R-1 ours"], row["BERTScore ours"]) != ("-", "-")
    assert row["R-1 ours"] == "-"
    assert "No mean of seeds that differ in signature or test set: minimum/mclas." in sheet.notes
    assert f"mclas rescore {tmp_path}/en2desum" in sheet.commands


def test_seeds_of_two_test_sets_have_no_mean_and_are_to_be_evaluated_again(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, "en2desum", "minimum", "mclas", seed, num=NUM)
    change(at(tmp_path, "mclas", 1), provenance__test_sha256="f" * 64)
    (sheet,) = table(2, tmp_path, "en2desum")
    assert rows(sheet)["minimum", "MCLAS"]["BERTScore ours"] == "-"
    words = "dataset=en2desum scenario=minimum model=mclas seed=0,1"
    line = f"mclas-evaluate -m {words} runs={tmp_path}"
    assert line in sheet.commands


def test_runs_without_bertscore_are_scored_again_in_one_line(tmp_path):
    for model in ("ncls", "mclas"):
        write_run(tmp_path, "en2desum", "minimum", model, 0, num=NUM, bertscore=False)
    (sheet,) = table(2, tmp_path, "en2desum")
    assert sheet.commands[-1] == (
        f"mclas rescore {tmp_path}/en2desum --bertscore bert-base-multilingual-cased"
    )
    assert not any(line.startswith("mclas rescore") for line in sheet.commands[:-1])


def test_without_scores_of_the_papers_profile_a_cell_is_missing(tmp_path):
    write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    path = at(tmp_path, "mclas")
    record = json.loads(path.read_text())
    scores, signatures = record["scores"]["cross"], record["signatures"]["cross"]
    scores = {name: value for name, value in scores.items() if not name.startswith("paper_")}
    signatures = {name: value for name, value in signatures.items() if name != "paper_rouge"}
    change(path, scores__cross=scores, signatures__cross=signatures)
    (path.parent / "scores.npz").unlink()
    row = rows(table(2, tmp_path, "en2desum", profile="paper")[0])["minimum", "MCLAS"]
    assert (row["R-1 ours"], row["R-2 ours"], row["R-L ours"]) == ("-", "-", "-")
    assert row["BERTScore ours"] != "-"
    assert rows(table(2, tmp_path, "en2desum")[0])["minimum", "MCLAS"]["R-1 ours"] != "-"


def test_the_papers_profile_shows_its_own_scores_and_says_so(tmp_path):
    run = write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    (standard,), (own,) = (
        table(2, tmp_path, "en2desum", profile=profile) for profile in ("standard", "paper")
    )
    for sheet, name in ((standard, "rouge1_f"), (own, "paper_rouge1_f")):
        shown = rows(sheet)["minimum", "MCLAS"]["R-1 ours"]
        assert shown == f"{100 * run.scores['cross'][name]:.2f}"
    assert any("ROUGE-1.5.5" in note for note in standard.notes)
    assert not any("ROUGE-1.5.5" in note for note in own.notes)
    assert any(note.startswith("ROUGE of profile paper: ") for note in own.notes)


@pytest.mark.parametrize(
    ("other", "message"),
    [({"format": 1}, "expected format 2"), ({"scores__cross__rouge1_f": float("nan")}, "finite")],
)
def test_a_file_that_cannot_be_trusted_is_set_aside_and_named(tmp_path, other, message):
    for model in ("ncls", "mclas"):
        write_run(tmp_path, "en2desum", "minimum", model, 0, num=NUM)
    before = rows(table(2, tmp_path, "en2desum")[0])
    change(at(tmp_path, "mclas"), **other)
    (sheet,) = table(2, tmp_path, "en2desum")
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    assert f"{at(tmp_path, 'mclas')} (" in note
    assert message in note
    assert rows(sheet)["minimum", "MCLAS"]["R-1 ours"] == "-"
    shown = rows(sheet)["minimum", "NCLS"]["R-1 ours"]
    assert shown == before["minimum", "NCLS"]["R-1 ours"].rstrip("*")


def test_what_stands_beside_a_run_does_not_end_its_table(tmp_path):
    """Copies, renamed folders and broken files are named; a byte order mark is no damage."""
    for model, seed in (("ncls", 0), ("ncls", 1), ("mclas", 0)):
        write_run(tmp_path, "en2desum", "minimum", model, seed, num=NUM)
    before = rows(table(2, tmp_path, "en2desum")[0])
    own = at(tmp_path, "ncls")
    shutil.copytree(own.parent, own.parents[1] / "seed=0 (copy)")
    shutil.copytree(own.parents[1], own.parents[2] / "ncls_old")
    at(tmp_path, "broken").parent.mkdir(parents=True)
    at(tmp_path, "broken").write_text('{"format": 2, "data')
    own.write_bytes(b"\xef\xbb\xbf" + own.read_bytes())
    (sheet,) = table(2, tmp_path, "en2desum")
    assert rows(sheet) == before
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    for aside in ("minimum/broken/seed=0/", "ncls/seed=0 (copy)/", "minimum/ncls_old/seed=0/"):
        assert aside in note
    assert note.endswith("and 2 more.")


def test_only_the_dataset_that_is_asked_for_is_read(tmp_path):
    for dataset in ("en2desum", "zh2ensum"):
        write_run(tmp_path, dataset, "minimum", "ncls", 0, num=NUM)
    (tmp_path / "zh2ensum" / "minimum" / "ncls" / "seed=0" / "results.json").write_text("")
    (sheet,) = table(2, tmp_path, "en2desum")
    assert not any("Set aside" in note for note in sheet.notes)
    (sheet,) = table(2, tmp_path, "zh2ensum")
    assert any("Set aside" in note for note in sheet.notes)


def test_a_dataset_whose_runs_are_all_set_aside_has_an_empty_table(tmp_path):
    write_run(tmp_path, "mine", "minimum", "ncls", 0, num=NUM)
    (tmp_path / "mine").rename(tmp_path / "renamed")
    (sheet,) = table(2, tmp_path, *Runs(tmp_path).datasets(["renamed"]))
    assert {row["R-1"] for row in rows(sheet).values()} == {"-"}
    assert "belongs at mine/minimum/ncls/seed=0/results.json" in "".join(sheet.notes)
    assert sheet.commands == []


def test_table_5_takes_the_difference_to_gold_and_has_the_gold_row(tmp_path):
    run = write_run(tmp_path, "en2desum", "minimum", "mclas", 0, num=NUM)
    cells = rows(table(5, tmp_path, "en2desum")[0])
    row, length = cells["minimum", "MCLAS"], run.scores["cross"]["length"]
    assert (row["Length paper"], row["To gold paper"]) == ("7.80", "-0.90")
    assert row["Length ours"] == f"{length:.2f}"
    assert row["To gold ours"] == f"{length - 9.5:+.2f}"
    assert cells["", "Gold"]["Length paper"] == "8.79"
    assert cells["", "Gold"]["Length ours"] == "9.50"
    assert cells["", "Gold"]["Length diff."] == "+0.71"


def test_table_6_is_of_the_maximum_scenario_and_of_the_pretrained_model(tmp_path):
    places = [("full", "ms"), ("maximum", "ncls_ms"), ("maximum", "mclas"), ("minimum", "mclas")]
    write_runs(tmp_path, ["zh2ensum"], places, [0], num=NUM)
    found = {place: write_run(tmp_path, "zh2ensum", *place, 0, num=NUM) for place in places}
    cells = rows(table(6, tmp_path, "zh2ensum")[0])
    assert [name for (name,) in cells] == ["MS-Pretrain", "NCLS+MS", "MCLAS"]
    for (name,), place in zip(cells, places, strict=False):
        value = 100 * found[place].scores["mono"]["rouge1_f"]
        assert cells[name,]["R-1 ours"].rstrip("*") == f"{value:.2f}"
    assert cells["MCLAS",]["R-2 paper"] == "27.69"


def test_table_7_has_scores_in_rows_as_the_paper_has(tmp_path):
    run = write_run(tmp_path, "en2desum", "full", "ms", 0, num=NUM)
    cells = rows(table(7, tmp_path)[0])
    assert [name for (name,) in cells] == [
        *("R-1 Recall", "R-1 Precision", "R-2 Recall", "R-2 Precision", "R-L Recall"),
        *("R-L Precision", "Length", "To gold", "Seeds"),
    ]
    assert cells["R-2 Precision",]["MCLAS paper"] == "24.11"
    recall = 100 * run.scores["mono"]["rouge1_r"]
    assert cells["R-1 Recall",]["MS-Pretrain ours"] == f"{recall:.2f}"
    assert cells["Length",]["Gold paper"] == "9.11"
    assert cells["To gold",]["NCLS+MS paper"] == "+8.87"


def test_a_dataset_on_disk_may_be_named_by_what_selects_it(tmp_path):
    for dataset in ("toy_en2de", "toy_en2zh", "toy_en", "mine"):
        write_run(tmp_path, dataset, "minimum", "mclas", 0, num=NUM)
    runs = Runs(tmp_path)
    assert runs.datasets(["toy"]) == ["toy_en2de", "toy_en2zh"]
    assert runs.datasets(["mine", "en2desum"]) == ["mine", "en2desum"]
    assert runs.datasets(["debian_en2de", "toy_zh2en"]) == ["debian_en2de", "toy_zh2en"]
    assert Runs(tmp_path / "none").datasets(["toy"]) == ["toy_en2de"]
    with pytest.raises(InputError, match="did you mean 'mine'"):
        runs.datasets(["mins"])


def test_equal_runs_make_equal_tables_in_every_format(tmp_path):
    for folder in ("a", "b"):
        write_runs(tmp_path / folder, ["en2desum"], TABLE2, [0, 1], num=NUM)
    for form in ("markdown", "latex", "csv"):
        first, second = (sheets_as_text(table(2, tmp_path / f, "en2desum"), form) for f in "ab")
        assert first == second.replace(str(tmp_path / "b"), str(tmp_path / "a"))


def test_a_score_of_some_seeds_says_so_has_no_star_and_is_a_gap(tmp_path):
    for model in ("ncls", "ncls_ms", "mclas"):
        for seed in (0, 1, 2):
            lacks = (model, seed) == ("mclas", 2)
            write_run(tmp_path, "en2desum", "full", model, seed, num=NUM, bertscore=not lacks)
    (sheet,) = table(2, tmp_path, "en2desum")
    row = rows(sheet)["full", "MCLAS"]
    assert row["BERTScore ours"].endswith(" (2 of 3)")
    assert "*" not in row["BERTScore ours"]
    assert "(" not in row["R-1 ours"]
    assert row["Seeds"] == "3"
    assert sheet.missing == 9 * 4 + 3 + 1
    assert any("has BERTScore of 2 of 3 seeds alone" in note for note in sheet.notes)
    assert any(line.startswith("mclas rescore") for line in sheet.commands)
