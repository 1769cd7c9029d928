import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from mclas_lightning.data import encoding
from mclas_lightning.data.tokenizer import Tokenizer, detokenize, train_tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.metrics.tokens import tokens
from tests.conftest import PLACES, examples


def test_texts_come_back_in_their_languages_spacing(tokenizer):
    texts = [text for e in examples(9) for text in (e.mono, e.cross) if text]
    for text, ids in zip(texts, tokenizer.encode(texts, 50), strict=True):
        assert tokenizer.decode(ids, "en") == text


@pytest.mark.parametrize(
    ("pieces", "language", "text"),
    [
        ("3 . 5 % of 1 , 200 ( about ) , he said .", "en", "3.5% of 1,200 (about), he said."),
        ("three - day strike", "en", "three-day strike"),
        ("Die Stadt „ Köln “ :", "de", "Die Stadt „Köln“:"),
        ("三 名 工 人 ， 在 慕 尼 黑 。", "zh", "三名工人，在慕尼黑。"),
        ("安 装 KDE 5 桌 面", "zh", "安装KDE 5桌面"),
        ("佢 哋 今 日 開 會", "yue", "佢哋今日開會"),
        ("苹 果 ｉＰｈｏｎｅ ６ 售 Nexus ９ ％ 。", "zh", "苹果ｉＰｈｏｎｅ ６售Nexus ９％。"),
        ("東 京 で 大 きな 地 震", "ja", "東京で大きな地震"),
        ("हिन्दी - उर्दू", "hi", "हिन्दी-उर्दू"),
    ],
)
def test_detokenization(pieces, language, text):
    assert detokenize(pieces, language) == text


def test_chinese_characters_stand_alone():
    tokenizer = train_tokenizer(["慕尼黑工人", "工人在慕尼黑"] * 3, size=60, lowercase=False)
    (ids,) = tokenizer.encode(["慕尼黑工人"], 50)
    assert len(ids) == 5
    assert tokenizer.decode(ids, "zh") == "慕尼黑工人"


def test_lower_casing_keeps_umlauts():
    tokenizer = train_tokenizer(PLACES["de"] * 3, size=90, lowercase=True)
    (ids,) = tokenizer.encode(["Köln"], 50)
    assert tokenizer.decode(ids, "de") == "köln"


@pytest.fixture
def byte_level(tokenizer) -> Tokenizer:
    """One of another kind, which would keep every code point apart."""
    backend = Backend(models.BPE(unk_token="[UNK]"))  # pyright: ignore[reportCallIssue]
    backend.pre_tokenizer = pre_tokenizers.ByteLevel()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[BOS]", "[EOS]", "[LSEP]"]
    trainer = trainers.BpeTrainer(
        special_tokens=names, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    backend.train_from_iterator(["a"], trainer)
    return Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]"))


SPELLINGS = [
    ("Bundes\u00adtag", "Bundestag"),
    ("\ufeffBundestag", "Bundestag"),
    ("Ko\u0308ln", "Köln"),
    ("می\u200cخواهم", "میخواهم"),
    ("ภาษา\u200bไทย", "ภาษา ไทย"),
    ("a\ufffdb", "a b"),
]


@pytest.mark.parametrize(("spelled", "plainly"), SPELLINGS)
def test_every_tokenizer_reads_the_spelling_that_rouge_does(
    tokenizer, byte_level, spelled, plainly
):
    here = train_tokenizer([plainly, "Köln"] * 3, size=90, lowercase=False)
    for one in (here, tokenizer, byte_level):
        assert one.encode([spelled], 50) == one.encode([plainly], 50)
    assert train_tokenizer([spelled, "Köln"] * 3, size=90, lowercase=False).rules == here.rules
    assert tokens(here.decode(here.encode([spelled], 50)[0], "de")) == tokens(spelled)


def test_control_tokens_in_a_text_are_text(tokenizer):
    (ids,) = tokenizer.encode(["storm [LSEP] hits [EOS] [PAD] [BOS]"], 50)
    assert not set(ids) & {i for i in tokenizer.special if i != tokenizer.special.unk}


def test_sources_are_cut_inside_their_frame(tokenizer):
    (ids,) = tokenizer.encode_sources([examples(1)[0].document], 7)
    assert len(ids) == 7
    assert (ids[0], ids[-1]) == (tokenizer.special.cls, tokenizer.special.sep)


def test_a_saved_tokenizer_is_the_same(tmp_path, tokenizer):
    tokenizer.save(tmp_path / "t")
    loaded = Tokenizer.load(str(tmp_path / "t"))
    assert loaded.special == tokenizer.special
    assert loaded.fingerprint == tokenizer.fingerprint
    assert loaded.encode(["storm 7 hits Köln"], 9) == tokenizer.encode(["storm 7 hits Köln"], 9)


def test_the_released_names_are_found_in_mberts_vocabulary(tmp_path):
    from transformers import BertTokenizer

    pieces = [
        "[PAD]",
        *(f"[unused{i}]" for i in range(1, 100)),
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
    ]
    BertTokenizer(vocab={p: i for i, p in enumerate([*pieces, "storm"])}).save_pretrained(tmp_path)
    special = Tokenizer.load(str(tmp_path)).special
    assert special == (0, 100, 101, 102, 1, 2, 5)  # RELEASED: [BOS] 1, [EOS] 2, [LSEP] 5


def test_a_tokenizer_that_is_not_there_or_lacks_control_tokens_is_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="'nowhere/at-all': neither a folder"):
        Tokenizer.load("nowhere/at-all")
    slow = type("BertJapaneseTokenizer", (), {})
    with monkeypatch.context() as japanese:
        japanese.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: slow())
        with pytest.raises(InputError, match="'jp': is not fast, but of Python"):
            Tokenizer.load("jp")
    corpus = tmp_path / "Mein Korpus"
    (corpus / "en2de").mkdir(parents=True)
    (corpus / "en2de" / "train.jsonl").touch()
    for folder, command in (
        (corpus / "tokenizer", f"mclas data tokenizer '{corpus}'"),
        (tmp_path / "e5-small", f"mclas data e5-small --out {tmp_path}/e5-small"),
    ):
        with pytest.raises(InputError) as error:
            Tokenizer.load(str(folder))
        assert str(error.value).endswith(f"; make it with: {command}")
    backend = Backend(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"lacks \[PAD\] or <pad>, .*\[SEP\]"):
        Tokenizer.load(str(tmp_path))


@pytest.fixture
def xlmr(tmp_path) -> Path:
    """The folder of a tokenizer of XLM-R's kind."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581rain", "s", ",", "\u96e8"]
    backend = Backend(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", cls_token="<s>",
        sep_token="</s>",
    ).save_pretrained(tmp_path / "xlmr")  # fmt: skip
    return tmp_path / "xlmr"


def test_a_vocabulary_without_entries_for_the_targets_control_tokens_is_given_them(xlmr, tmp_path):
    tokenizer = Tokenizer.load(str(xlmr))
    assert tokenizer.special == (1, 3, 0, 2, 9, 10, 11)
    assert (len(tokenizer), tokenizer.added) == (12, 3)
    ids = tokenizer.encode(["rains , rain,"], 9)[0]
    # Its pieces say where spaces are: nothing is guessed about punctuation.
    assert tokenizer.decode([9, *ids, 10], "en") == "rains , rain,"
    tokenizer.save(tmp_path / "saved")
    again = Tokenizer.load(str(tmp_path / "saved"))
    assert (again.special, again.added) == (tokenizer.special, 0)
    assert again.fingerprint == tokenizer.fingerprint


def test_only_the_kind_that_took_control_tokens_of_texts_for_ids_needs_new_stores(
    xlmr, tokenizer, monkeypatch
):
    monkeypatch.setattr(encoding, "UNWRITTEN", "")  # as before
    word_pieces, unigram = Tokenizer(tokenizer.backend), Tokenizer.load(str(xlmr))
    assert unigram.special.sep in unigram.encode(["rain</s>"], 9)[0]
    monkeypatch.undo()
    assert word_pieces.content_hash == Tokenizer(tokenizer.backend).content_hash
    now = Tokenizer.load(str(xlmr))
    assert now.special.sep not in now.encode(["rain</s>"], 9)[0]
    assert (now.rules, now.fingerprint) == (unigram.rules, unigram.fingerprint)
    assert now.content_hash != unigram.content_hash


@pytest.mark.parametrize("model", ["word pieces", "bytes"])
def test_a_newline_is_read_as_a_space(model, tokenizer):
    texts = ["storm 3 hits Vienna", "Sturm trifft Wien", "storm hits"]
    if model == "bytes":  # As RoBERTa's: a newline has an entry of its own.
        backend = Backend(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        control = ["<s>", "<pad>", "</s>", "<unk>"]
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(special_tokens=control, initial_alphabet=alphabet)  # pyright: ignore
        backend.train_from_iterator(texts, trainer)
        names = dict(
            zip(("cls_token", "pad_token", "sep_token", "unk_token"), control, strict=True)
        )
        tokenizer = Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, **names))
    broken = [text.replace(" ", "\n", 1) for text in texts]
    assert tokenizer.encode(broken, 50) == tokenizer.encode(texts, 50)
    assert tokenizer.encode_sources(broken, 50) == tokenizer.encode_sources(texts, 50)


def test_sentences_of_a_source_are_set_apart(tokenizer):
    first, second = "On day 3 there was a storm in Bremen.", "People stayed inside."
    (apart,) = tokenizer.encode_sources([f"{first} {second}"], 100, "en")
    special = tokenizer.special
    one, two = tokenizer.encode([first, second], 100)
    assert apart == [special.cls, *one, special.sep, special.cls, *two, special.sep]
    (together,) = tokenizer.encode_sources([f"{first} {second}"], 100)
    assert together == [special.cls, *one, *two, special.sep]
    (cut,) = tokenizer.encode_sources([f"{first} {second}"], len(one) + 5, "en")
    assert cut == [*apart[: len(one) + 4], special.sep]


@pytest.mark.slow
def test_training_is_the_same_in_another_process(tokenizer):
    code = (
        "from tests.conftest import examples, train_tokenizer\n"
        "texts = [t for e in examples(60) for t in (e.document, e.mono, e.cross) if t]\n"
        "print(train_tokenizer(texts, size=300, lowercase=False).fingerprint)"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.split()[-1] == tokenizer.fingerprint


def test_a_long_sentence_without_spaces_is_read_and_written_whole():
    sentence = (
        "ตำรวจกรุงเทพมหานครแถลงเมื่อคืนวันอังคารว่าพบภาพวาดที่ถูกขโมยสองภาพ"
        "ในโกดังท่าเรือหมายเลขสามหลังชาวบ้านแจ้งเหตุ"
    )
    assert len(sentence) > 100
    trained = train_tokenizer([sentence, "ตำรวจพบภาพวาด"], size=200, lowercase=False)
    (ids,) = trained.encode([sentence], 512)
    assert trained.special.unk not in ids
    assert trained.decode(ids, "th") == sentence
