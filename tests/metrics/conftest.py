"""Encoders of a few hundred kilobytes, with random weights."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

WORDS = (
    *("storm", "hits", "the", "city", "police", "found", "two", "men", "a", "street", "in"),
    *("rain", "flood", ",", ".", "##s"),
)
LAYERS, POSITIONS = 3, 23


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory) -> Path:
    """A BERT of three layers in a folder whose name bert-score's table does not know."""
    folder = tmp_path_factory.mktemp("encoders") / "small"
    folder.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=24,
        num_hidden_layers=LAYERS,
        num_attention_heads=3,
        intermediate_size=37,
        max_position_embeddings=POSITIONS,
        initializer_range=0.3,  # Of the usual one, all states are alike.
    )
    BertModel(config).save_pretrained(folder)
    return folder
