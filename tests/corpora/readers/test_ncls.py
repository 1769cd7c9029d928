"""Files in the formats of NCLS and LCSTS, as their public readers describe them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.corpora.importing import import_corpus
from mclas_lightning.corpora.readers.log import MOST_TAGS
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import outcome, read_lines

TRAIN = """<doc id=11>
<Article>
A storm hit Vienna .
Nobody was hurt .
</Article>
<EN-REF1>
storm hits Vienna
</EN-REF1>
<ZH-REF1>
风暴袭击维也纳
</ZH-REF1>
<EN-BACK1>
a storm strikes
</EN-BACK1>
<EN-REF2>
nobody hurt
</EN-REF2>
<ZH-REF2>
无人受伤
</ZH-REF2>
<EN-BACK2>
no one hurt
</EN-BACK2>
</doc>
<doc id=12>
<ZH-REF1>
科隆大火
</ZH-REF1>
<EN-REF1>
fire in Cologne
</EN-REF1>
<Article>
A fire <b>broke</b> out in Cologne .
</Article>
</doc>
"""
TEST = """<doc id=7>
<Article>
Rain in Bremen .
</Article>
<EN-REF1>
rain in Bremen
</EN-REF1>
<ZH-REF1>
雨在不来梅
</ZH-REF1>
<ZH-REF1-human-corrected>
不来梅下雨
</ZH-REF1-human-corrected>
<EN-BACK1>
rain at Bremen
</EN-BACK1>
</doc>
"""
EN2ZH = [
    Example(
        id="11", document="A storm hit Vienna . Nobody was hurt .",
        mono="storm hits Vienna\nnobody hurt", cross="风暴袭击维也纳\n无人受伤",
    ),
    Example(
        id="12", document="A fire <b>broke</b> out in Cologne .",
        mono="fire in Cologne", cross="科隆大火",
    ),
]  # fmt: skip
ZH2EN = "".join(
    f"<doc id={i}>\n<en-summary>\nsummary {i}\n</en-summary>\n"
    f"<back-translated-zh-summary>\n回译{i}\n</back-translated-zh-summary>\n</doc>\n"
    for i in (3, 1, 2)
)
ZH2EN_TEST = (
    "<doc id=4>\n<en-summary>\nsummary 4\n</en-summary>\n"
    "<en-summary-human-corrected>\nbetter summary 4\n</en-summary-human-corrected>\n"
    "<back-translated-zh-summary>\n回译4\n</back-translated-zh-summary>\n</doc>\n"
)
LCSTS = "".join(
    f"<doc id={i}>\n    <summary>\n        摘要{i}\n    </summary>\n"
    f"    <short_text>\n        一篇短文{i}。\n    </short_text>\n</doc>\n"
    for i in range(5)
)


ENCODINGS = "utf-8", "gb18030"


MORE = "more sentences in <en-refn> or <zh-refn> than in the other"


def en2zh(tmp_path, train, test=TEST, encoding="utf-8"):
    """Import these files; the examples of train and the manifest."""
    folder = tmp_path / "NCLS Dätä" / "EN2ZHSUM"
    folder.mkdir(parents=True, exist_ok=True)
    raw = train if isinstance(train, bytes) else train.encode(encoding)
    (folder / "EN2ZHSUM_train.txt").write_bytes(raw)
    (folder / "EN2ZHSUM_test.txt").write_text(test, encoding="utf-8")
    manifest = import_corpus("ncls-en2zh", [folder], tmp_path / "out put")
    return [Example(**r) for r in read_lines(tmp_path / "out put" / "train.jsonl")], manifest


def zh2en(tmp_path, train=ZH2EN, lcsts: str | bytes = LCSTS, encoding="utf-8", test=ZH2EN_TEST):
    folder = tmp_path / "raw"
    folder.mkdir(exist_ok=True)
    (folder / "ZH2ENSUM_train.txt").write_text(train, encoding="utf-8")
    (folder / "ZH2ENSUM_test.txt").write_text(test, encoding="utf-8")
    (folder / "PART_I.txt").write_bytes(
        lcsts if isinstance(lcsts, bytes) else lcsts.encode(encoding)
    )
    manifest = import_corpus("ncls-zh2en", [folder], tmp_path / "out")
    return [Example(**r) for r in read_lines(tmp_path / "out" / "train.jsonl")], manifest


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


def test_the_test_set_has_the_corrected_references(tmp_path):
    en2zh(tmp_path, TRAIN)
    (record,) = read_lines(tmp_path / "out put" / "test.jsonl")
    assert (record["mono"], record["cross"]) == ("rain in Bremen", "不来梅下雨")
    zh2en(tmp_path)
    (record,) = read_lines(tmp_path / "out" / "test.jsonl")
    assert record == {
        "id": "4", "document": "一篇短文4。", "mono": "摘要4", "cross": "better summary 4",
    }  # fmt: skip


def test_sentences_in_another_order_are_sorted(tmp_path):
    lines = TRAIN.splitlines(keepends=True)
    first, second = lines[5:14], lines[14:23]
    assert first[0] == "<EN-REF1>\n"
    assert second[0] == "<EN-REF2>\n"
    assert en2zh(tmp_path, "".join([*lines[:5], *second, *first, *lines[23:]]))[0] == EN2ZH


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
        (
            TRAIN.replace("Article", "Body"),
            r"2 of 2 records cannot be used, 2 because: no <ar",
        ),
    ],
    ids=["no-end", "half", "encodings", "words", "empty", "other-tags"],
)
def test_a_damaged_file_is_one_line_and_leaves_nothing(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        en2zh(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["NCLS Dätä"]


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


def test_records_of_lcsts_that_cannot_be_used_are_counted(tmp_path):
    records = LCSTS.split("</doc>\n")
    more = records[0] + "</doc>\n" + records[0].replace("id=0", "id=9").replace("摘要0", "")
    manifest = zh2en(tmp_path, lcsts=LCSTS + more + "</doc>\n")[1]
    skipped = manifest["counts"]["PART_I.txt"]["skipped"]
    for reason, line in (("the id was used before", 41), ("no <summary>", 49)):
        assert skipped[reason]["records"] == 1
        assert skipped[reason]["first"].endswith(f"PART_I.txt:{line}")


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
