from dataclasses import replace

import numpy as np

from mclas_lightning.config.compose import compose
from mclas_lightning.config.settings import read_settings
from mclas_lightning.example import write_jsonl
from mclas_lightning.heads.alignment import Lexicon
from mclas_lightning.heads.config import heads_config
from mclas_lightning.heads.findings import (
    Aligning,
    Findings,
    add_document,
    aligning_of,
    error_rates,
    shown_entry,
    summary_of,
)
from mclas_lightning.heads.gather import DocumentMaps
from mclas_lightning.heads.ibm1 import Aligner
from tests.conftest import examples
from tests.heads.conftest import words_with

A, B = ["fire", "in", "munich"], ["munchen", "brennt"]


TARGET = words_with(["[BOS]", *A, "[LSEP]", *B], [0] * 4 + [1] * 3)
SOURCE = words_with(["[CLS]", "munich", "burns", "[SEP]"], [0] * 4)


def maps(translates: bool) -> DocumentMaps:
    """Two heads: one is uniform; the other one looks from B's words at A's, or is uniform, too."""
    rows = np.tril(np.ones((7, 7))) / np.arange(1, 8)[:, None]
    self_LHWW = np.stack([rows, rows])[None]
    if translates:
        self_LHWW[0, 1, 5], self_LHWW[0, 1, 6] = np.eye(7)[3], np.eye(7)[1]
    return DocumentMaps(TARGET, SOURCE, self_LHWW, np.full((1, 2, 7, 4), 0.25))


def findings() -> Findings:
    aligner = Aligner([(A, B)], 1)
    lexicon = Lexicon([("munich", "München"), ("fire", "brennt")])
    found = Findings(heads_config(), Aligning(lexicon, aligner, 0.99), {"1"})
    for place in range(5):
        add_document(found, str(place), maps(translates=place > 0))
    return found


def test_the_aligner_learns_from_the_first_examples_with_both_summaries(words, corpus):
    bare = [replace(e, mono=None) if i % 2 else replace(e, cross=None)
            for i, e in enumerate(examples(5))]  # fmt: skip
    write_jsonl(corpus / "en2de" / "train.jsonl", [*bare, *examples(9, 10)])
    dataset = read_settings(compose("train", words))[0].dataset
    config = replace(heads_config(), aligner=replace(heads_config().aligner, pairs=2))
    model1 = aligning_of(dataset, config).model1
    assert model1 is not None
    assert {word for word in model1.forward.numbers_a if word.isdigit()} == {"10", "11"}


def test_scores_are_means_with_the_share_of_documents_that_reach_the_threshold():
    score = summary_of(findings())["self"]["translation"]
    assert score["num"] == 5
    assert score["share"] == [[0.0, 0.8]]
    assert score["low"][0][1] < score["mean"][0][1] < score["high"][0][1]
    assert score["low"][0][0] == score["high"][0][0]


def test_the_best_heads_alignment_is_compared_with_gold():
    found = findings()
    rates = error_rates(found, summary_of(found))
    # Four of five documents are aligned; the uniform head's first word is "fire" for both words.
    assert rates["best head"] == 1 - 9 / 10
    assert rates["diagonal"] == 1 - 0 / 10
    assert rates["model 1"] == 1


def test_words_correspond_through_the_document_where_they_read_it_alike():
    found = findings()
    # The rows before "munchen" ([LSEP]) and "munich" read one word of the document; the rows
    # before "brennt" and "fire" read another one.
    reading = maps(translates=False)
    reading.cross_LHWV[0, 1, [2, 4]], reading.cross_LHWV[0, 1, [0, 5]] = np.eye(4)[1], np.eye(4)[2]
    for place in range(5, 10):
        add_document(found, str(place), reading)
    rates = error_rates(found, summary_of(found))
    # In the first five documents all rows are alike, and "fire" is the first of equals.
    assert rates["through the document"] == 1 - 15 / 20
    assert rates["best head"] > rates["through the document"]
    assert rates["random"] > 0


def test_kept_documents_say_their_words_and_links():
    (one,) = findings().kept
    assert shown_entry("decoder", one) == {
        "id": "1", "decoder": "decoder", "target": [*TARGET.labels],
        "target_sides": [0, 0, 0, 0, 1, 1, 1], "source": [*SOURCE.labels],
        "links": [[5, 3], [6, 1]],
    }  # fmt: skip


def test_a_note_says_why_there_is_no_model_1(tmp_path):
    train, lexicon = tmp_path / "train.jsonl", Lexicon([("fire", "Feuer")])
    ways = "words are linked by identical strings alone"
    assert Aligning(None, None, 0.3).notes(train) == [f"{train}: is not here; {ways}"]
    train.touch()
    (note,) = Aligning(lexicon, None, 0.3).notes(train)
    assert "holds no summaries in both languages to learn from; words are linked by lexicon" in note
    assert Aligning(lexicon, Aligner([(["fire"], ["Feuer"])], 1), 0.3).notes(train) == []
