import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models
from transformers import BertTokenizerFast  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.pieces import WordPieces

NAMES = ["[UNK]", "[CLS]", *"警方找。-1i", "app", "##le", "##s", "##os", "##4", "cafe"]
VOCABULARY = dict(zip(NAMES, range(len(NAMES)), strict=True))
TEXTS = st.text("警方找人。-applesios14Ééa \n\u0301\t[UNK]", max_size=20)


def cut(text: str) -> list[str]:
    return WordPieces(VOCABULARY).tokenize([text])[0]


def test_characters_stand_apart_and_words_are_cut_into_pieces():
    assert cut("警方找Apples。") == ["警", "方", "找", "app", "##le", "##s", "。"]
    assert cut("iOS-14") == ["i", "##os", "-", "1", "##4"]


def test_case_and_accents_do_not_count():
    assert cut("CAFÉ") == ["cafe"]


def test_a_word_that_the_vocabulary_cannot_write_is_itself():
    assert cut("警车 Zürich [UNK]") == ["警", "车", "zurich", "[", "unk", "]"]


@given(TEXTS)
def test_known_pieces_are_those_of_berts_tokenizer(text: str):
    bert = BertTokenizerFast(vocab=VOCABULARY, do_lower_case=True)
    theirs = bert.backend_tokenizer.encode(text, add_special_tokens=False).tokens
    ours = cut(text)
    if "[UNK]" not in text:
        assert len(ours) == len(theirs)
        pairs = zip(ours, theirs, strict=True)
        assert all(a == b or (b == "[UNK]" and a not in VOCABULARY) for a, b in pairs)


def test_a_tokenizers_folder_and_its_file_are_the_same(tmp_path, tokenizer):
    tokenizer.save(tmp_path)
    folder, file = WordPieces.read(tmp_path), WordPieces.read(tmp_path / "tokenizer.json")
    assert folder.hash == file.hash
    assert folder.tokenize(["storm 7"]) == [["storm", "7"]]


def test_the_hash_is_that_of_the_pieces():
    fewer = dict(list(VOCABULARY.items())[:-1])
    assert WordPieces(VOCABULARY).hash == WordPieces(dict(reversed(VOCABULARY.items()))).hash
    assert WordPieces(VOCABULARY).hash != WordPieces(fewer).hash


def test_other_tokenizers_and_files_are_refused(tmp_path):
    unigram = Backend(models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0))
    unigram.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "broken.json").write_text("{")
    for path in (tmp_path, tmp_path / "broken.json", tmp_path / "nowhere"):
        assert WordPieces.find(path) is None
        with pytest.raises(InputError, match=f"^{path}: expected a folder with the tokenizer.json"):
            WordPieces.read(path)
