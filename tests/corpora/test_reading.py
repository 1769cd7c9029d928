import json
import sqlite3

import pytest
import torch

from mclas_lightning.corpora.readers.formats import FORMATS, find_files
from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.corpora.reading import Import, reader
from tests.corpora.readers import ncls_files, open_files
from tests.corpora.readers.test_shards import record

PAIR: dict[str, str | None] = {"source": "en", "target": "de"}

# Files of a training set, by the format that reads them.
TRAINING_FILES = {
    "jsonl": {"train.jsonl": '{"id": "a", "document": "x"}\n{"id": "b", "document": "y"}\n'},
    "en2desum": {"train.jsonl": '{"text": "x", "summary": "y"}\n' * 2},
    "lines": {"train.source": "one\ntwo\n", "train.target.cls": "eins\nzwei\n"},
    "ncls-en2zh": {"EN2ZHSUM_train.txt": ncls_files.TRAIN},
    "ncls-zh2en": {"ZH2ENSUM_train.txt": ncls_files.ZH2EN, "PART_I.txt": ncls_files.LCSTS},
    "xlsum": {
        "english_train.jsonl": "".join(
            f"{json.dumps(open_files.xlsum(story))}\n" for story in open_files.stories()["val"]
        )
    },
}


def job_of(format, files, progress=lambda size: None):
    return Import(
        format=format,
        languages=PAIR,
        tokenizer=None,
        files=files,
        sources=Sources(progress),
        scratch=sqlite3.connect(":memory:"),
        apart=None,
        manifest={"counts": {}, "unknown_tags": {}},
    )


@pytest.mark.parametrize("format", [*TRAINING_FILES, "released-shards"])
def test_the_log_has_the_place_of_each_example(tmp_path, format):
    for name, text in TRAINING_FILES.get(format, {}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    if format == "released-shards":
        torch.save([record(0), record(1)], tmp_path / "x.train.0.bert.pt")
    files, log = find_files(FORMATS[format], [tmp_path], ("en", None)), Log()
    places = [log.place for _ in reader(job_of(format, files))("train", log)]
    assert {file for file, _ in places} == {files["train"][0]}
    assert len(places) == len({number for _, number in places}) > 1


def test_every_format_has_a_reader_whose_places_are_tested():
    of_their_own = {name for name, format in FORMATS.items() if not format.open}
    assert of_their_own | {"xlsum"} == {*TRAINING_FILES, "released-shards"}


def test_the_files_of_a_split_are_read_one_after_the_other(corpus):
    read_bytes: list[int] = []
    files = [corpus / "en2de" / f"{split}.jsonl" for split in ("valid", "test")]
    job = job_of("jsonl", {"train": files}, read_bytes.append)
    assert len([*reader(job)("train", Log())]) == 11 + 7
    assert [file["file"] for file in job.sources.files] == ["valid.jsonl", "test.jsonl"]
    assert sum(read_bytes) == sum(path.stat().st_size for path in files)
