"""The modules of ``report.render``: each test compares several formats of the same sheets."""

import csv
import io
import shutil
import subprocess

import pytest

from mclas_lightning.report.render import html, latex, sheets_as_text
from mclas_lightning.report.sheet import Cell, Column, Section, Sheet
from tests.report.golden import GOLDEN, golden_texts, make


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> dict[str, str]:
    runs = tmp_path_factory.mktemp("runs")
    make(runs)
    return dict(golden_texts(runs))


def test_tables_equal_their_golden_files(texts):
    """``python -m tests.report.golden`` writes them anew; look at the difference."""
    assert sorted(texts) == sorted(path.name for path in GOLDEN.iterdir())
    for name, text in texts.items():
        assert text == (GOLDEN / name).read_text("utf-8"), name


def test_csv_reads_back_as_numbers(texts):
    rows = list(csv.reader(io.StringIO(texts["table2.csv"].split("\n\n")[0])))
    header, *body = rows
    assert {len(row) for row in rows} == {len(header)}
    assert len(body) == 14  # 13 systems and the guest
    record = dict(zip(header, body[2], strict=True))
    assert (record["Scenario"], record["System"]) == ("minimum", "MCLAS")
    difference = float(record["R-1 ours"]) - float(record["R-1 paper"])
    assert float(record["R-1 diff."]) == pytest.approx(difference, abs=0.005)
    assert float(record["R-1 deviation"]) >= 0
    assert record["R-1 seeds"] == "4"
    assert record["Test set"].startswith("211 documents, mean length 9.5000, SHA-256 ")
    assert record["Signature"].split("; ") == [
        "rouge|profile:standard|lang:de|version:2",
        "bertscore|encoder:made-up|layer:9",
    ]
    assert record["Decoding"] == "beam 5"


def test_csv_has_no_minus_before_a_zero():
    cell = Cell(mean=-0.0001, digits=3, interval=(-0.0002, 0.1))
    sheet = Sheet(
        name="one", title="", corner="System", columns=(Column("", "IF", True),),
        sections=[Section("", [("MCLAS", cell)])],
    )  # fmt: skip
    assert sheets_as_text([sheet], "csv").splitlines()[1] == "one,MCLAS,0.000,,1,,0.000,0.100"


def test_the_golden_files_show_marks_bold_and_what_is_missing():
    text = (GOLDEN / "table2.md").read_text("utf-8")
    assert r"\***" in text
    assert "| - |" in text
    assert "mclas-train" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_compiles(texts, tmp_path):
    tables = [text for name, text in texts.items() if name.endswith(".tex")]
    body = "\n".join([*tables, sheets_as_text([ODD, HOSTILE], "tex")])
    (tmp_path / "tables.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
        f"{body}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000


ODD = Sheet(
    name="odd",
    title="100% of a_b & <c>",
    corner="System",
    columns=(Column("R_1", "paper"), Column("R_1", "ours", True), Column("", "Seeds")),
    sections=[
        Section("", [("x|y", "-1.00", Cell(mean=1.0, deviation=0.5, seeds=2, best=True), "2")])
    ],
    notes=["{braces} ~ ^ \\ # $"],
    commands=["mclas-train 'a=${b}'"],
)


def test_characters_that_mean_something_are_escaped():
    markdown, tex = sheets_as_text([ODD], "md"), sheets_as_text([ODD], "tex")
    assert r"| x\|y | -1.00 | **1.00 ±0.50** | 2 |" in markdown
    assert r"100\% of a\_b \& $<$c$>$" in tex
    assert r"\{braces\} \textasciitilde{} \textasciicircum{} \textbackslash{} \# \$" in tex
    assert r"x$|$y & $-$1.00 & \textbf{1.00 $\pm$0.50} & 2 \\" in tex
    page = html.table(ODD)
    assert "100% of a_b &amp; &lt;c&gt;" in page
    assert "<c>" not in page


HOSTILE = Sheet(
    name="table2-100% a_b #1",
    title="Table 2. Scores, [mine] --strict",
    label="Table 2",
    corner="System",
    columns=(Column("", "R-1", True),),
    sections=[Section("", [("plain", Cell(mean=1.0)), ("[1] theirs", Cell(mean=2.0))])],
)


def test_a_latex_row_may_open_with_a_bracket():
    r"""A bracket after ``\\`` would be the length of a space, and LaTeX would stop."""
    tex = sheets_as_text([HOSTILE], "tex")
    assert "{[}1{]} theirs & 2.00" in tex
    assert not [line for line in tex.splitlines() if line.startswith("[")]


def test_a_latex_caption_leaves_the_number_to_latex():
    tex = sheets_as_text([HOSTILE], "tex")
    assert r"\caption{Scores, {[}mine{]} -{}-strict (as the paper's Table 2).}" in tex
    assert "### Table 2. Scores, [mine] --strict" in sheets_as_text([HOSTILE], "md")


def test_a_latex_label_has_none_of_the_characters_that_end_it():
    assert r"\label{tab:table2-100-25--20-a_b-20--23-1}" in sheets_as_text([HOSTILE], "tex")
    assert latex.label("table2-en2desum") == "table2-en2desum"
    assert latex.label("a b") != latex.label("a#b")


def test_headings_of_groups_span_their_columns():
    assert r"\multicolumn{2}{c}{R\_1} & \multicolumn{1}{c}{}" in sheets_as_text([ODD], "latex")
    assert r"\cmidrule(lr){2-3}" in sheets_as_text([ODD], "latex")
    assert 'colspan="2">R_1</th>' in html.table(ODD)


def test_latex_knows_no_special_character_twice():
    assert latex.escaped("\\%") == r"\textbackslash{}\%"
