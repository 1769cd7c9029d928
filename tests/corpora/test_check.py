import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mclas_lightning import paper
from mclas_lightning.corpora import catalog, toy
from mclas_lightning.corpora.check import Report, check_corpus
from mclas_lightning.corpora.check.judge import repeated_rows
from mclas_lightning.corpora.check.measure import SAMPLE_TEXTS, FieldStatistics
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, read_jsonl, write_jsonl
from mclas_lightning.files import sha256, write_json

SIZES = {"train": 101, "valid": 23, "test": 19}
MONO = {"mono_train": 5, "mono_valid": 3, "mono_test": 2}
Splits = dict[str, list[Example]]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A small toy corpus, whose texts are in their languages."""
    out = tmp_path_factory.mktemp("data") / "toy"
    toy.write_toy(out, seed=3, sizes=SIZES | MONO)
    return out


@pytest.fixture(scope="module")
def sound(built) -> Splits:
    return {split: list(read_jsonl(built / "en2de" / f"{split}.jsonl")) for split in SIZES}


@pytest.fixture
def write(tmp_path, sound) -> Write:
    """A folder as an import leaves it; keywords put other examples into a split."""

    def write(name: str = "mine", manifest: dict[str, Any] | None = None, **splits: Any) -> Path:
        files, folder = {}, tmp_path / name
        for split, examples in (sound | splits).items():
            path = folder / f"{split}.jsonl"
            files[path.name] = {"records": write_jsonl(path, examples), "sha256": sha256(path)}
        languages = {"source": "en", "target": "de"}
        start = {"corpus": "imported", "dataset": None, "languages": languages, "files": files}
        write_json(folder / "manifest.json", start | (manifest or {}))
        return folder

    return write


def problems(report: Report) -> list[tuple[str, str]]:
    assert report.ok == all(finding.ok for finding in report.findings)
    return [(finding.topic, finding.said) for finding in report.findings if not finding.ok]


def said(report: Report, topic: str) -> list[str]:
    return [finding.said for finding in report.findings if finding.topic == topic]


def drawn(report: Report, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(report)
    return captured.get()


def changed(examples: Sequence[Example], rows: Sequence[int], **values: Any) -> list[Example]:
    return [replace(e, **values) if row in rows else e for row, e in enumerate(examples)]


def test_a_sound_corpus_needs_no_look(write):
    report = check_corpus(write())
    assert problems(report) == []
    assert len(report.findings) == 11
    assert said(report, "changes") == ["the files are as they were made"]


@pytest.mark.parametrize("name", ["en2de", "de2zh", "zh2en", "zh"])
def test_a_built_corpus_is_known_by_its_folder_and_the_manifest_above(built, name):
    report = check_corpus(built / name)
    assert problems(report) == []
    pretraining = ["dataset=toy_mono", f"dataset.source={name[:2]}"]
    assert report.corpus.entry == replace(
        catalog.named("toy"), pretraining=pretraining, **TOY[name]
    )
    assert said(report, "changes") == ["the files are as they were made"]
    assert len(report.corpus.splits["train"]) == (101 if "2" in name else 5)


TOY: dict[str, Any] = {
    "en2de": {},
    "de2zh": {"name": "toy_de2zh", "source": "de", "target": "zh", "path": "./toy/de2zh"},
    "zh2en": {"name": "toy_zh2en", "source": "zh", "target": "en", "path": "./toy/zh2en"},
    "zh": {"name": "toy_zh", "source": "zh", "target": None, "path": "./toy/zh"},
}


def test_documents_that_are_longer_than_what_is_read_are_counted(write, sound):
    long = " ".join(["storm"] * 5100)
    for rows, look in (([7, 9], True), ([7], False)):
        # Two of 19: 17,000 words in the rest would leave more than half.
        few = changed(sound["test"][:19], rows, document=long if look else long[: 6 * 700])
        report = check_corpus(write(test=few))
        (line,) = said(report, "length")
        words = [len(e.document.split()) for e in few]
        assert all(n <= 510 for row, n in enumerate(words) if row not in rows)
        assert f"test: {len(rows)} of 19 documents are longer than dataset.max_source=512" in line
        assert (("length", line) in problems(report)) is look
    (line,) = said(check_corpus(write()), "length")
    assert line.startswith("no document has more words")


def test_a_change_after_the_import_is_found(write, sound):
    folder = write()
    write_jsonl(folder / "valid.jsonl", sound["valid"][:-1])
    write_jsonl(folder / "test.jsonl", changed(sound["test"], [4], document="Another one."))
    assert problems(check_corpus(folder)) == [
        ("changes", "valid.jsonl has 22 examples, and had 23 when it was made"),
        ("changes", "test.jsonl was changed after it was made: its SHA-256 is another"),
    ]


def test_a_missing_file_is_named_with_how_to_get_the_corpus(write):
    folder = write(manifest={"dataset": "en2zhsum"})
    (folder / "train.jsonl").unlink()
    report = check_corpus(folder)
    assert problems(report)[0] == ("files", "not here: train.jsonl")
    assert said(report, "overlap") == [
        "valid and train were not compared: a file is missing",
        "test and train were not compared: a file is missing",
    ]
    text = " ".join(drawn(report).split())
    entry = catalog.named("en2zhsum")
    assert f"To get it: {entry.to_get(folder)} Licence: {entry.licence}" in text
    assert f"mclas data import ncls-en2zh NCLS-Data/EN2ZHSUM --out {folder}" in text


@pytest.mark.parametrize("name", ["zh2ensum", "en2zhsum", "en2desum"])
def test_a_corpus_that_is_not_here_is_known_by_its_name(tmp_path, name):
    everything = ("files", "not here: train.jsonl, valid.jsonl, test.jsonl")
    report = check_corpus(tmp_path / name)
    assert problems(report) == [everything]
    assert len(report.findings) == 1
    assert f"--out{tmp_path / name}" in "".join(drawn(report).split())  # However it is wrapped.
    assert problems(check_corpus(tmp_path / "elsewhere", dataset=name)) == [everything]


def test_a_folder_that_is_nothing_known_says_how_to_name_it(tmp_path):
    text = drawn(check_corpus(tmp_path / "nowhere"))
    assert "name it with --dataset: " in " ".join(text.split())  # However it is wrapped.
    assert "debian_de2en, " in text
    assert "To get it" not in text
    with pytest.raises(InputError, match="dataset 'zh2ensm' does not exist; did you mean 'zh2ens"):
        check_corpus(tmp_path / "nowhere", dataset="zh2ensm")


def test_an_empty_split_holds_no_examples(write):
    report = check_corpus(write(test=[]))
    assert problems(report) == [("files", "test.jsonl holds no examples")]
    assert "0" not in [line.split()[0] for line in drawn(report).splitlines() if line.split()]


def test_a_broken_line_is_refused_with_its_number(write):
    folder = write()
    with (folder / "test.jsonl").open("a") as file:
        file.write('{"id": "x"}\n')
    with pytest.raises(InputError, match=r"test\.jsonl:20: field 'document' is missing"):
        check_corpus(folder)


def test_a_file_that_cannot_be_read_is_refused(write):
    folder = write()
    (folder / "test.jsonl").unlink()
    (folder / "test.jsonl").mkdir()
    with pytest.raises(InputError, match=r"test\.jsonl: cannot be read"):
        check_corpus(folder)


def test_swapped_summaries_are_in_the_wrong_languages(write, sound):
    swapped = [replace(e, mono=e.cross, cross=e.mono) for e in sound["valid"]]
    assert problems(check_corpus(write(valid=swapped))) == [
        ("languages", "valid: 100% of the mono summaries are not en"),
        ("languages", "valid: 100% of the cross summaries are not de"),
    ]


@pytest.mark.parametrize(
    ("num", "found"), [(2, []), (3, ["valid: 13% of the documents are not zh"])]
)
def test_a_tenth_of_the_texts_may_be_in_another_language(built, write, sound, num, found):
    splits = {split: list(read_jsonl(built / "zh2de" / f"{split}.jsonl")) for split in SIZES}
    splits["valid"][:num] = [
        replace(zh, document=en.document)
        for zh, en in zip(splits["valid"][:num], sound["valid"], strict=False)
    ]
    report = check_corpus(write(manifest={"languages": {"source": "zh", "target": "de"}}, **splits))
    assert [said for topic, said in problems(report) if topic == "languages"] == found


def test_missing_summaries_are_counted(write, sound):
    train, valid = (
        changed(sound["train"], [2, 5], cross=None),
        changed(sound["valid"], [7], mono=" "),
    )
    assert problems(check_corpus(write(train=train, valid=valid))) == [
        ("summaries", "train: 2 of 101 cross summaries are missing"),
        ("summaries", "valid: 1 of 23 mono summaries are missing"),
    ]


def test_cross_summaries_need_a_language(write):
    report = check_corpus(write(manifest={"languages": {"source": "en", "target": None}}))
    assert problems(report) == [
        ("summaries", f"{split}: {num} cross summaries; name their language")
        for split, num in SIZES.items()
    ]


def test_repeated_ids_are_counted_and_the_first_is_named(write, sound):
    first = sound["train"][11].id
    train = changed(sound["train"], [17, 29], id=first)
    assert problems(check_corpus(write(train=train))) == [
        ("ids", f"train: 2 were used before, first {first}")
    ]


def test_one_repeated_document_in_a_hundred_needs_no_look(write, sound):
    texts = [example.document for example in sound["train"]]
    one = changed(sound["train"], [31], document=texts[7])
    two = changed(one, [53], document=texts[7].replace(" ", "  "))
    first = sound["train"][31].id
    report = check_corpus(write(train=one))
    assert problems(report) == []
    assert said(report, "repeats") == [
        f"train: 1 of 101 documents repeat an earlier one, first {first}"
    ]
    assert problems(check_corpus(write(train=two))) == [
        ("repeats", f"train: 2 of 101 documents repeat an earlier one, first {first}")
    ]


def test_not_one_document_of_the_other_splits_may_be_in_train(write, sound):
    test = changed(sound["test"], [13], document=f" {sound['train'][97].document}\n")
    valid = changed(sound["valid"], [5], document=sound["train"][0].document)
    assert problems(check_corpus(write(test=test, valid=valid))) == [
        ("overlap", f"{split}: 1 of {num} documents are in train too, first {here}, there {there}")
        for split, num, here, there in (
            ("valid", 23, sound["valid"][5].id, sound["train"][0].id),
            ("test", 19, sound["test"][13].id, sound["train"][97].id),
        )
    ]


def edited(example: Example, like: Example) -> Example:
    """The example with the document of another one, whose last word is changed."""
    return replace(example, document=f"{like.document.rsplit(' ', 1)[0]} Tuesday.")


def test_documents_that_are_nearly_those_of_another_split_are_named_with_examples(write, sound):
    test, valid = list(sound["test"]), list(sound["valid"])
    for row, there in ((4, 5), (13, 97)):
        test[row] = edited(test[row], like=sound["train"][there])
    valid[7] = edited(valid[7], like=test[2])
    report = check_corpus(write(test=test, valid=valid))
    assert [topic for topic, _ in problems(report)] == ["near", "near"]
    by_valid, by_train = said(report, "near")
    assert by_valid.startswith("test: 1 of 19 documents have a near-duplicate in valid (1 of 23")
    assert f"first {test[2].id} by {valid[7].id} (0." in by_valid
    assert by_train.startswith("test: 2 of 19 documents have a near-duplicate in train (2 of 101")
    for row, there in ((4, 5), (13, 97)):
        assert f"{test[row].id} by {sound['train'][there].id} (0." in by_train


def test_a_document_that_is_near_several_is_counted_once(write, sound):
    test = [
        *sound["test"],
        edited(sound["test"][0], like=sound["train"][5]),
        replace(edited(sound["test"][1], like=sound["train"][5]), id="another"),
    ]
    (found,) = said(check_corpus(write(test=test[2:])), "near")
    assert found.startswith("test: 2 of 19 documents have a near-duplicate in train (1 of 101")


def test_one_near_duplicate_in_a_hundred_needs_no_look(write, sound):
    train = sound["train"]
    test = [replace(e, document=" ".join(f"{e.id}{n}" for n in range(40))) for e in train]
    test[31] = edited(test[31], like=train[7])
    report = check_corpus(write(test=test))
    assert [topic for topic, _ in problems(report) if topic == "near"] == []
    assert said(report, "near")[0].startswith("test: 1 of 101 documents have a near-duplicate")


def test_the_test_sets_of_other_corpora_are_compared_with_the_splits(write, sound, tmp_path):
    other = write("other", test=sound["test"][:5], valid=sound["train"][3:4])
    folder = write("mine", test=sound["test"][5:])
    assert said(check_corpus(folder), "near") == ["no document is nearly one of valid or test"]
    found = [said for topic, said in problems(check_corpus(folder, others=[other]))]
    assert "--clean" not in found[0]  # It compares the splits of one corpus.
    assert "--apart with that folder leaves them out of train and valid" in found[0]
    assert [line.partition(",")[0] for line in found] == [
        f"{other / 'valid.jsonl'}: 1 documents have a near-duplicate in train (1 of 101 there)"
    ]
    with pytest.raises(InputError, match=r"nowhere: no valid\.jsonl or test\.jsonl here"):
        check_corpus(folder, others=[tmp_path / "nowhere"])


@pytest.mark.parametrize(("rows", "look"), [([3], False), ([3, 5], True)])
def test_one_summary_in_twenty_may_be_in_train(write, sound, rows, look):
    valid = changed(sound["valid"], rows, cross=sound["train"][89].cross)
    report = check_corpus(write(valid=valid))
    ids = f"first {sound['valid'][3].id}, there {sound['train'][89].id}"
    expected = f"valid: {len(rows)} of 23 cross summaries are in train too, {ids}"
    assert said(report, "overlap") == [expected]
    assert problems(report) == ([("overlap", expected)] if look else [])


def test_missing_summaries_are_not_shared_ones(write, sound):
    bare = {s: [replace(e, mono=None) for e in examples] for s, examples in sound.items()}
    assert {topic for topic, _ in problems(check_corpus(write(**bare)))} == {"summaries"}


def counts(kept: int, skipped: int) -> dict[str, Any]:
    reason = {"no text in LCSTS": {"records": skipped, "first": "train.txt:8"}}
    return {"train": {"kept": kept, "skipped": reason if skipped else {}}}


@pytest.mark.parametrize(("skipped", "look"), [(1, False), (2, True)])
def test_what_the_import_skipped_is_told_with_the_first_of_each_reason(write, skipped, look):
    report = check_corpus(write(manifest={"counts": counts(101, skipped)}))
    reason = f"no text in LCSTS: {skipped}, first train.txt:8"
    expected = f"train: 101 records kept, {skipped} skipped ({reason})"
    assert said(report, "import") == [expected]
    assert problems(report) == ([("import", expected)] if look else [])


def test_an_import_that_skipped_nothing_is_told_from_no_import(built, write):
    report = check_corpus(write(manifest={"counts": counts(101, 0)}))
    assert said(report, "import") == ["no record was skipped"]
    assert said(check_corpus(built / "en2de"), "import") == ["nothing is written of one"]


def test_tags_that_the_import_did_not_read_are_said(write):
    # No look: of the real corpora, every sentence has a block that is not needed.
    tags = {"<EN-BACKn>": {"times": 1_701, "first": "train.txt:13"}}
    report = check_corpus(write(manifest={"unknown_tags": tags, "counts": counts(101, 0)}))
    assert "not read: <EN-BACKn>, 1,701 times, first train.txt:13" in said(report, "import")
    assert problems(report) == []


def test_the_counts_of_another_kind_of_build_are_not_an_imports(write):
    report = check_corpus(write(manifest={"corpus": "debian", "counts": {"en2de": {"joined": 7}}}))
    assert said(report, "import") == ["nothing is written of one"]
    assert problems(report) == []


def test_sizes_are_compared_with_the_papers(write, monkeypatch):
    folder = write(manifest={"dataset": "en2desum"})
    assert problems(check_corpus(folder)) == [
        ("paper", "train: 101 examples, 429,292 fewer than 429,393"),
        ("paper", "valid: 23 examples, 4,282 fewer than 4,305"),
        ("paper", "test: 19 examples, 4,080 fewer than 4,099"),
    ]
    numbers = paper.numbers()
    printed = replace(numbers.corpora["en2desum"], **SIZES)
    another = replace(numbers, corpora={"en2desum": printed})
    monkeypatch.setattr(paper, "numbers", lambda: another)
    assert problems(check_corpus(folder)) == []
    another = replace(numbers, corpora={"en2desum": replace(printed, valid=21)})
    assert problems(check_corpus(folder)) == [("paper", "valid: 23 examples, 2 more than 21")]
    rows = [line.split() for line in drawn(check_corpus(folder)).splitlines()]
    assert ["valid", "21", "23", "+2"] in rows
    assert ["test", "19", "19", "0"] in rows


def test_languages_come_from_options_where_nothing_else_says_them(write):
    folder = write()
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="nothing says what languages it is in; give --source"):
        check_corpus(folder)
    report = check_corpus(folder, source="en", target="de")
    assert problems(report) == []
    assert said(report, "changes") == ["no manifest to compare with"]
    with pytest.raises(InputError, match="language 'xx' is not supported"):
        check_corpus(folder, source="en", target="xx")
    wrong = [said for topic, said in problems(check_corpus(folder, source="en", target="ru"))]
    assert wrong == [f"{split}: 100% of the cross summaries are not ru" for split in SIZES]


def test_a_folder_of_corpora_names_them(built):
    with pytest.raises(InputError, match=r"check one of: .*toy/de, .*toy/de2en, .*toy/zh2en"):
        check_corpus(built)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.sampled_from([50, 95, 100]))
def test_percentiles_and_means_are_those_of_the_sorted_lengths(lengths, percent):
    texts = FieldStatistics("en")
    for length in lengths:
        texts.add("word " * length)
    rank = -(-percent * len(lengths) // 100)
    assert texts.percentile(percent) == sorted(lengths)[rank - 1]
    assert texts.mean() == pytest.approx(np.mean(lengths))


def test_chinese_is_measured_in_characters():
    texts = FieldStatistics("zh")
    texts.add(" 警方 寻找证人\n")
    assert dict(texts.lengths) == {6: 1}


@pytest.mark.parametrize("num", [SAMPLE_TEXTS - 1, SAMPLE_TEXTS, 7919])
def test_the_sample_is_spread_evenly_over_all_texts(num):
    texts = FieldStatistics("en")
    for i in range(num):
        texts.add(str(i))
        texts.add(None)
    rows = [int(text) for text in texts.sample]
    (step,) = {after - before for before, after in pairwise(rows)}
    assert SAMPLE_TEXTS / 2 <= len(rows) < SAMPLE_TEXTS
    assert rows[0] == 0
    assert num - step <= rows[-1] < num


def test_a_headline_with_names_is_in_its_language():
    def wrong(*headlines: str) -> float | None:
        texts = FieldStatistics("en")
        for headline in headlines:
            texts.add(headline)
        return texts.wrong

    english = ["Police arrest two in Paris", "NATO leaders meet in Madrid", "Brazil win"]
    assert wrong(*english) == 0
    others = ["Ein Sturm trifft am Montag die Stadt", "La policía detiene a tres personas"]
    assert wrong(*english, *others) == 2 / 5
    assert wrong() is None


@given(st.lists(st.integers(0, 6), max_size=20))
def test_repeats_are_the_rows_with_an_earlier_equal(hashes):
    expected = [i for i, value in enumerate(hashes) if value and value in hashes[:i]]
    assert repeated_rows(np.array(hashes, dtype=np.int64)).tolist() == expected


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_fits_the_terminal(write, sound, width):
    test = changed(sound["test"], [13], document=sound["train"][97].document)
    text = drawn(check_corpus(write(test=test, manifest={"dataset": "zh2ensum"})), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "look  overlap" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["train", "1,693,713", "101", "-1,693,612"] in rows
    assert ["train", "document", "en", "101"] in [row[:4] for row in rows]
    assert ["cross", "de", "19"] in [row[:3] for row in rows]


def test_a_manifest_that_is_no_json_is_refused(write):
    folder = write()
    (folder / "manifest.json").write_text(json.dumps([]))
    with pytest.raises(InputError, match="expected a JSON dict, found list"):
        check_corpus(folder)
