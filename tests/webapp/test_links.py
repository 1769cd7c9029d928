from dataclasses import replace

import numpy as np
import pytest

from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.heads import gather
from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.inference.trained import load_summarizer
from mclas_lightning.runs.heads import SCORE_KEYS, HeadsResults
from mclas_lightning.runs.run import Run
from mclas_lightning.webapp import links
from mclas_lightning.webapp.links import links_of, spans


def scores(layer: int, head: int, high: float) -> dict:
    mean = np.zeros((1, 4))
    mean[layer, head] = high
    return dict.fromkeys(SCORE_KEYS, mean.tolist())


def heads_results(**kinds: dict) -> HeadsResults:
    cross = {"lookup": kinds.pop("lookup")} if "lookup" in kinds else {}
    found = {"gold": {"self": kinds, "cross": cross}}
    run = {"dataset": "small", "scenario": "minimum", "model": "mclas", "seed": 0}
    thresholds = {"self": {}, "cross": {}}
    return HeadsResults(run=run, thresholds=thresholds, decoders={"decoder": found})


@pytest.fixture(scope="module")
def summarizer(finished_run):
    return load_summarizer(Run(finished_run))


TEXTS: Summaries = {"mono": "storm 3 hits Munich", "cross": "Sturm 3 trifft München"}
DOCUMENT = "On day 3 there was a storm in Munich."


def made_up(maps: DocumentMaps, ahead: int) -> DocumentMaps:
    """Maps in which word n of S^B looks at word n of S^A, and at the last word of the document."""
    first, second = maps.target.places(0), maps.target.places(1)
    self_LHWW, cross_LHWV = np.zeros_like(maps.self_LHWW), np.zeros_like(maps.cross_LHWV)
    for one, other in zip(second, first, strict=False):
        self_LHWW[0, 2, one - ahead, other] = 1
    cross_LHWV[0, 1, second, maps.source.places()[-1]] = 1
    return maps._replace(self_LHWW=self_LHWW, cross_LHWV=cross_LHWV)


@pytest.mark.parametrize("ahead", [0, 1])
def test_a_word_is_linked_with_what_the_strongest_heads_look_at(summarizer, monkeypatch, ahead):
    real = gather.document_maps
    monkeypatch.setattr(links, "document_maps", lambda *given: made_up(real(*given), ahead))
    name = "translation_ahead" if ahead else "translation"
    kinds = {"translation": scores(0, 2, 0.1), name: scores(0, 2, 0.5)}
    heads = heads_results(**kinds, lookup=scores(0, 1, 0.4))
    found = links_of(summarizer, heads, DOCUMENT, TEXTS, 40, "en")
    assert found is not None
    shown = {
        text: [one and (TEXTS | {"document": DOCUMENT})[text][slice(*one)] for one in places]
        for text, places in found.spans.items()
    }
    assert shown["cross"] == TEXTS["cross"].split()
    pairs = [(shown["cross"][j], text, shown[text][i]) for j, text, i in found.pairs]
    assert pairs[:4] == [
        ("Sturm", "mono", "storm"), ("3", "mono", "3"), ("trifft", "mono", "hits"),
        ("München", "mono", "Munich"),
    ]  # fmt: skip
    assert {(text, word) for _, text, word in pairs[4:]} == {("document", ".")}


def test_a_real_run_is_linked_by_its_own_attention(summarizer):
    heads = heads_results(translation=scores(0, 0, 0.3))
    found = links_of(summarizer, heads, DOCUMENT, TEXTS, 40, "en")
    assert found is not None
    assert [j for j, _, _ in found.pairs] == [*range(len(found.spans["cross"]))]
    assert {text for _, text, _ in found.pairs} == {"mono"}


def test_the_alignment_with_the_lower_error_rate_is_shown(summarizer, monkeypatch):
    real = gather.document_maps

    # Read alike: all words of S^B by the kept heads, and no word of S^A but the last one.
    def alike(*given):
        maps = made_up(real(*given), 0)
        maps.cross_LHWV[0, 1, maps.target.places(0)[-1], maps.source.places()[-1]] = 1
        return maps

    monkeypatch.setattr(links, "document_maps", alike)
    heads = heads_results(translation=scores(0, 2, 0.5), lookup=scores(0, 1, 0.4))
    for rates, last in (({"best head": 0.2, "through the document": 0.9}, {0, 1, 2, 3}),
                        ({"best head": 0.9, "through the document": 0.2}, {3})):  # fmt: skip
        known = replace(heads, alignment=rates)
        found = links_of(summarizer, known, DOCUMENT, TEXTS, 40, "en")
        assert found is not None
        assert {i for _, text, i in found.pairs if text == "mono"} == last


def test_an_empty_summary_has_no_links(summarizer):
    heads = heads_results(translation=scores(0, 0, 0.3))
    assert links_of(summarizer, heads, DOCUMENT, {**TEXTS, "cross": " "}, 40, "en") is None


def test_words_are_found_in_their_order_whatever_their_case():
    assert spans("The cat, the dog.", ["the", "cat", ",", "the", "dog", "."]) == [
        (0, 3), (4, 7), (7, 8), (9, 12), (13, 16), (16, 17),
    ]  # fmt: skip
    assert spans("a b", ["a", "x", "b"]) == [(0, 1), None, (2, 3)]
    assert spans("\u0130x y", ["y"]) == [(3, 4)]  # in lower case, this I has two characters


def test_words_without_accents_are_found_at_their_own_place():
    """An uncased BERT reads "für" as "fur", which stands in Erfurt, too."""
    text = "Für Erfurt gibt es Geld fu\u0308r हिन्दी und 한글."
    words = ["fur", "erfurt", "gibt", "es", "geld", "fur", "हिनदी", "und"]
    words += ["\u1112\u1161\u11ab글", ""]
    found = [text[slice(*span)] if span else None for span in spans(text, words)]
    assert found == [*text.removesuffix(".").split(), None]
