"""The annotators' page, used in headless Chromium as an annotator would."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.judgements import read_returned
from mclas_lightning.human.page import write_pages
from mclas_lightning.human.results import PERSPECTIVES
from mclas_lightning.human.score import score_filled_sheets
from mclas_lightning.human.sheet import CHOICE_COLUMNS, SheetKey, write_sheets
from tests.human.browser import CHROMIUM, Browser

browser_needed = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

NASTY = (
    '</script><script>document.title = "broken"</script> <!-- <b onclick="x">"quoted" \'it\' & '
    "\u200f\u202e\u05e9\u05dc\u05d5\u05dd {placeholder} \\u0041 \u2028"
)


@pytest.fixture
def folder(tmp_path, runs) -> Path:
    """Sheets of five documents for two annotators, and their pages."""
    write_sheets(runs, tmp_path / "out", num=5, seed=0, annotators=2)
    write_pages(tmp_path / "out")
    return tmp_path / "out"


def page_of(folder: Path, annotator: int) -> Path:
    return folder / "pages" / f"annotator{annotator}.html"


def text_of(browser: Browser, selector: str) -> str:
    return browser.run(f"document.querySelector({json.dumps(selector)}).textContent")


def letter(slot: str, name: str) -> str:
    """JavaScript for the button of a letter in a question."""
    return f"[...document.querySelectorAll('#{slot} button')].find(b => b.textContent === '{name}')"


def choices(n: int) -> str:
    """Six different pairs of numbers for the six questions of document ``n``."""
    return "".join(f"{(n + k) % 4 + 1}{(n + k + 1 + k % 2) % 4 + 1}" for k in range(3))


def test_a_page_names_no_system_and_needs_nothing_from_outside(folder):
    for annotator in (1, 2):
        page = page_of(folder, annotator).read_text(encoding="utf-8")
        shown = re.sub(r"(mclas|ncls|ncls_ms) on \d+|mclas-human-", "", page)  # the summaries
        assert not re.search("mclas|ncls|gold", shown, re.I)
        assert "://" not in page
        assert not re.search(r"\b(src|href)\s*=\s*[\"']", page)
        assert "default-src 'none'" in page


def test_a_page_has_the_summaries_in_the_order_of_its_annotators_sheet(folder):
    key = SheetKey.read(folder)
    for annotator in (1, 2):
        page = page_of(folder, annotator).read_text(encoding="utf-8")
        found = re.search(r'id="page">(.*?)</script>', page)
        assert found
        items = json.loads(found[1])["items"]
        mine = {name: item for name, item in key.items.items() if item.annotator == annotator}
        assert [one["item"] for one in items] == list(mine)
        for one in items:
            item = mine[one["item"]]
            n = item.document.removeprefix("d")
            assert one["summaries"] == [
                f"reference of {n}" if system == "gold" else f"{system} on {n}"
                for system in item.order
            ]


def test_every_language_has_every_word(folder):
    found = re.search(r'id="page">(.*?)</script>', page_of(folder, 1).read_text(encoding="utf-8"))
    assert found
    words = json.loads(found[1])["words"]
    assert list(words) == ["en", "de", "zh"]
    for language in words.values():
        assert language.keys() == words["en"].keys()
        for name, value in language.items():
            assert re.findall(r"\{\w+\}", str(value)) is not None
            assert set(re.findall(r"\{\w+\}", str(value))) == set(
                re.findall(r"\{\w+\}", str(words["en"][name]))
            )


def test_a_folder_without_texts_is_refused(folder):
    (folder / "texts.json").unlink()
    with pytest.raises(InputError, match=r"texts\.json: no such file"):
        write_pages(folder)


@browser_needed
def test_what_is_typed_and_clicked_is_what_is_scored(folder, tmp_path):
    key = SheetKey.read(folder)
    with Browser(tmp_path / "first") as browser:
        browser.open(page_of(folder, 1))
        browser.press("Enter")
        time.sleep(0.3)  # read the first document
        for n in range(3):
            browser.press(*choices(n), "Enter")
        browser.press("ArrowLeft", "ArrowLeft", "n", "o", "k", "Escape", "ArrowRight", "ArrowRight")
        browser.press("1")
    with Browser(tmp_path / "first") as browser:  # closed and opened again
        browser.open(page_of(folder, 1))
        assert text_of(browser, ".done") == "3 of 5 done"
        browser.press("Backspace")  # clears nothing: the second question is empty
        browser.press("ArrowUp", *choices(3), "Enter", *choices(4), "Enter")
        assert text_of(browser, "h1") == "Everything is answered. Thank you!"
        browser.press("Enter")
        shutil.copy(browser.downloaded("annotator1-answers.csv"), folder)
    with Browser(tmp_path / "second") as browser:
        browser.open(page_of(folder, 2))
        browser.click("document.querySelector('main .main')")
        for n in range(5):
            for slot, number in zip(CHOICE_COLUMNS, choices(n), strict=True):
                browser.click(letter(slot, "ABCD"[int(number) - 1]))
            browser.click("document.querySelector('.way .main')")
        browser.click("document.querySelector('main .main')")
        shutil.copy(browser.downloaded("annotator2-answers.csv"), folder)
    expected = {}
    for number in (1, 2):
        mine = [item for item in key.items.values() if item.annotator == number]
        for n, item in enumerate(mine):
            for k, perspective in enumerate(PERSPECTIVES):
                pair = choices(n)[2 * k : 2 * k + 2]
                best, worst = (item.order[int(digit) - 1] for digit in pair)
                expected[number, item.document, perspective] = (best, worst)
    sheets = read_returned(folder, key)
    found = {one[:3]: one[3:] for sheet in sheets for one in sheet.judgements}
    assert found == expected
    assert 0.3 <= sheets[0].seconds[next(iter(key.items))] < 300
    assert len(sheets[0].seconds) == 5
    assert '"ok"' in sheets[0].path.read_text(encoding="utf-8")
    results = score_filled_sheets(folder)  # the blank sheets lie beside the answers
    assert (results.documents, results.annotators) == (5, 2)
    wins = sum((best == "gold") - (worst == "gold") for best, worst in expected.values()) / 30
    assert sum(results.preferences["gold"].values()) / 3 == pytest.approx(wins)


@browser_needed
def test_an_open_or_contradictory_answer_cannot_be_saved_as_a_file(folder, tmp_path):
    with Browser(tmp_path) as browser:
        browser.open(page_of(folder, 1))
        browser.press("Enter")
        for n in range(5):
            browser.press(*choices(n), "Enter")
        browser.press("ArrowLeft", "ArrowUp")
        assert text_of(browser, ".done") == "5 of 5 done"
        browser.click(letter("fluency_worst", "ABCD"[int(choices(4)[4]) - 1]))  # the best one
        assert "cannot be both" in text_of(browser, ".message")
        assert text_of(browser, ".done") == "4 of 5 done"
        browser.press("Enter")  # goes on, and does not press the clicked letter again
        assert text_of(browser, "h1") == "Still open, a click leads there:"
        assert browser.run("document.querySelectorAll('ol.open button').length") == 1
        browser.press("Enter")  # leads to the open document and its open question
        assert text_of(browser, "summary") == "Document 5 of 5"
        assert browser.run("document.querySelector('.now').id") == "fluency_best"


@browser_needed
def test_keys_alone_mend_answers_and_scroll_a_long_document(tmp_path, run):
    runs = [run(model, document="a long document " * 2_000) for model in ("ncls", "mclas")]
    write_sheets(runs, tmp_path / "out", num=2, seed=0, annotators=2)
    write_pages(tmp_path / "out")
    now = "document.querySelector('.now').id"
    with Browser(tmp_path) as browser:
        browser.open(page_of(tmp_path / "out", 1))
        browser.press("Enter", "1", "2")
        browser.press("ArrowUp", "1")  # worst is the best one now
        assert "cannot be both" in text_of(browser, ".message")
        assert browser.run(now) == "informativeness_best"  # is open, so the next number fills it
        browser.press("2")
        assert text_of(browser, ".message") == ""
        assert browser.run(now) == "conciseness_best"
        browser.press("3", "Backspace")  # takes back the 3
        assert browser.run(now) == "conciseness_best"
        assert not browser.run("answerOf(items[0]).conciseness_best")
        assert browser.run("answerOf(items[0]).informativeness_best") == "B"
        browser.press("PageDown")
        assert browser.run("document.querySelector('.desk > .card').scrollTop") > 300
        browser.press("PageUp")
        assert browser.run("document.querySelector('.desk > .card').scrollTop") == 0
        browser.run("document.querySelector('summary').focus()")
        browser.press("Enter")  # folds the document, and does not pass it
        assert browser.run("[state.at, document.querySelector('details').open]") == [0, False]
        browser.run("document.activeElement.blur()")
        browser.press("Enter")
        browser.hold("1")
        assert browser.run("[state.at, document.querySelector('.now').id]") == [
            1, "informativeness_worst",
        ]  # fmt: skip
        browser.hold("Enter")
        assert text_of(browser, "h1") == "Still open, a click leads there:"


@browser_needed
def test_answers_of_another_tab_are_never_lost(folder, tmp_path):
    with Browser(tmp_path) as browser:
        browser.open(page_of(folder, 1))
        browser.press("Enter", "1")
        with browser.second_tab():
            browser.open(page_of(folder, 1))
            browser.wait("state.answers[items[0].item]?.informativeness_best")
            browser.run("go(0)")
            browser.press(*choices(0)[1:])
        browser.wait("document.querySelector('.done').textContent === '1 of 5 done'")
        browser.press("Enter", "1")
        assert text_of(browser, ".done") == "1 of 5 done"
        assert "informativeness_worst" in browser.run("localStorage.getItem(store)")


@browser_needed
def test_a_text_is_shown_as_it_is_and_never_run(tmp_path, run):
    long = "long " * 2_000 + "x" * 10_000
    runs = [run("ncls"), run("mclas", text=long, document=f"{NASTY}\n\n{long}")]
    runs[0] = run(
        "ncls", text="{{".join(NASTY.split("{")).replace("}", "}}"), document=f"{NASTY}\n\n{long}"
    )
    write_sheets(runs, tmp_path / "out", num=2, seed=0, annotators=2)
    write_pages(tmp_path / "out")
    for width in (390, 1280):
        with Browser(tmp_path / str(width), width=width) as browser:
            browser.open(page_of(tmp_path / "out", 1))
            browser.press("Enter")
            shown = browser.run("[...document.querySelectorAll('.text')].map(e => e.textContent)")
            assert shown[0] == f"{NASTY}\n\n{long}"
            assert {NASTY.strip(), long.strip()} <= set(shown[1:])
            assert browser.run("document.title") == "Which summary is best?"
            assert browser.run("document.documentElement.scrollWidth <= innerWidth")


@browser_needed
def test_texts_have_their_language_and_direction(tmp_path, run):
    runs = [run("ncls", text="\u05e9\u05dc\u05d5\u05dd"), run("mclas")]
    write_sheets(runs, tmp_path / "out", num=1, seed=0, annotators=2)
    write_pages(tmp_path / "out")
    with Browser(tmp_path) as browser:
        browser.open(page_of(tmp_path / "out", 1))
        browser.press("Enter")
        found = browser.run(
            "[...document.querySelectorAll('.text')].map(e => "
            "[e.lang, getComputedStyle(e).direction, e.textContent])"
        )
    assert found[0][:2] == ["en", "ltr"]
    assert {one[0] for one in found[1:]} == {"de"}
    assert [one[1] for one in found[1:] if one[2] == "\u05e9\u05dc\u05d5\u05dd"] == ["rtl"]
    assert {one[1] for one in found[1:]} == {"ltr", "rtl"}


@browser_needed
@pytest.mark.parametrize(
    ("language", "title"),
    [("de", "Welche Zusammenfassung ist die beste?"), ("zh", "哪篇摘要最好？")],
)
@pytest.mark.parametrize("dark", [False, True])
def test_the_interface_speaks_the_browsers_language_on_a_phone(
    folder, tmp_path, language, title, dark
):
    with Browser(tmp_path, width=360, height=780, dark=dark, language=language) as browser:
        browser.open(page_of(folder, 1))
        assert text_of(browser, "h1") == title
        for _ in range(2):
            assert browser.run("document.documentElement.scrollWidth") == 360
            browser.press("Enter")
        ink, paper = browser.run(
            "['color', 'backgroundColor'].map(n => getComputedStyle(document.body)[n])"
        )
    lightness = [sum(map(int, re.findall(r"\d+", color))) for color in (ink, paper)]
    assert (lightness[0] > lightness[1]) == dark


@browser_needed
def test_the_page_says_when_an_answer_cannot_be_kept(folder, tmp_path):
    with Browser(tmp_path) as browser:
        browser.open(page_of(folder, 1))
        browser.press("Enter", "1")
        assert text_of(browser, ".saved") == "\u2713 Saved"
        browser.run("Storage.prototype.setItem = () => { throw new Error('full'); }")
        browser.press("2")
        assert text_of(browser, ".saved").startswith("Not saved!")
