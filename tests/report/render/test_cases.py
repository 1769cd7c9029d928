import pytest
from rich.cells import cell_len

from mclas_lightning.report.cases import pick_cases
from mclas_lightning.report.render.cases import shorten
from tests.report.drawn_cases import BOTH, CROSS, MONO, drawn


def test_a_case_shows_the_document_the_references_and_what_each_system_wrote(run):
    text = drawn(pick_cases([run("ms", MONO), run("ncls", CROSS), run("mclas", BOTH)], num=1))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert [row for row in rows if row] == [
        ["Document", "en", "a document"],
        ["Reference", "en", "the mono reference"],
        ["", "de", "die Referenz"],
        ["MS", "en", "a short one"],
        ["", "", "lacks: the mono reference"],
        ["NCLS", "de", "eine kurze"],
        ["", "", "lacks: die Referenz"],
        ["MCLAS", "en", "a short one"],
        ["", "", "lacks: the mono reference"],
        ["", "de", "eine kurze"],
        ["", "", "lacks: die Referenz"],
    ]


def test_an_empty_summary_is_shown_as_empty(run):
    text = drawn(pick_cases([run("ncls", CROSS | {"hypotheses": {"cross": " "}})], num=1))
    assert "│ NCLS      │ de │ (empty) " in text


def test_brackets_in_a_text_are_not_taken_for_markup(run):
    wrote = CROSS | {"hypotheses": {"cross": "and [/y] too"}}
    text = drawn(pick_cases([run("ncls", wrote, document="see [bold] and [/x]")]))
    assert "see [bold] and [/x]" in text
    assert "and [/y] too" in text


@pytest.mark.parametrize("width", [60, 81, 100])
def test_chinese_text_keeps_every_line_within_the_width(run, width):
    text = drawn(pick_cases([run("ncls", CROSS, document="网络 nginx 安全更新公告," * 50)]), width)
    assert "安全" in text
    assert {cell_len(line) for line in text.splitlines() if "│" in line} == {width}


def test_a_long_document_is_cut_after_a_word():
    assert shorten("one two  three\nfour", cells=11) == "one two ..."
    assert shorten("one  two", cells=11) == "one two"
    assert shorten("安全更新公告", cells=9) == "安全更新 ..."
    assert cell_len(shorten("word " * 500)) <= 404


def test_what_the_reference_has_is_underlined_and_two_words_or_more_are_bold(run):
    wrote = {"hypotheses": {"cross": "der kleine Hund, die Katze"}}
    wrote |= {"references": {"cross": "Der kleine Mann und die große Katze"}}
    text = drawn(pick_cases([run("ncls", wrote)], num=1), color=True)
    assert "\x1b[1;4mder kleine\x1b[0m" in text
    assert "\x1b[4mKatze\x1b[0m" in text
    assert "\x1b[4mHund" not in text
    assert "lacks: Mann und, große" in text
