from dataclasses import replace

from mclas_lightning.corpora.own.files import own_files
from mclas_lightning.corpora.own.splits import deal_lines, read_files, splits_of
from mclas_lightning.corpora.readers.log import Sources
from mclas_lightning.example import Example, read_jsonl, write_jsonl
from tests.corpora.stories import reports


def examples(num, start=0):
    return [Example(**report) for report in reports("fr", "uk", num, start)]


def split(folder, *, clean=False, **files):
    """Ids by split, of files that are read and dealt, and what is said about it."""
    for name, rows in files.items():
        write_jsonl(folder / "raw" / f"{name}.jsonl", rows)
    found = own_files([folder / "raw"])
    read = read_files(found, {}, Sources(lambda num: None), folder / "read.jsonl")
    splits, said = splits_of(read, folder / "read.jsonl", clean=clean, seed=0)
    deal_lines(folder / "read.jsonl", folder, splits)
    names = ("train", "valid", "test")
    return {n: [e.id for e in read_jsonl(folder / f"{n}.jsonl")] for n in names}, said, read.logs


def test_an_id_is_used_once_in_its_split(tmp_path):
    rows = examples(30)
    again = [*rows, replace(rows[7], document="other")]
    _, _, logs = split(
        tmp_path, train=again, test=rows[:0] + examples(9, 30), valid=examples(9, 50)
    )
    assert logs["train"].kept == 30
    assert logs["train"].skipped["the id was used before"]["records"] == 1


def test_given_splits_stay_in_their_order(tmp_path):
    rows = {"train": examples(9), "valid": examples(5, 20), "test": examples(3, 40)}
    found, said, _ = split(tmp_path, clean=False, **rows)
    assert found == {name: [row.id for row in of] for name, of in rows.items()}
    assert said == []


def test_cleaning_keeps_the_first_of_repeated_documents(tmp_path):
    rows = examples(40)
    twice = replace(rows[4], id="twice", mono="another", cross="again")
    found, said, _ = split(tmp_path, clean=True, all=[*rows, twice])
    assert {*found["train"], *found["valid"], *found["test"]} == {row.id for row in rows}
    assert said[0].endswith("1 that repeat a document")
    assert said[1] == "test and valid: taken from 40 groups with common texts"


def test_no_group_is_in_two_splits(tmp_path):
    pairs = [
        (one, replace(one, id=f"{one.id}b", document=f"{one.document} Again."))
        for one in examples(60)
    ]
    found, _, _ = split(tmp_path, all=[row for pair in pairs for row in pair])
    of = {example_id: name for name, ids in found.items() for example_id in ids}
    assert min(len(ids) for ids in found.values()) >= 10
    assert all(of[one.id] == of[other.id] for one, other in pairs)


def test_nearly_equal_documents_are_in_one_split_or_left_out(tmp_path):
    rows = examples(60)
    near = [
        replace(row, id=f"{row.id}b", document=f"Paris. {row.document}", mono=f"a {row.id}",
                cross=f"b {row.id}")
        for row in rows
    ]  # fmt: skip
    found, _, _ = split(tmp_path, all=[*rows, *near])
    of = {example_id: name for name, ids in found.items() for example_id in ids}
    assert all(of[row.id] == of[f"{row.id}b"] for row in rows)
    found, said, _ = split(
        tmp_path / "given", clean=True, train=rows, valid=examples(5, 60), test=near[:7]
    )
    assert found["train"] == [row.id for row in rows[7:]]
    assert said[0].startswith("train: 7 left out")
