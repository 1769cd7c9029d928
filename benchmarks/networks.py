"""Networks of the paper's sizes, and of very small ones, with random weights."""

import torch

from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq

VOCABULARY = 105_879


def paper_network(dropout: float = 0.1) -> Seq2Seq:
    """The paper's network with 296,046,231 parameters (section 5.2)."""
    torch.manual_seed(0)
    encoder = {
        "vocab_size": VOCABULARY, "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
    }  # fmt: skip
    decoder = DecoderConfig(layers=6, heads=8, feed_forward=2048, dropout=dropout)
    return Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder))


def tiny_network(dropout: float = 0.1) -> Seq2Seq:
    """A network that trains and searches in a moment, to try a program with."""
    torch.manual_seed(0)
    encoder = {
        "vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 32, "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
    }  # fmt: skip
    decoder = DecoderConfig(layers=1, heads=2, feed_forward=32, dropout=dropout)
    return Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder))
