"""ROUGE of many pairs by rouge-score, in several processes where they save time.

A text has its tokens separated by spaces and a sentence on each line. Worker processes are spawned,
because torch's threads do not survive a fork; each imports rouge-score and nothing else.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache, partial

import numpy as np

from mclas_lightning.progress import cores, progress_bar, worker_pool

SEQUENCE_KINDS = ("rouge1", "rouge2", "rougeL")  # kinds that ignore sentences

ROUGE_KINDS = (*SEQUENCE_KINDS, "rougeLsum")

PAIRS_OF_A_TASK = 100  # pairs in one task of a worker process

# Processes are started where more steps than this take some seconds in one. A longest common
# subsequence takes the product of two lengths in tokens.
PRODUCTS_WORTH_PROCESSES = 2e7

Pair = tuple[str, str]  # hypothesis, reference


def l_kind(profile: str, language: str) -> str:
    """The kind that a table shows as R-L: ``rougeL`` or ``rougeLsum``."""
    # Released code: ROUGE-1.5.5 with sentences, but Chinese as one string of numbers.
    return "rougeLsum" if profile == "paper" and language != "zh" else "rougeL"


class SpaceTokenizer:
    """A tokenizer for rouge-score, of texts whose tokens are separated by spaces."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``."""
        return text.split()


def count_overlaps(
    pairs: Sequence[Pair], kinds: Sequence[str], processes: int | None
) -> np.ndarray:
    """Precision, recall and F1 of each pair: ``[pairs, kinds, 3]``.

    ``processes=None`` is one process for little work, else as many as there are cores.
    """
    large = _products(pairs) > PRODUCTS_WORTH_PROCESSES
    if processes is None:
        processes = cores() if large else 1
    work = partial(_count_pairs, tuple(kinds))
    shares = [
        pairs[start : start + PAIRS_OF_A_TASK] for start in range(0, len(pairs), PAIRS_OF_A_TASK)
    ]
    processes = min(processes, len(shares))
    found = [np.empty((0, len(kinds), 3))]
    with ExitStack() as held:
        bar = held.enter_context(
            progress_bar(len(pairs), "scoring", "documents", disable=not large)
        )
        in_order = map if processes < 2 else held.enter_context(worker_pool(processes)).map
        for part in in_order(work, shares):
            found.append(part)
            bar.update(len(part))
    return np.concatenate(found)


def _count_pairs(kinds: tuple[str, ...], pairs: Sequence[Pair]) -> np.ndarray:
    scorer = _scorer(kinds)
    scores = [scorer.score(target=target, prediction=prediction) for prediction, target in pairs]
    return np.array([[row[kind] for kind in kinds] for row in scores], float)


@cache
def _scorer(kinds: tuple[str, ...]):
    # rouge-score takes a second to import; tables, which import this module, count nothing.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(kinds, tokenizer=SpaceTokenizer())


def _products(pairs: Sequence[Pair]) -> int:
    return sum(len(a.split()) * len(b.split()) for a, b in pairs)
