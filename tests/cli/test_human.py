import json
import shlex
import shutil
import sys

import pytest

from mclas_lightning.cli import main as cli
from mclas_lightning.human import plan
from mclas_lightning.human.results import HumanResults, find_human_results
from mclas_lightning.human.sheet import write_sheets
from mclas_lightning.runs.results import Results
from tests.human.conftest import MODELS, fill_sheets, write_run


@pytest.fixture
def runs(tmp_path) -> list[Results]:
    """A run of each of the paper's three systems."""
    return [write_run(tmp_path / "runs", model) for model in MODELS]


@pytest.fixture
def main(tmp_path, monkeypatch, capsys):
    """``mclas human ...`` in a folder with runs; what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["mclas", "human", *words])
        cli.main()
        return capsys.readouterr().out

    return run


@pytest.mark.usefixtures("runs")
def test_the_file_is_written_where_it_is_asked_for(tmp_path, main):
    words = ["--dataset", "toy", "--scenario", "minimum", "--models", "mclas, ncls", "--num", "3"]
    main("sheet", *words, "--annotators", "2", "--out", "sheets")
    fill_sheets(tmp_path / "sheets", lambda item, perspective: ("gold", "mclas"))
    main("score", "sheets", "--out", "there/human.json")
    assert HumanResults.read(tmp_path / "there" / "human.json").preferences["gold"]["fluency"] == 1
    assert find_human_results(tmp_path / "runs", "toy_en2de", "minimum") is None


@pytest.mark.usefixtures("runs")
def test_a_dataset_of_two_directions_is_not_judged_in_one_sheet(tmp_path, main, capsys):
    shutil.copytree(tmp_path / "runs" / "toy_en2de", tmp_path / "runs" / "toy_en2zh")
    with pytest.raises(SystemExit, match="2"):
        main("sheet", "--dataset", "toy", "--scenario", "minimum", "--out", "new")
    assert "--dataset toy: expected one direction; name one of toy_en2de, toy_en2zh" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score", "sheets"), "expected the filled sheets of two annotators or more, found 0"),
        (("score", "nowhere"), "nowhere: expected a folder that `mclas human sheet` made"),
        (("sheet", "--scenario", "full"), "runs/toy_en2de/full/ncls: no finished run here"),
        (("sheet", "--dataset", "tog"), "dataset 'tog' does not exist; did you mean 'toy'"),
        (("sheet", "--num", "30"), "expected 30 documents, but ncls, ncls_ms, mclas share 29"),
        (("sheet", "--annotators", "1"), "--annotators: expected 2 or more"),
        (("sheet", "--out", "/proc/sheets"), "error: /proc"),
        (
            ("sheet", "--out", "runs/toy_en2de/minimum/mclas/seed=0/results.json/new"),
            "cannot create",
        ),
        (("plan", "--effect", "2"), "--effect: expected more than 0, up to 1.0, found 2.0"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path, runs, main, capsys, words, said):
    write_sheets(runs, tmp_path / "sheets", num=3, seed=0, annotators=2)
    before = sorted(tmp_path.rglob("*"))
    if words[0] == "sheet":
        defaults = ["--dataset", "toy_en2de", "--scenario", "minimum", "--out", "new"]
        words = ["sheet", *defaults, *words[1:]]
    with pytest.raises(SystemExit) as ended:
        main(*words)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("runs")
def test_the_command_that_is_printed_scores_what_comes_back(tmp_path, main):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--annotators", "2"]
    said = main("sheet", *words, "--num", "3", "--out", "filled by us")
    fill_sheets(tmp_path / "filled by us", lambda item, perspective: ("gold", "mclas"))
    *_, line = said.splitlines()
    printed = shlex.split(line.split(": ")[1])
    assert printed == ["mclas", "human", "score", "filled by us"]
    assert main(*printed[2:]).splitlines()[-1] == "runs/toy_en2de/minimum/human.json"
    found = find_human_results(tmp_path / "runs", "toy_en2de", "minimum")
    assert found is not None
    assert found.preferences["gold"]["fluency"] == 1
    main(*printed[2:])  # An earlier result is replaced.
    kept = (tmp_path / "filled by us" / "key.json").read_bytes()
    with pytest.raises(SystemExit):  # In one line, with exit code 2.
        main(*printed[2:], "--out", "filled by us/key.json")
    assert (tmp_path / "filled by us" / "key.json").read_bytes() == kept


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("place", ["tpyo", "runs/toy_en2de", "runs/toy_en2de/minimum"])
def test_scores_are_written_only_where_the_runs_are(tmp_path, main, capsys, place):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--annotators", "2"]
    said = main("sheet", *words, "--num", "1", "--out", "sheets")
    assert "sheets: 2 sheets of 1 document, 4 summaries each" in said
    fill_sheets(tmp_path / "sheets", lambda item, perspective: ("gold", "mclas"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        main("score", "sheets", "--runs", place)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"error: {place}/toy_en2de/minimum: no such folder")
    assert "--runs" in said
    assert sorted(tmp_path.rglob("*")) == before
    assert "(1 document, 2 annotators)" in " ".join(main("score", "sheets").split())


@pytest.mark.usefixtures("runs")
def test_pages_and_status_are_said_with_the_commands_that_follow(tmp_path, main):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--annotators", "2"]
    said = main("sheet", *words, "--num", "3", "--out", "our sheets")
    assert "mclas human page 'our sheets'" in said
    said = main("page", "our sheets")
    assert said.startswith("our sheets/pages: 2 pages, one an annotator")
    assert said.endswith("mclas human status 'our sheets'\n")
    assert sorted(path.name for path in (tmp_path / "our sheets" / "pages").iterdir()) == [
        "annotator1.html", "annotator2.html",
    ]  # fmt: skip
    assert main("status", "our sheets").endswith("2 not returned\n")
    fill_sheets(tmp_path / "our sheets", lambda item, perspective: ("gold", "mclas"))
    assert main("status", "our sheets").endswith("2 complete\n")
    found = json.loads(main("status", "our sheets", "--json"))
    assert [one["state"] for one in found["annotators"]] == ["complete", "complete"]
    assert found["strange"] == []
    (tmp_path / "our sheets" / "annotator2.xlsx").write_bytes(b"PK")
    (tmp_path / "our sheets" / "annotator2.csv").unlink()
    with pytest.raises(SystemExit) as ended:  # As of `mclas data check` where it finds problems.
        main("status", "our sheets")
    assert ended.value.code == 1


def test_a_plan_names_the_papers_size_and_the_one_that_suffices(main, monkeypatch):
    monkeypatch.setattr(plan, "DOCUMENTS", (20, 160))
    monkeypatch.setattr(plan, "ANNOTATORS", (7,))
    monkeypatch.setattr(plan, "EFFECTS", (0.5,))
    shown = " ".join(main("plan", "--effect", "0.5").split())
    assert "preferences differ by 0.5, at kappa 0.26" in shown
    assert "80% with the fewest judgements: 160 documents, 7 annotators." in shown
    assert "20 documents, 7 annotators, by effect: 0.5: 28%. Corrected for all 18 tests" in shown


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("tool", ["label-studio", "potato"])
def test_tasks_of_other_tools_are_said_with_the_command_that_brings_answers_back(main, tool):
    words = ["--dataset", "toy_en2de", "--scenario", "minimum", "--annotators", "2"]
    main("sheet", *words, "--num", "3", "--out", "our sheets")
    said = main("export", "our sheets", "--to", tool)
    assert said.startswith(f"our sheets/{tool}: a project for each annotator")
    assert said.endswith("mclas human import 'our sheets' ANSWERS\n")


@pytest.mark.usefixtures("runs")
def test_the_demo_says_that_its_annotators_are_simulated_and_prints_commands_that_run(main):
    said = " ".join(main("demo", "--dataset", "toy_en2de", "--runs", "runs", "--num", "3").split())
    assert "3 simulated annotators" in said
    assert "Every annotator here is SIMULATED" in said
    assert "mclas table 3 --dataset toy_en2de --runs build/demo-human/runs" in said
