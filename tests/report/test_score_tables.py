from benchmarks.runs import write_run
from tests.report.score_sheets import NUM, at, change, rows, table


def test_a_dataset_that_is_not_the_papers_has_our_columns_alone(tmp_path):
    write_run(tmp_path, "mine", "minimum", "ncls", 0, num=NUM)
    (sheet,) = table(2, tmp_path, "mine")
    assert sheet.headings == ["Scenario", "System", "R-1", "R-2", "R-L", "BERTScore", "Seeds"]
    assert len(rows(sheet)) == 13


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
