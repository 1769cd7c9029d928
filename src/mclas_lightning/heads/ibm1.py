"""IBM model 1 (Brown et al. 1993), learned from pairs of summaries.

Shape letters: I words of a, J words of b, C co-occurrences of two words in a pair, G words of b of
all pairs, E entries of the translation table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mclas_lightning.heads.words import Array

Pair = tuple[Sequence[str], Sequence[str]]

NULL = " "  # the word of a that explains words of b without a counterpart


class Model1:
    """t(b | a): ``p(b_1 ... b_J | a) ~ product over j of the sum over i of t(b_j | a_i)``.

    Words are numbered: strings for each co-occurrence would take several times the memory.
    """

    def __init__(self, pairs: Sequence[Pair], iterations: int) -> None:
        self.numbers_a = _numbers({NULL, *(word for a, _ in pairs for word in a)})
        self.numbers_b = _numbers({word for _, b in pairs for word in b})
        keys_C = np.concatenate([self._keys(a, b).ravel() for a, b in pairs])
        self.keys_E, entry_C = np.unique(keys_C, return_inverse=True)
        del keys_C
        # A group is the co-occurrences of one word of b.
        sizes_G = np.repeat([len(a) + 1 for a, _ in pairs], [len(b) for _, b in pairs])
        group_C = np.repeat(np.arange(len(sizes_G)), sizes_G)
        a_E = self.keys_E // (len(self.numbers_b) + 1)
        self.table_E = np.ones(len(self.keys_E))
        for _ in range(iterations):
            weight_C = self.table_E[entry_C]
            weight_C /= np.bincount(group_C, weight_C)[group_C]
            count_E = np.bincount(entry_C, weight_C)
            self.table_E = count_E / np.bincount(a_E, count_E)[a_E]

    def _keys(self, a: Sequence[str], b: Sequence[str]) -> NDArray[np.int64]:
        """``[J, I + 1]``: the keys of b_j with NULL and with each a_i; an unknown word has none."""
        unknown_a, unknown_b = len(self.numbers_a), len(self.numbers_b)
        a_I = np.array([self.numbers_a.get(word, unknown_a) for word in (NULL, *a)], np.int64)
        b_J = np.array([self.numbers_b.get(word, unknown_b) for word in b], np.int64)
        return b_J[:, None] + a_I * (unknown_b + 1)

    def probabilities(self, a: Sequence[str], b: Sequence[str]) -> Array:
        """``[J, I + 1]``: t(b_j | NULL) and each t(b_j | a_i); 0 for words that no pair has."""
        keys_JI = self._keys(a, b)
        places_JI = np.searchsorted(self.keys_E, keys_JI).clip(max=len(self.keys_E) - 1)
        return np.where(self.keys_E[places_JI] == keys_JI, self.table_E[places_JI], 0.0)

    def posterior(self, a: Sequence[str], b: Sequence[str]) -> Array:
        """``[J, I]``: the probability that a_i is what b_j translates; the rest is NULL's."""
        found = self.probabilities(a, b)
        return (found / np.maximum(found.sum(1, keepdims=True), 1e-12))[:, 1:]


class Aligner:
    """Model 1 in both directions."""

    def __init__(self, pairs: Sequence[Pair], iterations: int) -> None:
        self.forward = Model1(pairs, iterations)
        self.backward = Model1([(b, a) for a, b in pairs], iterations)

    def posterior(self, a: Sequence[str], b: Sequence[str]) -> Array:
        """``[J, I]``: the geometric mean of both directions' posterior probabilities."""
        return np.sqrt(self.forward.posterior(a, b) * self.backward.posterior(b, a).T)


def _numbers(words: set[str]) -> dict[str, int]:
    return {word: number for number, word in enumerate(sorted(words))}
