"""ROUGE of many pairs by rouge-score, in several processes where they save time.

A text has its tokens separated by spaces and a sentence on each line. Worker processes are spawned,
because torch's threads do not survive a fork; each imports rouge-score and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from mclas_lightning.progress import cores, progress_bar, worker_pool

SEQUENCES = ("rouge1", "rouge2", "rougeL")  # kinds that ignore sentences

KINDS = (*SEQUENCES, "rougeLsum")

PAIRS_OF_A_TASK = 100  # pairs in one task of a worker process

# Processes are started for more steps than these, which take some seconds. A longest common
# subsequence takes the product of two lengths in tokens.
PRODUCTS_WORTH_PROCESSES = 2e7

Pair = tuple[str, str]  # hypothesis, reference


class SpaceTokenizer:
    """A tokenizer for rouge-score, of texts whose tokens are separated by spaces."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``."""
        return text.split()


def count_overlaps(
    pairs: Sequence[Pair], kinds: Sequence[str], processes: int | None
) -> np.ndarray:
    """Precision, recall and F1 of each pair: ``[pairs, kinds, 3]``.

    With ``processes=None``, there are as many as cores for much work and one for little.
    """
    large = _products(pairs) > PRODUCTS_WORTH_PROCESSES
    if processes is None:
        processes = cores() if large else 1
    work = partial(_count_pairs, tuple(kinds))
    shares = [
        pairs[start : start + PAIRS_OF_A_TASK] for start in range(0, len(pairs), PAIRS_OF_A_TASK)
    ]
    found: list[np.ndarray] = []
    with progress_bar(len(pairs), "scoring", "documents", disable=not large) as bar:
        for part in _map_in_order(work, shares, min(processes, len(shares))):
            found.append(part)
            bar.update(len(part))
    return np.concatenate(found) if found else np.empty((0, len(kinds), 3))


def _map_in_order(
    work: Callable[[Sequence[Pair]], np.ndarray], shares: Sequence[Sequence[Pair]], processes: int
) -> Iterator[np.ndarray]:
    """``work`` of each share, in order."""
    if processes < 2:
        yield from map(work, shares)
        return
    with worker_pool(processes) as pool:
        yield from pool.map(work, shares)


def _count_pairs(kinds: tuple[str, ...], pairs: Sequence[Pair]) -> np.ndarray:
    scorer = _scorer(kinds)
    scores = [scorer.score(target=target, prediction=prediction) for prediction, target in pairs]
    return np.array([[row[kind] for kind in kinds] for row in scores], float)


@cache
def _scorer(kinds: tuple[str, ...]):
    # An import of one second, not for tables, which count nothing.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(kinds, tokenizer=SpaceTokenizer())


def _products(pairs: Sequence[Pair]) -> int:
    return sum(len(a.split()) * len(b.split()) for a, b in pairs)
