"""The card of a run as HTML: its summaries and the document, with linked words."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from mclas_lightning.webapp.links import Links, Span

NAMES = {"mono": "S<sup>A</sup>", "cross": "S<sup>B</sup>", "document": "Document"}

HINT = "Point at an underlined word: attention aligns it with the marked ones."

# The colors are those of gradio's theme, which follow the browser's light or dark one.
CSS = """
.mclas { border: 1px solid var(--border-color-primary); border-radius: .5rem; }
.mclas { padding: .75rem 1rem; }
.mclas h3 { margin: 0 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
.mclas h4 { margin: .75rem 0 .2rem; font-size: .875rem; }
.mclas h4, .mclas h4 *, .mclas .note {
  color: color-mix(in srgb, var(--body-text-color) 75%, transparent);
}
.mclas p { margin: 0; line-height: 1.7; overflow-wrap: anywhere; white-space: pre-wrap; }
.mclas .note { font-size: .875rem; margin-top: .5rem; }
.mclas .error { border-inline-start: 3px solid #c33; padding-inline-start: .6rem; }
.mclas [data-to] { text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }
.mclas .on { background: #ffd75e; color: #222; border-radius: .2rem; }
.mclas details { margin-top: .75rem; }
.mclas summary { cursor: pointer; }
footer { display: none !important; }
"""

# Marks the words that belong to the one under the pointer, or to the one with the focus.
SCRIPT = """
<script>
const to = word => (word.dataset.to || "").split(" ");
const mark = target => {
  const word = target.closest ? target.closest(".mclas [data-word]") : null;
  for (const old of document.querySelectorAll(".mclas .on")) old.classList.remove("on");
  if (!word) return;
  for (const other of word.closest(".mclas").querySelectorAll("[data-word]")) {
    const linked = to(word).includes(other.dataset.word) || to(other).includes(word.dataset.word);
    other.classList.toggle("on", linked || other === word);
  }
};
for (const event of ["pointerover", "focusin", "click"])
  document.addEventListener(event, ({target}) => mark(target));
</script>
"""


def card(
    name: str,
    texts: Mapping[str, str],
    languages: Mapping[str, str],
    *,
    links: Links | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The card of the run ``name`` with its ``texts``: mono, cross, document.

    The document is folded, and is there where words of it are linked.
    """
    parts = [f"<h3>{escape(name)}</h3>"]
    for text in ("mono", "cross"):
        if text in texts:
            shown = _paragraph(text, texts[text], languages[text], links)
            parts.append(f"<h4>{NAMES[text]} ({escape(languages[text])})</h4>{shown}")
    parts += [f'<p class="note">The document {escape(note)}.</p>' for note in notes]
    if links:
        shown = _paragraph("document", texts["document"], languages["document"], links)
        parts.append(f"<details><summary>{NAMES['document']}</summary>{shown}</details>")
        parts.append(f'<p class="note">{HINT}</p>')
    return f'<section class="mclas">{"".join(parts)}</section>'


def message(name: str, text: str, *, error: bool = False) -> str:
    """A card with a line instead of summaries."""
    kind = "note error" if error else "note"
    line = f'<p class="{kind}" role="status">{escape(text)}</p>'
    return f'<section class="mclas"><h3>{escape(name)}</h3>{line}</section>'


def _paragraph(name: str, text: str, language: str, links: Links | None) -> str:
    content = "".join(_words(name, text, links)) if links else escape(text)
    return f'<p dir="auto" lang="{escape(language)}">{content}</p>'


def _words(name: str, text: str, links: Links) -> Iterator[str]:
    """The text, with an element for each linked word."""
    of_cross: dict[int, list[str]] = {}
    linked: set[int] = set()
    for j, other, i in links.pairs:
        of_cross.setdefault(j, []).append(f"{other}-{i}")
        linked |= {i} if other == name else set()
    at = 0
    for number, (start, end) in _placed(links.spans[name]):
        to = of_cross.get(number, []) if name == "cross" else []
        if not to and number not in linked:
            continue
        target = f' data-to="{" ".join(to)}" tabindex="0"' if to else ""
        yield escape(text[at:start])
        yield f'<span data-word="{name}-{number}"{target}>{escape(text[start:end])}</span>'
        at = end
    yield escape(text[at:])


def _placed(spans: Sequence[Span | None]) -> Iterator[tuple[int, Span]]:
    return ((number, span) for number, span in enumerate(spans) if span)
