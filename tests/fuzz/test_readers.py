"""A reader of any damaged file reads it, or ends in one line; ``make fuzz`` tries more of them."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.fuzz.corpora import corpus_readers
from tests.fuzz.harness import BOMBS, CHECKS, check, damaged
from tests.fuzz.readers import readers

READERS = readers()

# Contents that grow by lines, each with a number of its own.
LINES = {
    "jsonl": '{"id": "%d", "document": "d", "mono": "m"}',
    "predictions": '{"id": "%d", "document": "d", "hypotheses": {"cross": ""}, "references": {}}',
    "texts": "%d",
    "texts.jsonl": '{"id": "%d", "text": "t"}',
    "translations": '{"text": "%d", "translation": "t"}',
    "lexicon": "%d\tt",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", READERS)
def test_valid_files_are_read(name, tmp_path):
    reader = READERS[name]
    reader.beside(tmp_path)
    (tmp_path / reader.file).write_bytes(reader.valid)
    reader.read(tmp_path / reader.file)


@pytest.mark.parametrize("share", [0.2, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_end_in_one_line(name, share, folder):
    reader = READERS[name]
    num = int(share * (200 if name in corpus_readers() else 1000))  # Each import makes a folder.

    @settings(max_examples=num, database=None, suppress_health_check=CHECKS)
    @given(damaged(reader.valid))
    def tried(content: bytes) -> None:
        check(reader, folder / name, content)

    tried()


@pytest.mark.parametrize("name", READERS)
def test_bombs_end_in_one_line_and_soon(name, tmp_path):
    begun = time.process_time()
    for bomb in BOMBS:
        check(READERS[name], tmp_path, bomb)
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("name", LINES)
def test_eight_times_as_many_lines_take_no_more_than_that(name, tmp_path):
    def seconds(num: int) -> float:
        content = "".join(f"{LINES[name] % n}\n" for n in range(num)).encode()
        begun = time.process_time()
        check(READERS[name], tmp_path, content)
        return time.process_time() - begun

    few, many = (min(seconds(num) for _ in range(3)) for num in (1000, 8000))
    assert many < 24 * few  # as the square, it would be 64
