"""What tests of heads analyze: a random network, and made-up words."""

import numpy as np
import pytest

from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.decoding.summarizer import NetworkSummarizer
from mclas_lightning.heads.words import Words
from mclas_lightning.task import Task
from tests.conftest import small_network


@pytest.fixture
def summarizer(tokenizer: Tokenizer) -> NetworkSummarizer:
    """Two layers of two heads, which read 17 word pieces of a document."""
    return NetworkSummarizer(
        network=small_network(vocab_size=len(tokenizer)),
        task=Task(name="mclas", targets={"decoder": ("mono", "cross")}),
        tokenizer=tokenizer,
        vocabulary={},
        languages={"mono": "en", "cross": "de"},
        max_source=17,
    )


def words_with(labels: list[str], side: list[int]) -> Words:
    """Words of one piece each; a label in brackets is a control token."""
    text = np.array([label[0] != "[" for label in labels])
    return Words(tuple(labels), np.arange(len(labels)), np.array(side), text)
