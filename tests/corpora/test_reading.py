import sqlite3

from mclas_lightning.corpora.readers.log import Log, Sources
from mclas_lightning.corpora.reading import Import, reader


def test_the_files_of_a_split_are_read_one_after_the_other(corpus):
    read_bytes: list[int] = []
    files = [corpus / "en2de" / f"{split}.jsonl" for split in ("valid", "test")]
    job = Import(
        format="jsonl",
        languages={"source": "en", "target": "de"},
        tokenizer=None,
        files={"train": files},
        sources=Sources(read_bytes.append),
        scratch=sqlite3.connect(":memory:"),
        apart=None,
    )
    assert len([*reader(job)("train", Log())]) == 11 + 7
    assert [file["file"] for file in job.sources.files] == ["valid.jsonl", "test.jsonl"]
    assert sum(read_bytes) == sum(path.stat().st_size for path in files)
