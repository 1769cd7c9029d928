import pytest

from mclas_lightning.corpora.readers.log import MOST_TAGS, Log, Skip, Sources
from mclas_lightning.corpora.readers.tags import Record, TagFile
from mclas_lightning.errors import InputError
from tests.conftest import outcome, read_lines
from tests.corpora.readers.ncls_files import EN2ZH, TRAIN, ZH2EN_TEST, en2zh, zh2en


def test_unknown_tags_are_counted_and_the_first_is_placed(tmp_path):
    manifest = en2zh(tmp_path, TRAIN)[1]
    seen = manifest["unknown_tags"]["<EN-BACKn>"]
    assert seen["times"] == 3  # two in train, one in test
    assert seen["first"].endswith("NCLS Dätä/EN2ZHSUM/EN2ZHSUM_train.txt:12")
    assert TRAIN.splitlines()[11] == "<EN-BACK1>"


def test_a_file_of_something_else_names_few_tags(tmp_path):
    tags = "".join(f"<{a}{b}>\n" for a in "abcdefghijklm" for b in "nopqrstuvwxyz")
    seen = en2zh(tmp_path, TRAIN.replace("</doc>", f"{tags}</doc>"))[1]["unknown_tags"]
    assert len(seen) == MOST_TAGS + 1
    assert sum(tag["times"] for tag in seen.values()) == 2 * 169 + 3


@pytest.mark.parametrize("tag", ["human-corrected-en-summary", "en-summary_human_corrected"])
def test_a_correction_is_known_by_either_end_of_its_tag(tmp_path, tag):
    test = ZH2EN_TEST.replace("en-summary-human-corrected", tag)
    zh2en(tmp_path, test=test)
    (record,) = read_lines(tmp_path / "out" / "test.jsonl")
    assert record["cross"] == "better summary 4"


def test_sentences_in_another_order_are_sorted(tmp_path):
    lines = TRAIN.splitlines(keepends=True)
    first, second = lines[5:14], lines[14:23]
    assert first[0] == "<EN-REF1>\n"
    assert second[0] == "<EN-REF2>\n"
    assert en2zh(tmp_path, "".join([*lines[:5], *second, *first, *lines[23:]]))[0] == EN2ZH


def test_extra_tags_around_and_between_records_are_counted(tmp_path):
    text = TRAIN.replace("<doc id=12>", "<meta>\n<doc id=12>")
    text = f"<corpus>\n{text}</corpus>\n"
    found, manifest = en2zh(tmp_path, text.replace("<doc id", "<doc date='1' id"))
    assert found == EN2ZH
    places = {tag: seen["first"] for tag, seen in manifest["unknown_tags"].items()}
    for tag, line in (("<corpus>", 1), ("<EN-BACKn>", 13), ("<meta>", 26), ("</corpus>", 38)):
        assert places.pop(tag).endswith(f"EN2ZHSUM_train.txt:{line}")
    assert places == {}


@pytest.mark.parametrize(
    "lines",
    ["<a" + "1" * 10**6, "<doc id=" + "a" * 10**6, "<EN-BACK" + "9" * 5000 + ">",
     "<a>\n" * 300_000, "".join(f"<a{n}>\n" for n in range(100_000)),
     "<doc id=1>\n<Article>\n" * 100_000],
    ids=["digits", "id", "number", "unclosed", "all-different", "documents"],
)  # fmt: skip
def test_no_lines_take_forever(tmp_path, lines):
    record = f"<doc id=13>\n<Article>\n{lines}\n</Article>\n{lines}\n</doc>\n"
    result = outcome(lambda: en2zh(tmp_path, TRAIN + record))
    if isinstance(result, InputError):
        assert "200,001 of 200,003 records cannot be used" in str(result)
    else:
        found, manifest = result
        assert found == EN2ZH
        assert len(manifest["unknown_tags"]) <= 3


def read(tmp_path, text: str) -> tuple[list[Record], Log]:
    """The records of a file with fields ``a`` and ``b``, and what was noted."""
    (tmp_path / "file.txt").write_text(text, encoding="utf-8")
    log = Log()
    reader = TagFile(tmp_path / "file.txt", ("a", "b"))
    return list(reader.records(Sources(lambda done: None), log)), log


def tagged(name: str, text: str) -> str:
    return f"<{name}>\n{text}\n</{name}>\n"


def test_a_record_is_its_fields_by_name_and_number(tmp_path):
    lines = tagged("A", "one\ntwo") + tagged("b2", "second") + tagged("b1", "first")
    (record,), log = read(tmp_path, f"<doc id=7>\n{lines}</doc>\n")
    assert (record.id, record.text("a"), record.sentences("b")) == (
        "7", "one\ntwo", ["first", "second"],
    )  # fmt: skip
    assert not record.corrected
    assert (log.unknown, log.skipped) == ({}, {})


@pytest.mark.parametrize("number", ["2", "3"])
def test_sentences_that_do_not_count_from_one_are_skipped(tmp_path, number):
    lines = tagged(f"b{number}", "second") + tagged("b4", "fourth")
    (record,), _ = read(tmp_path, f"<doc id=7>\n{lines}</doc>\n")
    with pytest.raises(Skip, match="<bn> are not numbered 1, 2, 3"):
        record.sentences("b")
    with pytest.raises(Skip, match="no <a>"):
        record.text("a")


def test_a_correction_stands_in_for_its_number_alone(tmp_path):
    lines = tagged("b1", "first") + tagged("b2", "second") + tagged("b2-human-corrected", "better")
    (record,), _ = read(tmp_path, f"<doc id=7>\n{lines}</doc>\n")
    assert record.sentences("b") == ["first", "better"]
    assert record.corrected
