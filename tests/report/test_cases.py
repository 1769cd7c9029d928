import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.tokens import tokens
from mclas_lightning.report.cases import lacking_phrases, matched_pieces, pick_cases
from mclas_lightning.runs.predictions import predictions_path
from mclas_lightning.runs.results import Results
from tests.report.drawn_cases import BOTH, CROSS, drawn


def shown_ids(text: str) -> list[str]:
    return re.findall(r"^Document (\S+)", text, flags=re.MULTILINE)


def test_the_same_documents_are_picked_whatever_the_order_of_runs_and_lines(run):
    runs = [run("ncls", CROSS), run("mclas", BOTH, numbers=range(10, -1, -1))]
    first, second = drawn(pick_cases(runs)), drawn(pick_cases(runs[::-1]))
    assert len(set(shown_ids(first))) == 3
    assert shown_ids(first) == shown_ids(second)


def test_another_seed_picks_other_documents(run):
    runs = [run("ncls", CROSS)]
    assert len({tuple(shown_ids(drawn(pick_cases(runs, seed=seed)))) for seed in range(5)}) > 1


def test_only_documents_that_all_runs_share_are_picked(run):
    runs = [run("ncls", CROSS, numbers=range(7)), run("mclas", BOTH, numbers=range(5, 11))]
    assert sorted(shown_ids(drawn(pick_cases(runs)))) == ["d5", "d6"]


def test_runs_that_share_no_document_are_refused(run):
    runs = [run("ncls", CROSS, numbers=[1]), run("mclas", BOTH, numbers=[2])]
    with pytest.raises(InputError, match="no document is shared by the predictions of NCLS, MCLAS"):
        pick_cases(runs)


def test_runs_of_two_datasets_are_refused(run):
    one = run("ncls", CROSS)
    with pytest.raises(InputError, match="one dataset; found: other, toy_en2de"):
        pick_cases([one, replace(one, dataset="other")])


def test_seeds_are_named_where_they_tell_runs_apart(run):
    text = drawn(pick_cases([run("ncls", CROSS, seed=seed) for seed in (0, 1)], num=1))
    assert "NCLS, seed 0" in text
    assert "NCLS, seed 1" in text


def test_an_outside_system_with_the_name_of_ours_is_told_apart(run):
    text = drawn(pick_cases([run("mclas", BOTH), run("MCLAS", BOTH)], num=1))
    assert "MCLAS" in text
    assert "MCLAS (outside)" in text


def test_chosen_documents_are_shown_in_the_order_asked_for(run):
    text = drawn(pick_cases([run("ncls", CROSS)], ids=["d7", "d2"]))
    assert shown_ids(text) == ["d7", "d2"]


def test_a_document_that_is_like_no_other_is_refused_without_one(run):
    with pytest.raises(InputError, match=r"document 'x' is not in the predictions of .*\w$"):
        pick_cases([run("ncls", CROSS)], ids=["x"])


def test_a_document_that_is_not_there_is_refused_with_a_near_one(run):
    with pytest.raises(InputError, match=r"document 'd77' is not in .* NCLS; did you mean 'd7'"):
        pick_cases([run("ncls", CROSS)], ids=["d77"])


def rewritten(run: Results, **provenance: str) -> Results:
    """The run with the hash of its predictions, and more, in its results."""
    assert run.folder is not None
    written = (run.folder / "predictions.jsonl").read_bytes()
    kept = {"predictions_sha256": hashlib.sha256(written).hexdigest()}
    return replace(run, provenance=kept | provenance)


def test_predictions_that_were_not_scored_are_set_aside(run):
    ncls, mclas = rewritten(run("ncls", CROSS)), rewritten(run("mclas", BOTH))
    path = predictions_path(mclas)
    with path.open("a") as file:
        file.write("\n")
    text = drawn(pick_cases([ncls, mclas]), width=300)
    assert "│ NCLS " in text
    assert "│ MCLAS " not in text
    said = f"Set aside: {path}: is not the file that results.json was scored from; write it again"
    assert said in text
    with pytest.raises(InputError, match=r"is not the file that results\.json"):
        pick_cases([mclas])


def test_missing_predictions_do_not_end_the_others(run):
    missing = replace(run("mclas", BOTH), folder=Path("nowhere"))
    text = drawn(pick_cases([run("ncls", CROSS), missing]), width=200)
    assert "│ NCLS " in text
    assert "Set aside: nowhere/predictions.jsonl: cannot be read" in text


@pytest.mark.parametrize(
    "change", [{"document": "another"}, {"references": {"cross": "eine andere"}}]
)
def test_documents_of_two_test_sets_with_the_same_ids_are_not_mixed(run, change):
    other = run("mclas", CROSS | change)
    other = replace(other, scores={"cross": other.scores["cross"]})
    text = drawn(pick_cases([run("ncls", CROSS), other], num=1), width=200)
    assert "│ NCLS " in text
    assert "│ MCLAS " not in text
    assert "Set aside: document 'd0' or its reference differs between NCLS and MCLAS; score" in text
    assert "another" not in text
    assert "eine andere" not in text


def test_runs_that_name_another_test_set_than_most_are_set_aside(run):
    shas = {"ncls": "a", "ncls_ms": "b", "mclas": "b"}
    runs = [rewritten(run(model, BOTH), test_sha256=sha) for model, sha in shas.items()]
    runs = [runs[0], rewritten(run("theirs", BOTH)), *runs[1:]]  # An outside system names none.
    found = pick_cases(runs)
    assert [summary.system for summary in found.cases[0].summaries[::2]] == [
        "theirs", "NCLS+MS", "MCLAS",
    ]  # fmt: skip
    (reason,) = found.aside
    assert reason.startswith(f"{runs[0].folder}: was scored on another test set than NCLS+MS")


def marked(text: str, reference: str) -> list[tuple[str, int]]:
    return [(piece.text, piece.size) for piece in matched_pieces(text, reference) if piece.size]


def test_the_longest_n_grams_are_marked_in_the_texts_own_spelling():
    reference = "Fire at Dublin hotel: eight people in hospital"
    assert marked("FIRE at Dublin's hotel, eight people die", reference) == [
        ("FIRE at Dublin", 3), ("hotel, eight people", 3),
    ]  # fmt: skip


def test_a_longer_n_gram_further_on_in_the_reference_wins():
    assert marked("a b c", "a b x a b c") == [("a b c", 3)]


def test_chinese_is_marked_by_characters():
    found = marked("都柏林一家酒店着火", "巴黎一家酒店失火")
    assert found == [("一家酒店", 4), ("火", 1)]
    assert lacking_phrases("都柏林一家酒店着火", "巴黎一家酒店失火") == ["巴黎", "失"]


def test_german_words_keep_their_umlauts():
    assert marked("Grüße aus Köln", "viele grüße") == [("Grüße", 1)]


def test_what_is_lacking_keeps_the_references_punctuation_inside():
    assert lacking_phrases("two people hurt", "More than two people, badly hurt") == [
        "More than", "badly",
    ]  # fmt: skip


def test_what_is_lacking_is_one_line_where_the_reference_has_several():
    assert lacking_phrases("storm hits", "storm hits Vienna\nnobody hurt") == ["Vienna nobody hurt"]


WORDS = st.lists(st.sampled_from(["Ab", "b", "ß", "Ö", "火", "店", ",", " ", "-"])).map("".join)


@given(WORDS, WORDS)
def test_pieces_are_the_text_and_marks_are_what_rouge_counts(text, reference):
    pieces = matched_pieces(text, reference)
    assert "".join(piece.text for piece in pieces) == text
    known = tokens(reference)
    for piece in pieces:
        found = tokens(piece.text)
        if piece.size:
            assert len(found) == piece.size
            starts = range(len(known) - piece.size + 1)
            assert any(known[i : i + piece.size] == found for i in starts)
        else:
            assert not set(found) & set(known)


@given(WORDS)
def test_a_text_lacks_nothing_of_itself(text):
    assert lacking_phrases(text, text) == []
    assert [p.size for p in matched_pieces(text, text) if p.size] in (
        [], [len(tokens(text))],
    )  # fmt: skip
