"""IBM model 1 (Brown et al. 1993), learned from pairs of summaries.

Shape letters: I words of a, J words of b, C co-occurrences of two words in a pair, E entries of the
translation table.
"""

from collections.abc import Sequence

import numpy as np

from mclas_lightning.heads.words import Array

Pair = tuple[Sequence[str], Sequence[str]]

NULL = " "  # the word of a that explains words of b without a counterpart


class Model1:
    """t(b | a): ``p(b_1 ... b_J | a) ~ product over j of the sum over i of t(b_j | a_i)``."""

    def __init__(self, pairs: Sequence[Pair], iterations: int) -> None:
        a_C, b_C, group_C = _cooccurrences(pairs)
        names_a, index_a = np.unique(a_C, return_inverse=True)
        names_b, index_b = np.unique(b_C, return_inverse=True)
        keys_E, entry_C = np.unique(index_a * len(names_b) + index_b, return_inverse=True)
        a_E = keys_E // len(names_b)
        table_E = np.ones(len(keys_E))
        for _ in range(iterations):
            weight_C = table_E[entry_C]
            weight_C /= np.bincount(group_C, weight_C)[group_C]
            count_E = np.bincount(entry_C, weight_C)
            table_E = count_E / np.bincount(a_E, count_E)[a_E]
        words = zip(names_a[a_E].tolist(), names_b[keys_E % len(names_b)].tolist(), strict=True)
        self.table = dict(zip(words, table_E.tolist(), strict=True))

    def posterior(self, a: Sequence[str], b: Sequence[str]) -> Array:
        """``[J, I]``: the probability that a_i is what b_j translates; the rest is NULL's."""
        found = np.array([[self.table.get((x, y), 0.0) for x in (NULL, *a)] for y in b])
        found = found.reshape(len(b), len(a) + 1)
        return (found / np.maximum(found.sum(1, keepdims=True), 1e-12))[:, 1:]


class Aligner:
    """Model 1 in both directions."""

    def __init__(self, pairs: Sequence[Pair], iterations: int) -> None:
        self.forward = Model1(pairs, iterations)
        self.backward = Model1([(b, a) for a, b in pairs], iterations)

    def posterior(self, a: Sequence[str], b: Sequence[str]) -> Array:
        """``[J, I]``: the geometric mean of both directions' posterior probabilities."""
        return np.sqrt(self.forward.posterior(a, b) * self.backward.posterior(b, a).T)


def _cooccurrences(pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both words of each co-occurrence, and the number of the word of b among all of b's."""
    a_C, b_C, group_C, group = [], [], [], 0
    for a, b in pairs:
        for word in b:
            a_C += [NULL, *a]
            b_C += [word] * (len(a) + 1)
            group_C += [group] * (len(a) + 1)
            group += 1
    return np.array(a_C), np.array(b_C), np.array(group_C)
