"""rouge-score over many pairs, by several processes where that is worth their start.

Texts are lines of tokens with spaces between: a line a sentence. A new process imports rouge-score
alone, and is started, not forked: torch's threads would not survive a fork.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from mclas_lightning.progress import cores, progress_bar, worker_pool

SEQUENCES = ("rouge1", "rouge2", "rougeL")  # These take a text as one sequence.

KINDS = (*SEQUENCES, "rougeLsum")

PAIRS_OF_A_TASK = 100  # pairs that a process counts at a time

# Products of two texts' tokens, which a longest common subsequence takes: some seconds of them.
PRODUCTS_WORTH_PROCESSES = 2e7

Pair = tuple[str, str]  # hypothesis, reference


class SpaceTokenizer:
    """What rouge-score asks for: an object that turns a text into tokens."""

    def tokenize(self, text: str) -> list[str]:
        """They stand apart already."""
        return text.split()


def count_overlaps(
    pairs: Sequence[Pair], kinds: Sequence[str], processes: int | None
) -> np.ndarray:
    """Precision, recall and F1: ``[pairs, kinds, 3]``; ``processes`` None as is best."""
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
    """What ``work`` makes of each share, in order."""
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
    """rouge-score takes a second to import: where something is counted, and in no table."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(kinds, tokenizer=SpaceTokenizer())


def _products(pairs: Sequence[Pair]) -> int:
    return sum(len(a.split()) * len(b.split()) for a, b in pairs)
