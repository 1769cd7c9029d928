import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.errors import InputError
from mclas_lightning.human.sheet import SheetKey, first_runs, write_sheets

CHOICES = [
    "informativeness_best", "informativeness_worst", "conciseness_best", "conciseness_worst",
    "fluency_best", "fluency_worst",
]  # fmt: skip


def sheets(folder: Path) -> dict[str, list[list[str]]]:
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found[path.name] = list(csv.reader(file))
    return found


def test_every_annotator_gets_every_document_with_all_summaries(tmp_path, runs):
    key = write_sheets(runs, tmp_path / "out", num=11, seed=0, annotators=3)
    written = sheets(tmp_path / "out")
    assert list(written) == ["annotator1.csv", "annotator2.csv", "annotator3.csv"]
    for annotator, (header, *rows) in enumerate(written.values(), start=1):
        assert header == ["item", "document", "A", "B", "C", "D", *CHOICES]
        assert len(rows) == 11
        for name, document, *rest in rows:
            item = key.items[name]
            n = item.document.removeprefix("d")
            texts = {model: f"{model} on {n}" for model in ("ncls", "ncls_ms", "mclas")}
            texts["gold"] = f"reference of {n}"
            assert (item.annotator, document) == (annotator, f"document {n}")
            assert rest == [*(texts[system] for system in item.order), *[""] * 6]
    documents = {tuple(row[1] for row in rows) for rows in written.values()}
    assert len(documents) == 1
    assert len(set(next(iter(documents)))) == 1 + 11


def test_no_system_takes_the_place_of_the_document(tmp_path, run):
    with pytest.raises(InputError, match="none called document, found mclas, document, gold"):
        write_sheets([run("mclas"), run("document")], tmp_path / "out", 5, seed=0, annotators=2)
    assert not (tmp_path / "out").exists()


def test_the_key_is_the_one_in_the_folder_and_names_the_runs(tmp_path, runs):
    key = write_sheets(runs, tmp_path / "out", num=5, seed=3, annotators=2)
    assert SheetKey.read(tmp_path / "out") == key
    assert (key.dataset, key.scenario, key.seed) == ("toy_en2de", "minimum", 3)
    assert key.systems == ["ncls", "ncls_ms", "mclas", "gold"]
    assert {model: run["seed"] for model, run in key.provenance["runs"].items()} == {
        "ncls": 0, "ncls_ms": 0, "mclas": 0,
    }  # fmt: skip


def test_no_letter_gives_a_system_away(tmp_path, runs):
    key = write_sheets(runs, tmp_path / "out", num=20, seed=0, annotators=7)
    places = Counter((item.order.index("gold")) for item in key.items.values())
    assert sorted(places) == [0, 1, 2, 3]
    assert all(20 < places[place] < 50 for place in places)  # 35 each on average
    for document in {item.document for item in key.items.values()}:
        assert len({tuple(i.order) for i in key.items.values() if i.document == document}) > 1


def test_the_same_words_give_the_same_sheets(tmp_path, runs):
    for name in ("one", "two"):
        write_sheets(runs, tmp_path / name, num=5, seed=0, annotators=2)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_another_seed_gives_other_documents_and_items(tmp_path, runs):
    one, two = (write_sheets(runs, tmp_path / str(n), 5, seed=n, annotators=2) for n in (0, 1))
    assert {i.document for i in one.items.values()} != {i.document for i in two.items.values()}
    assert not one.items.keys() & two.items.keys()


def test_other_summaries_give_other_items(tmp_path, run, runs):
    one = write_sheets(runs, tmp_path / "one", 5, seed=0, annotators=2)
    again = [*runs[:2], run("mclas", text="{model} once more on {n}")]
    two = write_sheets(again, tmp_path / "two", 5, seed=0, annotators=2)
    assert not one.items.keys() & two.items.keys()


def test_only_documents_that_all_systems_have_are_sampled(tmp_path, run):
    runs = [run("ncls", range(7)), run("mclas", range(4, 11))]
    key = write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=2)
    assert {item.document for item in key.items.values()} == {"d4", "d5", "d6"}
    with pytest.raises(InputError, match="expected 4 documents, but ncls, mclas share 3"):
        write_sheets(runs, tmp_path / "more", num=4, seed=0, annotators=2)
    assert not (tmp_path / "more").exists()


def test_a_text_is_one_line_and_no_formula(tmp_path, run):
    write_sheets([run("ncls", text="=1\n+2"), run("mclas", text=" \n")], tmp_path / "out", 3, 0, 2)
    for _, *rows in sheets(tmp_path / "out").values():
        for row in rows:
            assert {"'=1 +2", "(empty)"} < set(row)


def test_filled_sheets_are_never_written_over(tmp_path, runs):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="out: is already there; choose a new folder"):
        write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=2)


@pytest.mark.parametrize("change", [{"document": "x"}, {"references": {"cross": "x"}}])
def test_systems_that_were_given_different_documents_are_refused(tmp_path, run, change):
    runs = [run("ncls"), run("mclas", **change)]
    with pytest.raises(InputError, match=r"reference differs between ncls and mclas; score both"):
        write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=2)


def test_a_system_without_cross_lingual_summaries_is_refused(tmp_path, run):
    mono = {"hypotheses": {"mono": "x"}, "references": {"mono": "x"}}
    with pytest.raises(InputError, match="model 'ms' writes no cross-lingual summaries"):
        write_sheets([run("ncls"), run("ms", **mono)], tmp_path / "out", 3, 0, 2)


@pytest.mark.parametrize("changes", [{"document": "\ud83d"}, {"id": "\ud83d"}, {"text": "\ud83d"}])
def test_half_a_character_is_refused_with_its_line(tmp_path, run, changes):
    with pytest.raises(InputError, match=r"predictions\.jsonl:1: .* half a character"):
        write_sheets([run("ncls", range(1), **changes)], tmp_path / "out", 1, 0, 2)
    assert not (tmp_path / "out").exists()


def test_the_run_with_the_lowest_seed_is_taken(tmp_path, run):
    for seed in (11, 2, 5):
        run("mclas", seed=seed)
    chosen = first_runs(tmp_path / "runs", "toy_en2de", "minimum", ["mclas"])
    assert [(found.model, found.seed) for found in chosen] == [("mclas", 2)]


def test_a_model_without_a_run_is_named(tmp_path, runs):
    with pytest.raises(InputError, match=r"minimum/tltran: no finished run here"):
        first_runs(tmp_path / "runs", "toy_en2de", "minimum", ["mclas", "tltran"])


def test_a_model_that_is_named_twice_is_refused(tmp_path, runs):
    with pytest.raises(InputError, match="expected each model once, found mclas,ncls,mclas"):
        first_runs(tmp_path / "runs", "toy_en2de", "minimum", ["mclas", "ncls", "mclas"])


def test_predictions_that_were_not_scored_are_never_sent_to_annotators(tmp_path, run):
    stale = run("mclas")
    stale = replace(stale, provenance={"predictions_sha256": "0" * 64})
    with pytest.raises(InputError, match=r"is not the file that results\.json was scored from"):
        write_sheets([run("ncls"), stale], tmp_path / "out", num=3, seed=0, annotators=2)
    assert not (tmp_path / "out").exists()


def test_systems_of_two_test_sets_are_refused(tmp_path, run):
    runs = [
        replace(run(model), provenance={"test_sha256": sha})
        for model, sha in (("ncls", "a"), ("mclas", "b"))
    ]
    with pytest.raises(InputError, match="was scored on another test set than ncls"):
        write_sheets(runs, tmp_path / "out", num=3, seed=0, annotators=2)
