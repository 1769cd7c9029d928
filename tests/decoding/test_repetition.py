"""What a repetition is made of, in vocabularies of both kinds."""

import pytest
import torch
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from mclas_lightning.data.tokenizer import Tokenizer, train_tokenizer
from mclas_lightning.decoding.output import shortlists_of
from mclas_lightning.decoding.processors import BLOCKED, RepetitionBlock
from mclas_lightning.decoding.repetition import (
    REPETITION_CHARACTERS,
    REPETITION_WORDS,
    released_repetition_shares,
    repetition_shares,
)

PIECES = ["▁rain", "s", "▁", ",", "雨", "大雨", "▁的", "ロ", "▁비", "ฝน", "8"]


@pytest.fixture(scope="module")
def sentence_pieces() -> Tokenizer:
    names = ["<s>", "<pad>", "</s>", "<unk>", *PIECES]
    backend = Backend(models.Unigram([(piece, -1.0) for piece in names], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    return Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, **special))


def test_sentence_pieces_say_where_a_word_begins(sentence_pieces):
    found = dict(zip(PIECES, repetition_shares(sentence_pieces)[4:].tolist(), strict=False))
    words = {"▁rain": REPETITION_CHARACTERS, "▁비": REPETITION_CHARACTERS}
    characters = {
        "雨": REPETITION_WORDS,
        "大雨": 2 * REPETITION_WORDS,
        "▁的": REPETITION_WORDS,
        "ロ": REPETITION_WORDS,
        "ฝน": 2 * REPETITION_WORDS,
    }
    assert found == {**dict.fromkeys(PIECES, 0), **words, **characters}
    released = dict(
        zip(PIECES, released_repetition_shares(sentence_pieces)[4:].tolist(), strict=False)
    )
    assert {piece for piece, share in released.items() if share} == {"▁rain", "▁", "▁的", "▁비"}


def test_word_pieces_say_where_a_word_goes_on(tokenizer):
    names = tokenizer.backend.convert_ids_to_tokens([*range(len(tokenizer))])
    for name, share in zip(names, repetition_shares(tokenizer).tolist(), strict=True):
        opens = not name.startswith("##") and name.isalnum()
        assert share == (REPETITION_CHARACTERS if opens else 0), name
    control = [*tokenizer.special]
    assert repetition_shares(tokenizer)[control].tolist() == [0] * len(control)
    assert released_repetition_shares(tokenizer)[control].tolist() == [REPETITION_CHARACTERS] * len(
        control
    )


TERM = "人工智能"
COMPOUND = "Donaudampfschifffahrtsgesellschaft"
WRITABLE = [
    f"{TERM}改变了医疗,{TERM}也改变了教育,人们因此讨论{TERM}。",
    f"Die {COMPOUND} klagt, weil eine {COMPOUND} zahlt.",
    "Covid-19 in the U.S.: U.S. doctors fight Covid-19.",
]
REPETITIONS = [
    ("the storm hit the city, and the storm hit", "hit"),
    (f"{TERM}改变了医疗和{TERM}改变了医", "医"),  # the eighth character
]


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    """So small a vocabulary that long words have many pieces."""
    return train_tokenizer(
        [*WRITABLE, *(text for text, _ in REPETITIONS)], size=150, lowercase=False
    )


def blocked(tokenizer: Tokenizer, text: str) -> list[str]:
    """The pieces of a text that the block would not let follow what is before them."""
    ids, special = tokenizer.encode([text], 500)[0], tokenizer.special
    writable = sorted({*ids})
    every = shortlists_of([writable], len(tokenizer), lsep_id=special.lsep, eos_id=special.eos)
    block = RepetitionBlock(every, repetition_shares(tokenizer), special.lsep)
    found = []
    for length, piece in enumerate(ids):
        prefix_1T = torch.tensor([[special.bos, *ids[:length]]])
        scores_1C = block(prefix_1T, torch.zeros(1, len(writable) + 1))
        if scores_1C[0, every.column_SV[0, piece]] <= BLOCKED:
            found.append(str(tokenizer.backend.convert_ids_to_tokens(piece)))
    return found


@pytest.mark.parametrize("text", WRITABLE)
def test_a_term_a_compound_and_an_abbreviation_can_be_written_again(text, trained):
    ids = trained.encode([text], 500)[0]
    assert len({*zip(ids, ids[1:], ids[2:], strict=False)}) < len(ids) - 2  # Pieces do repeat.
    assert blocked(trained, text) == []


@pytest.mark.parametrize(("text", "piece"), REPETITIONS)
def test_three_words_and_eight_characters_are_not_written_again(text, piece, trained):
    assert blocked(trained, text)[:1] == [piece]
