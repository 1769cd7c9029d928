"""Words of a document and its summaries that attention aligns, by the heads that heads.json names.

A word of S^B is linked with the word of the document that the strongest lookup head gives most, and
with one word of S^A (``heads.counterparts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import category
from unicodedata import normalize as unicode_form

from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.example import SIDES
from mclas_lightning.heads.counterparts import WAYS, Way, looking_up
from mclas_lightning.heads.gather import document_maps
from mclas_lightning.runs.heads import HeadsResults, strongest

Span = tuple[int, int]  # first character and the one after the last


@dataclass(frozen=True)
class Links:
    """Where the words of the texts stand, and the places of those that are linked."""

    spans: dict[str, list[Span | None]]  # mono, cross, document -> words; None: not in the text
    pairs: list[tuple[int, str, int]]  # a word of cross, a text, and a word of that


def links_of(
    summarizer: NetworkSummarizer,
    heads: HeadsResults,
    document: str,
    summaries: Summaries,
    max_summary: int,
    language: str,
) -> Links | None:
    """The links of the system's own ``summaries``.

    None where no decoder writes S^A and then S^B, or where a summary is empty.
    """
    decoders = [name for name, sides in summarizer.task.targets.items() if sides == SIDES]
    if not decoders or not all(summaries[side].strip() for side in SIDES):
        return None
    maps = document_maps(summarizer, decoders[-1], document, summaries, max_summary, language)
    places = {"mono": maps.target.places(0), "cross": maps.target.places(1)}
    places["document"] = maps.source.places()
    pairs = []
    for text, way in _ways(heads).items():
        layer, head, ahead, _ = strongest(heads.scores(way.attention), way.kind)
        counterparts = way.likeness(maps, ahead)[layer, head].argmax(-1).tolist()
        pairs += [(j, text, i) for j, i in enumerate(counterparts)]
    texts = {**{side: summaries[side] for side in SIDES}, "document": document}
    labels = {"mono": maps.target.labels, "cross": maps.target.labels}
    labels["document"] = maps.source.labels
    return Links(
        {
            name: spans(texts[name], [labels[name][place] for place in places[name]])
            for name in texts
        },
        pairs,
    )


def _ways(heads: HeadsResults) -> dict[str, Way]:
    """How words of S^A and of the document are found; S^A's by the lower known error rate."""
    to_mono = min(WAYS, key=lambda name: heads.alignment.get(name, 1))
    ways = {"mono": WAYS[to_mono], "document": Way("cross", "lookup", looking_up)}
    return {text: way for text, way in ways.items() if way.kind in heads.scores(way.attention)}


def spans(text: str, words: Sequence[str]) -> list[Span | None]:
    """Where each of ``words`` stands in ``text``, which has them in this order.

    Case and accents, which a tokenizer may remove, count for nothing. A word that it has changed
    otherwise has no span.
    """
    letters = [_plain(letter) for letter in text]
    plain, found, at = "".join(letters), list[Span | None](), 0
    places = [place for place, letter in enumerate(letters) for _ in letter] + [len(text)]
    for word in map(_plain, words):
        start = plain.find(word, at) if word else -1
        end = start + len(word)
        found.append(None if start < 0 else (places[start], places[end]))
        at = at if start < 0 else end
    return found


def _plain(text: str) -> str:
    """``text`` without case and marks on letters."""
    return "".join(c for c in unicode_form("NFD", text.lower()) if category(c) != "Mn")
