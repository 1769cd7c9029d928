from pathlib import Path

import pytest

from mclas_lightning.corpora.readers.encodings import SAMPLE_BYTES, decode, encoding_of
from mclas_lightning.errors import InputError
from tests.corpora.readers.ncls_files import LCSTS, ZH2EN_TEST, zh2en


def lcsts_record(number, text, encoding):
    lines = f"<doc id={number}>", "<summary>", "摘要", "</summary>", "<short_text>", text
    return "\n".join([*lines, "</short_text>", "</doc>", ""]).encode(encoding)


# As UTF-8 they are valid, and senseless, GB18030 too.
EVEN = [
    "今天下午两点，市中心的一家商店发生火灾，没有人员受伤",
    "昨天晚上八点半左右一辆公共汽车在桥上停了三个小时",
    "中国经济在第三季度保持了平稳的增长势头，就业形势良好",
]


def test_text_of_the_other_encoding_is_never_read_as_if_it_were_of_this(tmp_path):
    assert all(text.encode("utf-8").decode("gb18030") != text for text in EVEN)
    encodings = "gb18030", "utf-8", "gb18030"
    mixed = b"".join(map(lcsts_record, (1, 2, 3), EVEN, encodings))
    with pytest.raises(InputError, match=r"PART_I\.txt:14: not in GB18030 .* mixes encodings"):
        zh2en(tmp_path, lcsts=mixed)
    whole = b"".join(lcsts_record(n, text, "utf-8") for n, text in enumerate(EVEN, start=1))
    damaged = whole.replace("昨天".encode(), "昨天".encode()[:-1])
    with pytest.raises(InputError, match=r"PART_I\.txt:14: not in UTF-8 .* mixes encodings"):
        zh2en(tmp_path, lcsts=damaged)
    test = ZH2EN_TEST.replace("id=4", "id=1")
    assert [e.document for e in zh2en(tmp_path, lcsts=whole, test=test)[0]] == [
        EVEN[2],
        EVEN[0],
        EVEN[1],
    ]


def test_mixed_encodings_in_lcsts_are_placed(tmp_path):
    # Longer than what the encoding is told by, so that the damage comes as a surprise.
    padding = "".join(LCSTS.replace("id=", f"id={n}00") for n in range(300)).encode("gb18030")
    mixed = padding + LCSTS.replace("摘要3", "摘要3\x80").encode("utf-8") + b"\xff\xff\n"
    damaged = padding + LCSTS.encode("gb18030").replace("摘要3".encode("gb18030"), b"\xd5\xff")
    for lcsts in (mixed, damaged):
        with pytest.raises(InputError, match=r"PART_I\.txt:\d+: "):
            zh2en(tmp_path, lcsts=lcsts)
    with pytest.raises(InputError, match=r"PART_I\.txt:12027: not in GB18030"):
        zh2en(tmp_path, lcsts=damaged)


ENCODINGS = "utf-8", "gb18030"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_of_most_of_the_beginning_is_that_of_the_file(tmp_path, encoding):
    (other,) = {*ENCODINGS} - {encoding}
    lines = [text.encode(encoding) for text in EVEN] + [EVEN[0][:9].encode(other)]
    path = tmp_path / "PART_I.txt"
    path.write_bytes(b"\n".join([b"only ASCII", *lines, b""]))
    assert encoding_of(path) == encoding
    path.write_bytes(b"ASCII\n" * (SAMPLE_BYTES // 6 + 1) + EVEN[0].encode("gb18030"))
    assert encoding_of(path) == "utf-8"  # What comes later is not looked at.


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_is_decoded_as_it_was_written_or_its_line_is_named(encoding):
    (other,) = {*ENCODINGS} - {encoding}
    raw = "\n".join(EVEN).encode(encoding)
    assert decode(raw, encoding, Path("x.txt"), 1) == "\n".join(EVEN)
    mixed = b"\n".join([EVEN[0].encode(encoding), EVEN[1].encode(other)])
    with pytest.raises(InputError, match=rf"x\.txt:8: not in {encoding.upper()} as the lines"):
        decode(mixed, encoding, Path("x.txt"), 7)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: cannot be read \(No such file"):
        encoding_of(tmp_path / "none.txt")
