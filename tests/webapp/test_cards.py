import re
from html import unescape

from mclas_lightning.webapp.cards import card, message
from mclas_lightning.webapp.links import Links

TEXTS = {"mono": "a <b> c", "cross": "x & y", "document": "a <b> c d"}
LANGUAGES = {"mono": "en", "cross": "ar", "document": "en"}
LINKS = Links(
    {
        "mono": [(0, 1), (2, 5), None],
        "cross": [(0, 1), (2, 3), (4, 5)],
        "document": [(0, 1), (2, 5), (6, 7), (8, 9)],
    },
    [(0, "mono", 1), (0, "document", 3), (2, "mono", 2)],
)


def text_of(html: str) -> list[str]:
    return [unescape(re.sub(r"<[^>]+>", "", found)) for found in re.findall(r"<p dir.*?</p>", html)]


def test_every_text_is_shown_as_it_is_in_its_language():
    for links in (None, LINKS):
        html = card("<i>", TEXTS, LANGUAGES, links=links)
        assert "<h3>&lt;i&gt;</h3>" in html
        assert text_of(html) == [
            TEXTS["mono"],
            TEXTS["cross"],
            *([TEXTS["document"]] if links else []),
        ]
        assert '<p dir="auto" lang="ar">' in html


def test_a_linked_word_names_its_words():
    html = card("run", TEXTS, LANGUAGES, links=LINKS)
    assert '<span data-word="cross-0" data-to="mono-1 document-3" tabindex="0">x</span>' in html
    assert '<span data-word="mono-1">&lt;b&gt;</span>' in html
    assert '<span data-word="document-3">d</span>' in html
    assert html.count("data-word") == 4  # A word of no pair, and one without a place, has none.


def test_a_system_of_one_side_and_notes_are_shown():
    html = card("ncls", {"cross": "y", "document": "d"}, LANGUAGES, notes=["was cut: 5 < 6"])
    assert text_of(html) == ["y"]
    assert "The document was cut: 5 &lt; 6." in html


def test_a_message_is_escaped():
    assert "&lt;x&gt;" in message("run", "<x>", error=True)
