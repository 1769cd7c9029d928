import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks.runs import write_run, write_runs
from mclas_lightning.cli import main as cli
from mclas_lightning.report.layout import LAYOUTS
from tests.report.analyses import made_up_analysis

NUM = 19
HEAVY = "torch transformers pytorch_lightning hydra wandb rouge_score nltk scipy py3langid"


@pytest.fixture
def runs(tmp_path) -> Path:
    """En2DeSum's Table 2, whole."""
    places = [(system.scenario, system.model) for system in LAYOUTS[2].systems]
    write_runs(tmp_path / "runs", ["en2desum"], places, [0], num=NUM)
    return tmp_path / "runs"


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``mclas``."""
    monkeypatch.setattr(sys, "argv", ["mclas", *words])
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("number", ["2", "5", "6", "7"])
@pytest.mark.parametrize("form", ["terminal", "markdown", "md", "latex", "tex", "csv"])
def test_every_table_is_shown_in_every_format(runs, monkeypatch, capsys, number, form):
    words = ("table", number, "--runs", str(runs), "--format", form, "--dataset", "en2desum")
    code, out, err = run(monkeypatch, capsys, *words)
    assert (code, err) == (0, "")
    assert "MCLAS" in out


@pytest.mark.parametrize("number", ["1", "3", "4"])
def test_tables_without_scores_are_shown_without_runs(tmp_path, monkeypatch, capsys, number):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(monkeypatch, capsys, "table", number)
    assert code == 0
    assert "Zh2EnSum" in out


def test_strict_exits_with_1_where_a_cell_is_missing(runs, monkeypatch, capsys):
    whole = ("--runs", str(runs), "--dataset", "en2desum", "--strict")
    assert run(monkeypatch, capsys, "table", "2", *whole)[0] == 0
    code, out, err = run(monkeypatch, capsys, "table", "6", *whole)
    assert (code, err) == (1, "3 cells are missing\n")
    assert "model=ms" in out
    assert run(monkeypatch, capsys, "table", *whole)[0] == 0
    code, _, err = run(monkeypatch, capsys, "table", *whole, "--profile", "folded")
    assert (code, err) == (1, "39 cells are missing\n")  # three kinds of ROUGE of 13 systems
    assert run(monkeypatch, capsys, "table", "6", *whole[:-1])[0] == 0
    out_file = str(runs / "f.svg")
    assert run(monkeypatch, capsys, "figure", "3", *whole, "--out", out_file)[0] == 1
    assert (runs / "f.svg").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("table", "1", "--dataset", "toy"), "--dataset: is no option of table 1, which is of the"),
        (("table", "2", "--side", "mono"), "--side: is no option of table 2, but of mclas table"),
        (("table", "2", "--scenario", "full"), "--scenario: is no option of table 2"),
        (("table", "4", "--profile", "paper"), "--profile: is no option of table 4"),
        (("table", "--data", "x"), "--data: is no option of any table but table 1"),
        (("figure", "3", "--run", "x"), "--run: is no option of figure 3, which is of all runs"),
        (("figure", "3", "--head", "1.1"), "--head: is no option of figure 3"),
        (("figure", "5", "--run", "x", "--strict"), "--strict: is no option of figure 5, which"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(monkeypatch, capsys, words, said):
    code, out, err = run(monkeypatch, capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert err.endswith("; leave it out\n")


def test_a_table_that_does_not_exist_is_a_usage_error(monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "table", "8")
    assert code == 2
    assert "invalid choice: 8" in err


def test_an_unknown_dataset_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(monkeypatch, capsys, "table", "2", "--dataset", "en2desun")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "did you mean 'en2desum'" in err


def test_results_of_an_older_format_are_named_below_the_table(runs, monkeypatch, capsys):
    path = runs / "en2desum" / "full" / "ncls" / "seed=0" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))
    words = ("table", "2", "--runs", str(runs), "--dataset", "en2desum", "--format", "md")
    code, out, err = run(monkeypatch, capsys, *words)
    assert (code, err) == (0, "")
    assert f"- Set aside: {path} (expected format 2, found 1" in out
    assert run(monkeypatch, capsys, *words, "--strict")[0] == 1


def test_only_damaged_results_are_one_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine" / "minimum" / "ncls" / "seed=0" / "results.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    code, out, err = run(monkeypatch, capsys, "table", "--runs", str(tmp_path))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert f"no finished run here; mclas-train makes one. Set aside: {path} (" in err


def test_a_scenario_that_is_not_asked_for_is_not_read(runs, monkeypatch, capsys):
    path = runs / "en2desum" / "full" / "ncls" / "seed=0" / "results.json"
    path.write_text("{")
    words = ("table", "--runs", str(runs), "--scenario", "minimum", "--format", "md")
    assert "Set aside" not in run(monkeypatch, capsys, *words)[1]
    assert "Set aside" in run(monkeypatch, capsys, *words[:3], "--format", "md")[1]


def test_the_report_is_one_file_and_its_tables_are_files(runs, tmp_path, monkeypatch, capsys):
    made_up_analysis(runs / "en2desum" / "minimum" / "mclas" / "seed=0")
    words = ("--runs", str(runs), "--out", str(tmp_path / "report.html"))
    files = ("--files", str(tmp_path / "paper"), "--data", str(tmp_path))
    code, out, err = run(monkeypatch, capsys, "report", *words, *files)
    assert (code, err) == (0, "")
    parts = [*(f"table{n}" for n in range(1, 8)), "figure3", "section6"]
    names = [f"{name}.{end}" for name in parts for end in ("csv", "md", "tex")]
    assert sorted(path.name for path in (tmp_path / "paper").iterdir()) == sorted(names)
    assert out.count("written: ") == len(names) + 2
    text = (tmp_path / "report.html").read_text("utf-8")
    assert text.startswith("<!doctype html>")
    (link,) = re.findall(r'href="(report-pages/[^"]*)"', text)
    assert (tmp_path / unquote(link)).read_text("utf-8").startswith("<!doctype html>")


def test_a_report_whose_tables_have_no_place_writes_nothing(runs, tmp_path, monkeypatch, capsys):
    (tmp_path / "paper").write_text("a file")
    words = ("--runs", str(runs), "--out", str(tmp_path / "report.html"), "--data", str(tmp_path))
    files = ("--files", str(tmp_path / "paper"))
    code, out, err = run(monkeypatch, capsys, "report", *words, *files)
    assert (code, out) == (2, "")
    assert f"{tmp_path / 'paper'}: cannot create this folder" in err
    assert not (tmp_path / "report.html").exists()
    files = ("--files", str(tmp_path / "none"), "--dataset", "nope")
    assert run(monkeypatch, capsys, "report", *words, *files)[0] == 2
    assert not (tmp_path / "none").exists()


def test_what_the_report_sets_aside_is_said_on_stderr(runs, tmp_path, monkeypatch, capsys):
    broken = runs / "en2desum" / "full" / "ncls" / "seed=0" / "results.json"
    broken.write_text("{")
    judged = runs / "en2desum" / "minimum" / "human.json"
    judged.write_text("{")
    words = ("--runs", str(runs), "--out", str(tmp_path / "report.html"), "--data", str(tmp_path))
    code, out, err = run(monkeypatch, capsys, "report", *words)
    assert (code, out) == (0, f"written: {tmp_path / 'report.html'}\n")
    first, second = err.splitlines()
    assert first.startswith(f"Set aside: {broken} (")
    assert second.startswith(f"Set aside: {judged} (")


def test_predictions_of_another_scoring_are_named_once(tmp_path, monkeypatch, capsys):
    text = {"mono": "A fire.", "cross": "Ein Feuer."}
    record = {"id": "a", "document": "A hotel burns.", "hypotheses": text, "references": text}
    for model in ("ncls", "mclas"):
        write_run(tmp_path, "mine", "minimum", model, 0, num=1)
        folder = tmp_path / "mine" / "minimum" / model / "seed=0"
        (folder / "predictions.jsonl").write_text(json.dumps(record) + "\n")
    results = json.loads((folder / "results.json").read_text())
    results["provenance"]["predictions_sha256"] = "another"
    (folder / "results.json").write_text(json.dumps(results))
    words = ("--dataset", "mine", "--runs", str(tmp_path))
    _, shown, _ = run(monkeypatch, capsys, "show", *words)
    out = ("--out", str(tmp_path / "report.html"), "--data", str(tmp_path))
    _, _, err = run(monkeypatch, capsys, "report", *words, *out)
    for said in (shown, err):
        assert "".join(said.split()).count("isnotthefilethatresults.json") == 1
    assert "NCLS" in shown
    assert "MCLAS" not in shown
    (tmp_path / "mine" / "minimum" / "ncls" / "seed=0" / "results.json").unlink()
    code, _, err = run(monkeypatch, capsys, "show", *words)
    assert (code, err.count("is not the file that results.json")) == (2, 1)


def test_a_number_is_left_out_for_the_comparison_of_what_is_there(runs, monkeypatch, capsys):
    words = ("table", "--runs", str(runs), "--scenario", "full", "--format", "md")
    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    assert out.count("### ") == 1
    assert "### en2desum, full: cross summaries (de)" in out


def test_toy_means_all_its_directions(tmp_path, monkeypatch, capsys):
    for dataset in ("toy_en2de", "toy_en2zh"):
        write_run(tmp_path, dataset, "minimum", "ncls", 0, num=NUM)
    words = ("table", "2", "--runs", str(tmp_path), "--dataset", "toy", "--format", "csv")
    _, out, _ = run(monkeypatch, capsys, *words)
    assert "table2-toy_en2de,minimum,NCLS" in out
    assert "table2-toy_en2zh,minimum,NCLS" in out


@pytest.mark.parametrize(
    "words", [["table", "2"], ["table"], ["table", "6", "--format", "tex"], ["report"]]
)
def test_what_is_drawn_imports_nothing_heavy(runs, tmp_path, words):
    code = (
        "import sys; from mclas_lightning.cli.main import main; sys.argv[0] = 'mclas'; main(); "
        f"print(sorted(set(sys.modules) & set('{HEAVY}'.split())), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--runs", str(runs)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == "[]\n"


def test_figures_of_heads_are_drawn_from_files_alone(tmp_path, monkeypatch, capsys):
    made_up_analysis(tmp_path / "run")
    words = ("--run", str(tmp_path / "run"), "--id", "a", "--out", str(tmp_path / "a.svg"))
    code, out, err = run(monkeypatch, capsys, "figure", "5", *words, "--head", "1.2", "2.3")
    assert (code, err) == (0, "")
    assert out.endswith("a.svg, document a\n")
    assert ">2.3<" in (tmp_path / "a.svg").read_text("utf-8")
    monkeypatch.setattr("mclas_lightning.report.fonts.lacks_font", lambda words: "Munich" in words)
    said = ["no font" in run(monkeypatch, capsys, "figure", n, *words)[1] for n in ("5", "9")]
    assert said == [True, False]  # Figure 9 draws no word.


def test_what_a_figure_of_heads_lacks_is_one_line(tmp_path, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "figure", "9")
    assert (code, err) == (2, "error: figure 9: give a run that was analyzed, --run RUN\n")
    code, _, err = run(monkeypatch, capsys, "figure", "9", "--run", str(tmp_path))
    assert code == 2
    assert "no such file; analyze the run with mclas heads RUN" in err
