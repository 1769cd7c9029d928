from dataclasses import replace

import pytest

from mclas_lightning import paper
from mclas_lightning.human.results import (
    FleissAgreement,
    HumanAnalysis,
    HumanResults,
    human_results_path,
)
from mclas_lightning.report import page
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.human_tables import human_table_sheets
from mclas_lightning.report.render import csv
from mclas_lightning.report.tables import TableRequest

VALUES = {"informativeness": -0.125, "conciseness": 0.25, "fluency": 0.5}


@pytest.fixture
def runs(tmp_path) -> Runs:
    """A human evaluation of the medium scenario, with a system of another's."""
    systems = ("mclas", "ncls", "ncls_ms", "gold", "theirs")
    HumanResults(
        dataset="zh2ensum", scenario="medium", documents=20, annotators=7,
        preferences=dict.fromkeys(systems, VALUES),
        agreement=FleissAgreement(kappa=0.31, overall=0.6175), provenance={},
    ).write(human_results_path(tmp_path, "zh2ensum", "medium"))  # fmt: skip
    return Runs(tmp_path)


def rows(sheet) -> dict[tuple, list[str]]:
    num = len(sheet.labels)
    return {tuple(r[:num]): list(map(str, r[num:])) for r in sheet.rows(repeat=True)}


def test_table_3_has_the_papers_numbers_ours_and_the_difference(runs):
    (sheet,) = human_table_sheets(3, [], runs)
    cells = rows(sheet)
    assert cells["medium", "MCLAS"][:3] == ["0.000", "-0.125", "-0.125"]
    assert cells["medium", "Gold"][3:6] == ["0.529", "0.250", "-0.279"]
    assert cells["medium", "theirs"] == ["-", "-0.125", "", "-", "0.250", "", "-", "0.500", ""]
    assert cells["minimum", "MCLAS"] == ["-0.264", "-", "", "0.164", "-", "", "-0.021", "-", ""]
    for scenario, systems in paper.numbers().table3["zh2ensum"].items():
        for (found, _), row in cells.items():
            assert found != scenario or len(row) == 9
        assert len(systems) == 4
    assert sheet.missing == 2 * 4 * 3
    assert "medium: 20 documents, 7 annotators." in sheet.notes


def test_table_4_has_percentages_and_kappa(runs):
    (sheet,) = human_table_sheets(4, [], runs)
    assert rows(sheet)["medium",] == ["0.22", "0.31", "+0.09", "51.35", "61.75", "+10.40"]
    assert rows(sheet)["minimum",] == ["0.37", "-", "", "60.48", "-", ""]
    assert sheet.missing == 2 * 2


def test_what_is_missing_begins_with_sheets_for_annotators(runs):
    (sheet,) = human_table_sheets(3, [], runs)
    assert len(sheet.commands) == 4
    assert sheet.commands[0].startswith("mclas human sheet --dataset zh2ensum --scenario minimum")
    assert sheet.commands[1].startswith("mclas human score sheets/zh2ensum-minimum")


def test_another_dataset_has_no_column_of_the_papers(runs):
    (sheet,) = human_table_sheets(3, ["mine"], runs)
    assert sheet.headings == ["Scenario", "System", "IF", "CC", "FL"]
    assert {tuple(row) for row in rows(sheet).values()} == {("-", "-", "-")}


def test_a_damaged_file_is_named_and_the_other_scenarios_stand(runs):
    path = human_results_path(runs.folder, "zh2ensum", "maximum")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    (sheet,) = human_table_sheets(3, [], runs)
    (note,) = [note for note in sheet.notes if note.startswith("Set aside: ")]
    assert f"{path} (" in note
    assert rows(sheet)["maximum", "MCLAS"][1] == "-"
    assert rows(sheet)["medium", "MCLAS"][1] == "-0.125"


@pytest.mark.parametrize("scenario", ["full", "tenth"])
def test_a_scenario_that_the_paper_did_not_judge_has_a_row_where_it_was(runs, scenario):
    old = HumanResults.read(human_results_path(runs.folder, "zh2ensum", "medium"))
    replace(old, scenario=scenario).write(human_results_path(runs.folder, "zh2ensum", scenario))
    (sheet,) = human_table_sheets(3, [], runs)
    assert rows(sheet)[scenario, "MCLAS"][:3] == ["-", "-0.125", ""]
    assert f"{scenario}: 20 documents, 7 annotators." in sheet.notes
    assert sheet.missing == 2 * 4 * 3
    (sheet,) = human_table_sheets(4, [], runs)
    assert rows(sheet)[scenario,] == ["-", "0.31", "", "-", "61.75", ""]


def test_the_report_has_every_dataset_that_was_judged(runs):
    old = HumanResults.read(human_results_path(runs.folder, "zh2ensum", "medium"))
    replace(old, dataset="mine").write(human_results_path(runs.folder, "mine", "medium"))
    titles = [sheet.title for sheet in page.full_report(TableRequest(runs, [])).parts[2].sheets]
    assert titles == [
        "Table 3. Best-worst scaling by people, Zh2EnSum",
        "Table 3. Best-worst scaling by people, mine",
    ]


def test_intervals_stand_in_brackets_behind_our_numbers(runs):
    ends = {name: [-0.25, 0.75] for name in VALUES}
    path = human_results_path(runs.folder, "zh2ensum", "medium")
    analysis = HumanAnalysis(
        intervals={"mclas": ends}, kappa_interval=[0.21, 0.41], alpha=0.3, differences=[],
        annotators=[],
    )  # fmt: skip
    replace(HumanResults.read(path), analysis=analysis).write(path)
    (sheet,) = human_table_sheets(3, [], runs)
    assert rows(sheet)["medium", "MCLAS"][1] == "-0.125 [-0.250, 0.750]"
    assert rows(sheet)["medium", "MCLAS"][2] == "-0.125"
    assert rows(sheet)["medium", "Gold"][1] == "-0.125"
    assert "In brackets: 95 % bootstrap intervals, over documents and annotators." in sheet.notes
    header, *lines = [line.split(",") for line in csv.write([sheet]).splitlines()]
    in_csv = {tuple(line[1:3]): dict(zip(header, line, strict=True)) for line in lines}
    ends = [title for title in header if title.endswith((" low", " high"))][:2]
    assert [in_csv["medium", "MCLAS"][end] for end in ends] == ["-0.250", "0.750"]
    assert [in_csv["medium", "Gold"][end] for end in ends] == ["", ""]
    (sheet,) = human_table_sheets(4, [], runs)
    assert rows(sheet)["medium",][1] == "0.31 [0.21, 0.41]"
    assert rows(sheet)["medium",][4] == "61.75"
