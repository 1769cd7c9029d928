"""Shards as the released code saves them: lists of dictionaries of ids and texts."""

import pickle
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mclas_lightning.corpora.importing import describe_import, import_corpus
from mclas_lightning.data.tokenizer import train_tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example
from tests.conftest import outcome, read_lines

BOS, EOS, SENTENCE, LSEP = 1, 2, 3, 5
ENGLISH = "police look for two witnesses after a fire in the old town"
GERMAN = "die polizei sucht nach einem brand in der altstadt zwei zeugen"


def record(number=0, *, layout="mclas", swapped=False, **changes):
    """What the released code writes for one document; A is English, B German."""
    a, b = [100 + number, 200], [300 + number, 400, 500]
    english, german = f"{ENGLISH} {number}", f"{GERMAN} {number}"
    second = {"mclas": [LSEP, BOS], "one-bos": [LSEP], "ncls": []}[layout]
    made = {
        "src": [101, 7, 102],
        "tgt": [BOS, *b, EOS] if layout == "ncls" else [BOS, *a, *second, *b, EOS],
        "src_sent_labels": [0], "segs": [0, 0, 0], "clss": [0],
        "src_txt": [f"story {number} -LRB- one -RRB- .", "the end ."],
        "tgt_txt": f"{german}<q>ende", "tgt_eng": [BOS, *a, EOS], "tgt_txt_eng": english,
        "tgt_segs": [0] * 8,
    }  # fmt: skip
    if swapped:
        made["tgt_txt"], made["tgt_txt_eng"] = made["tgt_txt_eng"], made["tgt_txt"]
    return made | changes


def expected(number, shard):
    return Example(
        id=f"{shard}:{number}",
        document=f"story {number} (one). the end.",
        mono=f"{ENGLISH} {number}",
        cross=f"{GERMAN} {number}\nende",
    )


def load(folder, shards, source="en", target="de", **options):
    """Import these shards; the examples of train and the manifest."""
    raw = folder / "En2De shards"
    raw.mkdir(exist_ok=True)
    for name, records in shards.items():
        torch.save(records, raw / name)
    out = folder / "out"
    manifest = import_corpus("released-shards", [raw], out, source=source, target=target, **options)
    return [Example(**r) for r in read_lines(out / "train.jsonl")], manifest


@pytest.mark.parametrize("layout", ["mclas", "one-bos", "ncls"])
@pytest.mark.parametrize("swapped", [False, True])
def test_every_layout_gives_the_same_texts(tmp_path, layout, swapped):
    name = "xgiga.en.train.0.bert.pt"
    records = [record(i, layout=layout, swapped=swapped) for i in range(3)]
    found, manifest = load(tmp_path, {name: records})
    assert found == [expected(i, name) for i in range(3)]
    assert manifest["swapped"] is swapped
    assert manifest["dataset"] == "en2desum"
    assert ("were swapped" in "\n".join(describe_import(tmp_path, manifest))) is swapped


def test_shards_are_read_in_the_order_of_their_names_and_their_sizes_kept(tmp_path):
    shards = {f"ncls.train.{k}.bert.pt": [record(i) for i in range(k + 1)] for k in (0, 2, 10)}
    shards["ncls.train.2.bert.pt"][1]["tgt"] = [9, EOS]
    shards["ncls.valid.0.bert.pt"] = [record(7)]
    found, manifest = load(tmp_path, shards)
    assert manifest["shards"] == {
        "train": [
            ["ncls.train.0.bert.pt", 1], ["ncls.train.10.bert.pt", 11], ["ncls.train.2.bert.pt", 2],
        ],
        "valid": [["ncls.valid.0.bert.pt", 1]],
    }  # fmt: skip
    assert [e.id for e in found[:2]] == ["ncls.train.0.bert.pt:0", "ncls.train.10.bert.pt:0"]
    ((reason, seen),) = manifest["counts"]["train"]["skipped"].items()
    assert reason.startswith("tgt is not [BOS]")
    assert seen["first"].endswith("ncls.train.2.bert.pt:1")


def test_a_target_cut_at_its_longest_length_keeps_its_text(tmp_path):
    cut = [record(i) for i in range(3)]
    for made in cut[1:]:
        made["tgt"].pop()
    cut[2]["tgt_txt"] = ""
    found, manifest = load(tmp_path, {"a.train.0.bert.pt": cut})
    assert found == [expected(i, "a.train.0.bert.pt") for i in range(2)]
    seen = manifest["counts"]["train"]["skipped"]["tgt is cut short, and its text is not there"]
    assert seen["first"].endswith("bert.pt:2")


def test_a_target_of_two_summaries_with_one_empty_is_skipped(tmp_path):
    made = [record(i) for i in range(3)]
    made[1] |= {"tgt": [BOS, LSEP, BOS, 300, EOS], "tgt_eng": [], "tgt_txt_eng": " "}
    made[2] = record(2, layout="ncls") | {"tgt_eng": None, "tgt_txt_eng": None}
    found, manifest = load(tmp_path, {"a.train.0.bert.pt": made})
    assert [(e.id[-1], bool(e.mono)) for e in found] == [("0", True), ("2", False)]
    seen = manifest["counts"]["train"]["skipped"]["one of the two summaries is empty"]
    assert seen["first"].endswith("bert.pt:1")


def test_shards_saved_by_an_old_torch_are_read(tmp_path):
    raw = tmp_path / "a.train.0.bert.pt"
    torch.save([record()], raw, _use_new_zipfile_serialization=False)
    import_corpus("released-shards", [raw], tmp_path / "out", source="en", target="de")
    assert len(read_lines(tmp_path / "out" / "train.jsonl")) == 1


@pytest.mark.parametrize(
    "names", [("a/x.train.0.pt", "b/x.train.0.pt"), ("x.train.0.pt", "y.train.0.pt")]
)
def test_shards_of_two_corpora_are_not_mixed(tmp_path, names):
    for name in names:
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save([record()], tmp_path / "raw" / name)
    with pytest.raises(InputError, match=r"raw: expected the shards of one corpus, found x\.train"):
        import_corpus(
            "released-shards", [tmp_path / "raw"], tmp_path / "out", source="en", target="de"
        )


@pytest.mark.parametrize("swapped", [False, True])
def test_texts_that_are_not_there_come_from_the_ids(tmp_path, swapped):
    tokenizer = train_tokenizer([ENGLISH, GERMAN, "0 1 2 3 4"], size=99, lowercase=False)
    special = tokenizer.special
    # Of our tokenizer only those ids that are not control tokens of mBERT.
    english, german = (
        tokenizer.encode([f"{text} {i}" for i in range(5)], 99) for text in (ENGLISH, GERMAN)
    )
    assert min(i for ids in (*english, *german) for i in ids) > LSEP
    made = []
    for mono, cross in zip(english, german, strict=True):
        eng, tgt = (cross, mono) if swapped else (mono, cross)
        made.append(record(
            tgt=[BOS, *eng, LSEP, BOS, *tgt, EOS], tgt_eng=[BOS, *eng, EOS], tgt_txt="",
            tgt_txt_eng=None, src=[special.cls, *mono, special.sep], src_txt=None,
        ))  # fmt: skip
    tokenizer.save(tmp_path / "tokenizer")
    shard = {"a.train.0.bert.pt": made}
    found, manifest = load(tmp_path, shard, tokenizer=str(tmp_path / "tokenizer"))
    assert manifest["swapped"] is swapped
    assert [(e.mono, e.cross) for e in found] == [
        (f"{ENGLISH} {i}", f"{GERMAN} {i}") for i in range(5)
    ]
    assert found[0].document == f"{ENGLISH} 0"
    with pytest.raises(InputError, match=r"pt:0: holds ids without .* --tokenizer"):
        load(tmp_path, shard)


BRACKETS = [
    ("story -lrb- one -rrb- , -lsb- 2 -rsb- -lcb- 3 -rcb- .", "story (one), [2] {3}."),
    ("story -LRB- one -RRB- , -LSB- 2 -RSB- -LCB- 3 -RCB- .", "story (one), [2] {3}."),
    ("`` one '' two", '" one " two'),
]


@pytest.mark.parametrize(("escaped", "plain"), BRACKETS)
def test_brackets_and_quotes_of_corenlp_are_unescaped_in_texts_and_in_ids(tmp_path, escaped, plain):
    tokenizer = train_tokenizer([escaped, ENGLISH, GERMAN] * 9, size=99, lowercase=False)
    tokenizer.save(tmp_path / "tokenizer")
    (ids,) = tokenizer.encode([escaped], 99)
    target: dict[str, Any] = {"tgt": [BOS, *ids, EOS], "tgt_eng": [BOS, *ids, SENTENCE, *ids, EOS]}
    made = [
        record(src=ids, src_txt=[escaped], tgt_txt_eng=f"{escaped}<q>{escaped}", **target),
        record(src=ids, src_txt=None, tgt_txt_eng=None, **target),
    ]
    shard = {"a.train.0.bert.pt": made}
    found, _ = load(tmp_path, shard, tokenizer=str(tmp_path / "tokenizer"))
    assert [(e.document, e.mono) for e in found] == [(plain, f"{plain}\n{plain}")] * 2


@pytest.mark.parametrize("border", ["<q>", " [unused3] ", " <q> <q> "])
def test_a_sentence_of_a_summary_is_a_line_of_it(tmp_path, border):
    made = record(src_txt=["one", "two ."], tgt_txt=f"( eins ){border}zwei{border}( drei ) .")
    found, _ = load(tmp_path, {"a.train.0.bert.pt": [made]})
    assert found[0].cross == "(eins)\nzwei\n(drei)."
    assert found[0].document == "one two."


def test_chinese_words_are_joined(tmp_path):
    made = record(tgt_txt="警方 寻找 两 名 证人 ， 火灾<q>完", tgt_txt_eng=ENGLISH)
    found, manifest = load(tmp_path, {"ncls.train.0.bert.pt": [made]}, target="zh")
    assert found[0].cross == "警方寻找两名证人，火灾\n完"
    assert manifest["dataset"] == "en2zhsum"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tgt": [BOS, 105_879, EOS]}, r"pt:1: tgt has the id 105,879, the vocabulary 105,879"),
        ({"src": [-1, 7]}, r"pt:1: src has the id -1"),
        ({"tgt_eng": ["one"]}, r"pt:1: tgt_eng: expected a list of ids"),
        ({"tgt": torch.tensor([1, 2])}, r"pt:1: tgt: expected a list of ids"),
    ],
)
def test_foreign_ids_are_refused(tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        load(tmp_path, {"a.train.0.bert.pt": [record(0), record(1, **changes)]})
    assert not (tmp_path / "out").exists()


class Evil:
    """Leaves a mark wherever its pickle is executed."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("save", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_code_in_a_shard_is_refused_and_not_executed(tmp_path, save):
    raw = tmp_path / "raw"
    raw.mkdir()
    save([record(), Evil(tmp_path / "executed")], raw / "a.train.0.bert.pt")
    with pytest.raises(InputError, match=r"bert\.pt: (needs code|not a shard)") as caught:
        import_corpus("released-shards", [raw], tmp_path / "out", source="en", target="de")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


@settings(max_examples=60)
@given(data=st.data())
def test_any_bytes_give_examples_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / "a.train.0.bert.pt"
    torch.save([record(i) for i in range(2)], path)
    good = bytearray(path.read_bytes())
    cut = data.draw(st.integers(0, len(good)))
    at, byte = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 255))
    good[at] = byte
    raw = data.draw(st.sampled_from([bytes(good), bytes(good[:cut]), pickle.dumps(cut), b"\x80"]))
    path.write_bytes(raw)
    words: dict[str, Any] = {"source": "en", "target": "de"}
    result = outcome(lambda: import_corpus("released-shards", [path], folder / "out", **words))
    if isinstance(result, InputError):
        assert not (folder / "out").exists()
    else:
        assert len(read_lines(folder / "out" / "train.jsonl")) > 0


@pytest.mark.parametrize("records", [[3], {"a": 1}, "text", [record(), None]])
def test_what_is_no_list_of_dictionaries_is_no_shard(tmp_path, records):
    with pytest.raises(InputError, match="not a shard"):
        load(tmp_path, {"a.train.0.bert.pt": records})
