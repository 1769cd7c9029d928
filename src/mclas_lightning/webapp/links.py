"""Words of a document and its summaries that attention aligns, by the heads that heads.json names.

The head of kind ``translation`` looks from a word of S^B at its word of S^A, and the head of kind
``lookup`` from a word of S^B at its word of the document (``heads.kinds``). A word is linked with
the one word that its head looks at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.decoding.summarizer import Summarizer
from mclas_lightning.heads.gather import DocumentMaps, document_maps
from mclas_lightning.heads.inputs import BOTH
from mclas_lightning.heads.words import Array, Places
from mclas_lightning.report.heads_table import strongest
from mclas_lightning.runs.heads import AHEAD, HeadsResults

Span = tuple[int, int]  # first character and the one after the last


@dataclass(frozen=True)
class Links:
    """Where the words of the texts stand, and the places of those that are linked."""

    spans: dict[str, list[Span | None]]  # mono, cross, document -> words; None: not in the text
    pairs: list[tuple[int, str, int]]  # a word of cross, a text, and a word of that


def links_of(
    summarizer: Summarizer,
    heads: HeadsResults,
    document: str,
    summaries: Summaries,
    max_summary: int,
    language: str,
) -> Links | None:
    """The links of the system's own ``summaries``.

    None where no decoder writes S^A and then S^B, or where a summary is empty.
    """
    decoders = [name for name, sides in summarizer.task.targets.items() if sides == BOTH]
    if not decoders or not all(summaries[side].strip() for side in BOTH):
        return None
    maps = document_maps(summarizer, decoders[-1], document, summaries, max_summary, language)
    places = {"mono": maps.target.places(0), "cross": maps.target.places(1)}
    places["document"] = maps.source.places()
    pairs = [
        (j, text, i)
        for attention, kind, text in (
            ("self", "translation", "mono"),
            ("cross", "lookup", "document"),
        )
        if kind in heads.scores(attention)
        for j, i in enumerate(
            _looks_at(maps, heads, attention, kind, places["cross"], places[text])
        )
    ]
    texts = {**{side: summaries[side] for side in BOTH}, "document": document}
    labels = {"mono": maps.target.labels, "cross": maps.target.labels}
    labels["document"] = maps.source.labels
    return Links(
        {
            name: spans(texts[name], [labels[name][place] for place in places[name]])
            for name in texts
        },
        pairs,
    )


def _looks_at(
    maps: DocumentMaps,
    heads: HeadsResults,
    attention: str,
    kind: str,
    rows: Places,
    columns: Places,
) -> list[int]:
    """The column that the strongest head of a kind gives most from each row."""
    (layer, head), _ = strongest(heads, attention, kind)
    scores = heads.scores(attention)
    means = {
        name: scores[name]["mean"][layer][head] for name in (kind, kind + AHEAD) if name in scores
    }
    ahead = max(means, key=means.__getitem__) != kind  # from the row that predicts the word
    weights: Array = (maps.self_LHWW if attention == "self" else maps.cross_LHWV)[layer, head]
    return np.asarray(weights[rows - ahead][:, columns]).argmax(-1).tolist()


def spans(text: str, words: Sequence[str]) -> list[Span | None]:
    """Where each of ``words`` stands in ``text``, which has them in this order.

    A tokenizer may have changed a word; such a word has no span.
    """
    lowered, found, at = text.lower(), list[Span | None](), 0
    if len(lowered) != len(text):  # Lower case of a Turkish dotted I has two characters.
        lowered = text
    for word in words:
        start = lowered.find(word.lower(), at)
        found.append(None if start < 0 else (start, start + len(word)))
        at = at if start < 0 else start + len(word)
    return found
