"""Signs that a system has collapsed: equal summaries, repetitions, copies of the document.

Each has the same figure of the references beside it, because a corpus of templates has few
distinct summaries, and one of leading sentences has copies, without any fault of a system.
"""

from collections.abc import Sequence
from itertools import pairwise

from mclas_lightning.metrics.tokens import tokens

LEAST_COPY = 4  # tokens; a shorter summary may stand in its document by chance


def collapse_scores(
    hypotheses: Sequence[str], references: Sequence[str], documents: Sequence[str]
) -> dict[str, float]:
    """Shares from 0 to 1, of the hypotheses and, with ``reference_`` before the name, references:

    distinct     different texts among all texts
    repetition   1 - different / all bigrams of a text (Welleck et al. 2020), mean over texts
    copied       texts that stand in their document word for word
    """
    read = [f" {' '.join(tokens(document))} " for document in documents]
    found = {}
    for prefix, texts in (("", hypotheses), ("reference_", references)):
        words = list(map(tokens, texts))
        found |= {
            f"{prefix}distinct": len(set(map(tuple, words))) / len(words),
            f"{prefix}repetition": sum(map(repetition, words)) / len(words),
            f"{prefix}copied": sum(map(_is_copy, words, read)) / len(words),
        }
    return found


def repetition(words: Sequence[str]) -> float:
    """The share of a text's bigrams that stand earlier in it, too."""
    pairs = list(pairwise(words))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def _is_copy(words: Sequence[str], document: str) -> bool:
    return len(words) >= LEAST_COPY and f" {' '.join(words)} " in document
