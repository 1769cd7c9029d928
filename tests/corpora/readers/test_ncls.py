import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import outcome, read_lines
from tests.corpora.readers.ncls_files import EN2ZH, LCSTS, TRAIN, ZH2EN, en2zh, zh2en

ENCODINGS = "utf-8", "gb18030"


MORE = "more sentences in <en-refn> or <zh-refn> than in the other"


@pytest.mark.parametrize(
    "text",
    [
        TRAIN,
        TRAIN.replace("\n", "\r\n"),
        "\ufeff" + TRAIN,
        TRAIN.removesuffix("\n"),
        "\n\n" + TRAIN.replace("<doc ", "\n<doc ").replace("id=11", 'id="11" split="train"'),
        "".join(f"   {line}\t\n" for line in TRAIN.splitlines()),
    ],
    ids=["plain", "crlf", "bom", "no-last-newline", "blanks-and-attributes", "indented"],
)
def test_en2zh_is_article_and_sentences(tmp_path, text):
    found, manifest = en2zh(tmp_path, text)
    assert found == EN2ZH
    assert manifest["counts"] == {
        "train": {"kept": 2, "skipped": {}},
        "test": {"kept": 1, "skipped": {}, "corrected": 1},
    }
    assert manifest["dataset"] == "en2zhsum"
    assert manifest["languages"] == {"source": "en", "target": "zh"}


def test_the_test_set_has_the_corrected_references(tmp_path):
    en2zh(tmp_path, TRAIN)
    (record,) = read_lines(tmp_path / "out put" / "test.jsonl")
    assert (record["mono"], record["cross"]) == ("rain in Bremen", "不来梅下雨")
    zh2en(tmp_path)
    (record,) = read_lines(tmp_path / "out" / "test.jsonl")
    assert record == {
        "id": "4", "document": "一篇短文4。", "mono": "摘要4", "cross": "better summary 4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "reason", "line"),
    [
        ("</doc>\n<doc id=12>", "<doc id=12>", "no </doc>", 1),
        ("</Article>\n<EN-REF1>\nst", "<EN-REF1>\nst", "<Article> is not opened and closed", 1),
        ("<EN-REF2>\nnobody", "<EN-REF3>\nnobody", "<EN-REFn> is not opened and closed", 1),
        ("EN-REF2", "EN-REF3", "<en-refn> are not numbered 1, 2, 3, ...", 1),
        ("EN-REF2", "EN-REF1", "<EN-REFn> is there twice", 1),
        ("A storm hit Vienna .\nNobody was hurt .", " ", "no <article>", 1),
        ("id=12", "id=11", "the id was used before", 25),
        ("<ZH-REF2>\n无人受伤\n</ZH-REF2>\n", "", MORE, 1),
        ("<doc id=11>\n", "", "no <doc id=...>", 23),
    ],
)  # fmt: skip
def test_a_damaged_record_is_skipped_counted_and_placed(tmp_path, old, new, reason, line):
    assert old in TRAIN
    found, manifest = en2zh(tmp_path, TRAIN.replace(old, new))
    kept = EN2ZH[:1] if line == 25 else EN2ZH[1:]
    assert found == kept
    (counted,) = manifest["counts"]["train"]["skipped"].items()
    assert counted[0] == reason
    assert counted[1]["records"] == 1
    assert counted[1]["first"].endswith(f"EN2ZHSUM_train.txt:{line}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TRAIN[: TRAIN.rindex("</doc>")], r"train\.txt:25: the file ends inside this record"),
        (TRAIN[: len(TRAIN) // 2], r"train\.txt:1: the file ends inside this record"),
        (
            TRAIN.encode().replace("无人受伤".encode(), "无人受伤".encode("gb18030")),
            r"train\.txt:19: not in UTF-8 .* mixes encodings",
        ),
        ("only words\n", r"train\.txt:1: .* not of this format"),
        ("", r"train: no record found"),
        (TRAIN.replace("Article", "Body"), r"2 of 2 records cannot be used, 2 because: no <ar"),
    ],
    ids=["no-end", "half", "encodings", "words", "empty", "other-tags"],
)
def test_a_damaged_file_is_one_line_and_leaves_nothing(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        en2zh(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["NCLS Dätä"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_zh2en_gets_documents_and_true_summaries_from_lcsts(tmp_path, encoding):
    found, manifest = zh2en(tmp_path, encoding=encoding)
    assert found == [
        Example(id=str(i), document=f"一篇短文{i}。", mono=f"摘要{i}", cross=f"summary {i}")
        for i in (3, 1, 2)
    ]
    assert manifest["counts"]["PART_I.txt"] == {"kept": 5, "skipped": {}}
    assert manifest["unknown_tags"] == {}
    assert {source["file"] for source in manifest["sources"]} == {
        "PART_I.txt", "ZH2ENSUM_train.txt", "ZH2ENSUM_test.txt",
    }  # fmt: skip


def test_an_id_that_lcsts_lacks_is_skipped_and_most_of_them_are_an_error(tmp_path):
    records = LCSTS.split("</doc>\n")[:-1]
    some = "".join(f"{r}</doc>\n" for r in records if "id=2>" not in r)
    found, manifest = zh2en(tmp_path, lcsts=some)
    assert [e.id for e in found] == ["3", "1"]
    skipped = manifest["counts"]["train"]["skipped"]["LCSTS has no document of this id"]
    assert skipped["records"] == 1
    assert skipped["first"].endswith("ZH2ENSUM_train.txt:17")
    few = "".join(f"{r}</doc>\n" for r in records if "id=3>" in r or "id=4>" in r)
    with pytest.raises(InputError, match=r"train: 2 of 3 records .* LCSTS has no document"):
        zh2en(tmp_path, lcsts=few)
    # The earlier import is still whole.
    assert len(read_lines(tmp_path / "out" / "train.jsonl")) == 2


def test_records_of_lcsts_that_cannot_be_used_are_counted(tmp_path):
    records = LCSTS.split("</doc>\n")
    more = records[0] + "</doc>\n" + records[0].replace("id=0", "id=9").replace("摘要0", "")
    manifest = zh2en(tmp_path, lcsts=LCSTS + more + "</doc>\n")[1]
    skipped = manifest["counts"]["PART_I.txt"]["skipped"]
    for reason, line in (("the id was used before", 41), ("no <summary>", 49)):
        assert skipped[reason]["records"] == 1
        assert skipped[reason]["first"].endswith(f"PART_I.txt:{line}")


def test_a_wrong_file_for_lcsts_is_named(tmp_path):
    with pytest.raises(InputError, match=r"PART_I\.txt: no record with <summary> and <short_text>"):
        zh2en(tmp_path, lcsts=ZH2EN)
    folder = tmp_path / "raw"
    (folder / "PART_I.txt").unlink()
    with pytest.raises(InputError, match=r"expected one PART_I\.txt of LCSTS"):
        import_corpus("ncls-zh2en", [folder], tmp_path / "out")


MUTATIONS = st.lists(
    st.tuples(st.sampled_from("dxsc"), st.integers(0, 40), st.integers(0, 40)), max_size=5
)


def mutated(mutations, text=TRAIN):
    """The text with lines deleted, doubled, swapped and cut."""
    lines = text.splitlines(keepends=True)
    for kind, at, other in mutations:
        if not lines:
            break
        at, other = at % len(lines), other % len(lines)
        if kind == "d":
            del lines[at]
        elif kind == "x":
            lines.insert(other, lines[at])
        elif kind == "s":
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] = lines[at][: other % max(len(lines[at]), 1)]
    return "".join(lines).encode()


RECORDISH = st.lists(
    st.sampled_from([b"<doc id=1>", b"</doc>", b"<Article>", b"</Article>", b"<EN-REF1>", b"\xff",
                     b"</EN-REF1>", b"<ZH-REF1>", b"</ZH-REF1>", b"text", b"\n", b"\r\n", b"<x>",
                     b"</x>", b"<doc>", b"<doc id=2/>", b"\x00", b" "]), max_size=40,
).map(b"".join)  # fmt: skip


@settings(max_examples=150)
@given(raw=st.one_of(st.binary(max_size=300), RECORDISH, MUTATIONS.map(mutated)))
def test_any_bytes_give_records_or_one_line(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("fuzz")
    result = outcome(lambda: en2zh(folder, raw))
    if isinstance(result, InputError):
        assert not (folder / "out put").exists()
    else:
        found, manifest = result
        assert manifest["counts"]["train"]["kept"] == len(found) > 0
        assert all(e.document.strip() and e.mono and e.cross for e in found)


@settings(max_examples=60)
@given(zh2en_mutations=MUTATIONS, lcsts_mutations=MUTATIONS, encoding=st.sampled_from(ENCODINGS))
def test_any_damage_to_zh2en_gives_true_records_or_one_line(
    tmp_path_factory, zh2en_mutations, lcsts_mutations, encoding
):
    train = mutated(zh2en_mutations, ZH2EN).decode()
    lcsts = mutated(lcsts_mutations, LCSTS).decode().encode(encoding)
    result = outcome(lambda: zh2en(tmp_path_factory.mktemp("fuzz"), train, lcsts))
    if not isinstance(result, InputError):
        found, manifest = result
        assert manifest["counts"]["train"]["kept"] == len(found) > 0
        assert len({e.id for e in found}) == len(found)


@settings(max_examples=60)
@given(raw=st.one_of(st.binary(max_size=300), RECORDISH))
def test_any_lcsts_gives_documents_or_one_line(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("fuzz")
    result = outcome(lambda: zh2en(folder, lcsts=LCSTS.encode() + raw))
    assert isinstance(result, InputError) or [e.id for e in result[0]] == ["3", "1", "2"]
