import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.runs import write_run, write_runs
from mclas_lightning.report import page
from mclas_lightning.report.finished_runs import Runs
from mclas_lightning.report.layout import LAYOUTS
from mclas_lightning.report.tables import TableRequest
from tests.report.analyses import made_up_analysis
from tests.report.chromium import needs_chromium, title_after
from tests.report.score_sheets import change

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that tags are closed in their order, and collects ids, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        if (id := found.get("id")) and "svg" not in self.open:
            self.ids.append(id)
        self.links += [v for k, v in found.items() if k in ("href", "src", "xlink:href") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def written(tmp_path) -> str:
    """The page of a whole En2DeSum and of one toy run with predictions."""
    places = [(s.scenario, s.model) for s in LAYOUTS[2].systems]
    write_runs(tmp_path / "runs", ["en2desum"], places, [0, 1], num=31)
    write_run(tmp_path / "runs", "toy_en2zh", "minimum", "ncls", 0, num=1, bertscore=False)
    line = {
        "id": "<d0>", "document": "A fire & a hotel.", "references": {"cross": "酒店着火<br>"},
        "hypotheses": {"cross": "酒店失火"},
    }  # fmt: skip
    folder = tmp_path / "runs" / "toy_en2zh" / "minimum" / "ncls" / "seed=0"
    (folder / "predictions.jsonl").write_text(json.dumps(line) + "\n")
    request = TableRequest(Runs(tmp_path / "runs"), [], data=tmp_path)
    return page.page_html(page.full_report(request), Path("runs"), "pages")


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    found.close()
    return found


def test_the_page_is_whole_and_needs_no_other_file(written):
    found = outline(written)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert all(link.startswith("#") for link in found.links)
    assert {link[1:] for link in found.links if link.startswith("#")} & set(found.ids)
    assert "script" not in found.tags
    assert not re.search(r"url\((?!#)|@import", written)


def test_it_holds_all_tables_the_figure_runs_and_examples(written):
    found = outline(written)
    wanted = [f"table{n}-en2desum" for n in (1, 2, 5, 6, 7)] + ["table3-zh2ensum", "runs"]
    wanted += ["table2-zh2ensum", "table2-en2zhsum", "table2-toy_en2zh", "figure3-en2desum"]
    assert set(wanted) <= set(found.ids)
    assert found.tags.count("svg") == 1
    assert "prefers-color-scheme: dark" in written
    words = " ".join(found.text)
    for text in (
        "27 runs",
        "en2desum/full/mclas/seed=1",
        "rouge|profile:standard|lang:de",
        "torch",
    ):
        assert text in words
    assert 'class="scroll"' in written


def test_examples_are_marked_and_their_text_is_only_text(written):
    assert '<mark>酒店</mark>失<mark class="one">火</mark>' in written
    assert "lacks: 着, br" in written
    assert "Document &lt;d0&gt;" in written
    assert "酒店着火&lt;br&gt;" in written


def test_every_text_has_the_direction_of_its_own_script(written):
    """Arabic, Hebrew and Persian stand from the right."""
    texts = re.findall(r"<dd [^>]*>", written)
    assert len(texts) == 3  # document, reference, summary
    assert all('dir="auto"' in tag for tag in texts)
    assert written.count('<th scope="row" dir="auto">') == written.count('<th scope="row"') > 9


def test_a_run_that_does_not_match_its_files_is_named_in_the_table_of_runs(finished_run, tmp_path):
    run = tmp_path / "small" / "minimum" / "mclas" / "seed=0"
    shutil.copytree(finished_run, run)
    request = TableRequest(Runs(tmp_path), ["small"], data=tmp_path)
    found = page.full_report(request)
    ((_, verified, *_),) = found.runs.sections[0].rows
    assert verified == "yes"
    assert not [note for note in page.notes_on_files(found) if "Does not match" in note]
    change(run / "results.json", scores__mono__length=2.0)
    found = page.full_report(request._replace(runs=Runs(tmp_path)))
    ((_, verified, *_),) = found.runs.sections[0].rows
    assert verified == "no: scores.npz, scores"
    assert "Does not match: scores: results.json, mono: length 2, found" in "".join(
        page.notes_on_files(found)
    )


def test_a_damaged_file_of_predictions_does_not_end_the_report(tmp_path):
    for seed, model in enumerate(("ncls", "mclas")):
        write_run(tmp_path, "toy_en2zh", "minimum", model, seed, num=1, bertscore=False)
        folder = tmp_path / "toy_en2zh" / "minimum" / model / f"seed={seed}"
        (folder / "predictions.jsonl").write_text("{damaged\n")
    text = page.page_html(
        page.full_report(TableRequest(Runs(tmp_path), [], data=tmp_path)), tmp_path, "pages"
    )
    # The examples name both, and so does the table of runs, which verifies them.
    assert text.count("predictions.jsonl:1: not a line of predictions") == 4
    assert "Set aside: " in text


def test_only_the_datasets_asked_for_are_in_it(tmp_path):
    for dataset in ("mine", "other"):
        write_run(tmp_path, dataset, "minimum", "ncls", 0, num=3)
    found = page.full_report(TableRequest(Runs(tmp_path), ["mine"], data=tmp_path))
    sheets = [sheet.name for part in found.parts[1:] for sheet in part.sheets]
    assert {name.split("-")[1] for name in sheets} == {"mine"}
    assert [row[0] for section in found.runs.sections for row in section.rows] == [
        "mine/minimum/ncls/seed=0"
    ]


def test_it_holds_section_6_where_heads_were_analyzed(tmp_path):
    write_run(tmp_path, "mine", "minimum", "mclas", 0, num=3)
    made_up_analysis(tmp_path / "mine" / "minimum" / "mclas" / "seed=0")
    found = page.full_report(TableRequest(Runs(tmp_path), ["mine"], data=tmp_path))
    assert [part.name for part in found.parts][-2:] == ["Figure 3", "Section 6"]
    text = page.page_html(found, tmp_path, "our pages")
    assert "What the decoder&#39;s heads do" in text
    assert "translation, 2.2 (0.70)" in text
    assert 'href="our%20pages/toy_en2de-minimum-mclas-seed%3D0.html"' in text


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", [480, 1280])
def test_chromium_draws_it_no_wider_than_the_window(written, tmp_path, width):
    """Only tables scroll; a page that is wider than its window writes so into its title."""
    probe = (
        "document.title = `${document.documentElement.scrollWidth <= innerWidth} "
        "${document.querySelectorAll('figure.sheet').length}`"
    )
    fits, sheets = title_after(probe, written, tmp_path, width).split()
    assert fits == "true"
    assert int(sheets) == written.count('<figure class="sheet"')
