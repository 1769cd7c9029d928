from benchmarks.runs import write_run, write_runs
from mclas_lightning import paper
from tests.report.score_sheets import NUM, rows, table


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
