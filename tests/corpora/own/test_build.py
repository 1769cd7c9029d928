import json
import shlex
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from mclas_lightning.config.compose import compose
from mclas_lightning.config.overrides import quoted
from mclas_lightning.corpora import catalog
from mclas_lightning.corpora.check import check_corpus
from mclas_lightning.corpora.own.build import NewDataset, new_dataset, next_commands
from mclas_lightning.corpora.own.records import fields_named
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, write_jsonl
from tests.conftest import read_lines
from tests.corpora.stories import reports


def rows(num, start=0, source="fr", target="uk"):
    return [Example(**report) for report in reports(source, target, num, start)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*paths, name="mine", **changes):
    given = {"source": "fr", "target": "uk", "fields": {}, "tokenizer": None, "clean": False}
    return NewDataset(
        name=name, paths=[Path(path) for path in paths], **{**given, "seed": 0} | changes
    )


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def ids(split):
    return [line["id"] for line in read_lines(Path("data", "mine", f"{split}.jsonl"))]


def test_a_split_is_made_checked_and_the_same_again(here):
    write_jsonl(here / "all.jsonl", rows(50))
    made = new_dataset(asked("all.jsonl"))
    assert made.report.ok
    found = {split: ids(split) for split in ("train", "valid", "test")}
    assert [len(found[split]) for split in found] == [40, 5, 5]
    assert sorted(chain(*found.values())) == sorted(row.id for row in rows(50))
    assert catalog.named("mine").path == "./mine"
    assert catalog.at(Path("data/mine")) == catalog.named("mine")
    manifest = json.loads(Path("data/mine/manifest.json").read_text())
    assert manifest["dataset"] == "mine"
    assert manifest["counts"]["all"]["kept"] == 50
    new_dataset(asked("all.jsonl", name="other"))
    same = [Path("data", name, "test.jsonl").read_bytes() for name in ("mine", "other")]
    assert same[0] == same[1]


def test_the_check_of_a_new_dataset_is_that_of_mclas_data_check(here):
    told = rows(90)
    long = " ".join(row.document for row in told[50:])
    write_jsonl(here / "all.jsonl", [replace(told[0], document=long), *told[1:50]])
    made = new_dataset(asked("all.jsonl"))
    assert made.report.findings == check_corpus(Path("data", "mine")).findings
    limit = f"dataset.max_source={made.proposal.max_source} word pieces"
    assert any(limit in finding.said for finding in made.report.findings)


def test_given_splits_are_kept_and_a_missing_one_is_taken_from_training(here):
    write_jsonl(here / "train.jsonl", rows(40))
    write_jsonl(here / "test.jsonl", rows(7, 40))
    new_dataset(asked("train.jsonl", "test.jsonl"))
    assert ids("test") == [row.id for row in rows(7, 40)]
    assert len(ids("valid")) == 4
    assert sorted(ids("train") + ids("valid")) == sorted(row.id for row in rows(40))


def test_a_test_set_that_is_in_training_is_refused_or_left_out_with_its_group(here):
    train, test = rows(40), rows(6, 40)
    test[0] = replace(train[3], id="copied")
    train[5] = replace(train[5], mono=train[3].mono)  # of the copied example's group
    train[9] = replace(train[8], id="again")
    write_jsonl(here / "train.jsonl", train)
    write_jsonl(here / "test.jsonl", test)
    with pytest.raises(InputError, match=r"test: 1 of 6 documents are in train too.*--clean"):
        new_dataset(asked("train.jsonl", "test.jsonl"))
    assert files_below(here) == ["test.jsonl", "train.jsonl"]
    made = new_dataset(asked("train.jsonl", "test.jsonl", clean=True))
    assert made.report.ok
    left = {row.id for row in train} - {"r3", "r5", "again"}
    assert {*ids("train"), *ids("valid")} == left
    assert made.said[0].startswith("train: 2 left out that have texts of a split")
    assert ids("test") == [row.id for row in test]


def test_a_name_may_be_a_number(here):
    write_jsonl(here / "all.jsonl", rows(30))
    made = new_dataset(asked("all.jsonl", name="2024"))
    trained = [shlex.split(line) for line in next_commands(made) if line.startswith("mclas-train")]
    ms, ncls, mclas = [compose("train", words) for _, *words in trained]
    assert ms.dataset.name == ncls.dataset.name == mclas.dataset.name == "2024"
    assert [quoted(word) for word in ncls.dataset.pretraining] == [quoted("dataset=2024")]


def test_a_corpus_without_mono_summaries_is_trained_from_scratch(here):
    write_jsonl(here / "all.jsonl", [replace(row, mono=None) for row in rows(30)])
    made = new_dataset(asked("all.jsonl"))
    assert "mclas-train dataset=mine model=ncls_scratch" in [*next_commands(made)]


def test_a_tokenizer_may_be_named(here, tokenizer):
    tokenizer.save(here / "pieces")
    write_jsonl(here / "all.jsonl", rows(30))
    made = new_dataset(asked("all.jsonl", tokenizer="pieces"))
    assert catalog.named("mine").tokenizer == made.proposal.tokenizer == "pieces"
    assert not (here / "data" / "mine" / "tokenizer").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../x"}, r"'../x': names a file and folders; expected letters, digits"),
        ({"name": "toy"}, "'toy': is a dataset of this program; choose another name"),
        ({"name": "jsonl"}, "'jsonl': is a dataset of this program; choose another name"),
        (
            {"name": "toy_fr2uk"},
            "'toy_fr2uk': names the runs of dataset=toy dataset.source=fr dataset.target=uk;",
        ),
        ({"name": "taken"}, r"data/taken: is here already; choose another name, or delete it"),
        ({"source": "zh-CN"}, "--source 'zh-CN' is not supported; did you mean 'zh'"),
        ({"source": "uk"}, "expected two languages, found 'uk' twice"),
        ({"source": "ja"}, r"train: 100% of the documents are not in 'ja'; check --source"),
        ({"target": "en"}, r"of the cross summaries are not in 'en'; check --source, --target"),
        ({"fields": fields_named("document=dialogue")}, "no field 'dialogue' for the document"),
        ({"tokenizer": "nowhere"}, "tokenizer 'nowhere': neither a folder"),
        ({"paths": [Path("empty.jsonl")]}, "empty.jsonl: holds no example; expected one at least"),
        ({"paths": [Path("blank.jsonl")]}, "3 of 4 records cannot be used, 3 because a text is"),
        ({"paths": [Path("few.jsonl")]}, "8 examples in 8 groups .* are too few for train"),
        ({"paths": [Path("nowhere")]}, "nowhere: no such file or folder"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(here, monkeypatch, changes, said):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_jsonl(here / "all.jsonl", rows(30))
    write_jsonl(here / "few.jsonl", rows(8))
    (here / "empty.jsonl").touch()
    lines = [{**reports("fr", "uk", 1)[0]}, *[{"document": " ", "cross": "x"}] * 3]
    (here / "blank.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (here / "data" / "taken").mkdir(parents=True)
    before = files_below(here)
    with pytest.raises(InputError, match=said) as raised:
        new_dataset(replace(asked("all.jsonl"), **changes))
    assert "\n" not in str(raised.value)
    assert files_below(here) == before
    assert [path.name for path in (here / "data").iterdir()] == ["taken"]


def test_a_disk_that_is_full_at_the_end_leaves_nothing(here, monkeypatch):
    write_jsonl(here / "all.jsonl", rows(30))
    (here / "conf").write_text("in the way")
    with pytest.raises(InputError, match="conf/dataset: cannot create this folder"):
        new_dataset(asked("all.jsonl"))
    assert files_below(here) == ["all.jsonl", "conf"]
