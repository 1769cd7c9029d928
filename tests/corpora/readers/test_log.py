import hashlib
from pathlib import Path

import pytest

from mclas_lightning.corpora.readers.log import (
    CHUNK_BYTES,
    MOST_TAGS,
    Log,
    Sources,
    one_line,
    printable,
    sentence_lines,
)
from mclas_lightning.errors import InputError


def test_a_line_without_end_is_refused_before_memory_is(tmp_path):
    path = tmp_path / "train.txt"
    path.write_bytes(b"short\n" + b"x" * (18 * 2**20))
    with pytest.raises(InputError, match=r"train\.txt:2: a line of over"):
        list(Sources(lambda done: None).lines(path))


def test_skips_are_counted_by_reason():
    log = Log()
    for line in (1, 9):
        log.place = Path("f"), line
        log.skip("too bad")
    assert log.skipped == {"too bad": {"records": 2, "first": "f:1"}}
    assert log.num_skipped == 2


@pytest.mark.parametrize("last", [b"", b"\n"])
def test_lines_of_every_length_are_read_across_the_chunks(tmp_path, last):
    lines = [b"x" * (CHUNK_BYTES - 2), b"", b"y" * (CHUNK_BYTES + 3), "ü".encode(), b"z"]
    raw = b"\n".join(lines) + last
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbf" + raw)
    heard: list[int] = []
    sources = Sources(heard.append)
    assert list(sources.lines(tmp_path / "train.txt")) == lines
    sha = hashlib.sha256(b"\xef\xbb\xbf" + raw).hexdigest()
    assert sources.files == [{"file": "train.txt", "bytes": len(raw) + 3, "sha256": sha}]
    assert sum(heard) == len(raw) + 3


def test_unknown_tags_are_counted_where_they_first_stand():
    log = Log()
    for line in (4, 9):
        log.unknown_tag("<b>", Path("f"), line)
    assert log.unknown == {"<b>": {"times": 2, "first": "f:4"}}
    for number in range(MOST_TAGS + 7):
        log.unknown_tag(f"<{number}>", Path("f"), number)
    assert len(log.unknown) == MOST_TAGS + 1
    assert log.unknown["more tags"]["times"] == 8
    assert sum(tag["times"] for tag in log.unknown.values()) == MOST_TAGS + 7 + 2


def test_a_sentence_is_a_line_where_its_border_is_given():
    assert sentence_lines(" one  two<q>three\r\n\n four\t") == "one two\nthree\nfour"
    assert one_line("one  two\nthree ") == "one two three"


def test_a_name_in_other_bytes_is_shown_by_their_numbers():
    assert printable("tr\udce4in.txt") == "tr\\udce4in.txt"
    assert printable(Path("träin.txt")) == "träin.txt"
