"""ROUGE of many pairs: seconds of one and of several processes, beside rouge-score in a plain loop.

The plain loop has our tokenizer, so that it compares the same tokens: rouge-score's own drops
Chinese.
"""

import random
from collections.abc import Sequence

from mclas_lightning.metrics.counting import SEQUENCE_KINDS
from mclas_lightning.metrics.rouge import Profile, standard_profile
from mclas_lightning.metrics.tokens import tokens

WORDS = {
    "zh": [chr(0x4E00 + i) for i in range(3000)],
    "de": [f"{start}{end}ung" for start in "abcdefghijklmnopqrst" for end in range(150)],
}
JOINED = {"zh": ("", "。"), "de": (" ", ". ")}
SENTENCE = 25  # tokens of a sentence


def made_up(language: str, pairs: int, length: int) -> tuple[list[str], list[str]]:
    """References of ``length`` tokens of a Zipf-like vocabulary, and hypotheses near them."""
    draw = random.Random(0)
    words = WORDS[language]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    references = [draw.choices(words, weights, k=length) for _ in range(pairs)]
    hypotheses = [
        [word if draw.random() < 0.5 else new for word, new in zip(text, other, strict=True)]
        for text, other in zip(references, reversed(references), strict=True)
    ]
    return tuple([_text(row, language) for row in rows] for rows in (hypotheses, references))  # pyright: ignore


def _text(row: Sequence[str], language: str) -> str:
    space, end = JOINED[language]
    sentences = (row[start : start + SENTENCE] for start in range(0, len(row), SENTENCE))
    return "".join(space.join(sentence) + end for sentence in sentences)


class Tokens:
    """A tokenizer for rouge-score, of our tokens."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``."""
        return tokens(text)


def library(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """The sum of ROUGE-1 F1 by rouge-score, pair by pair."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(SEQUENCE_KINDS, tokenizer=Tokens())
    pairs = zip(hypotheses, references, strict=True)
    return sum(scorer.score(prediction=a, target=b)["rouge1"].fmeasure for a, b in pairs)


def main() -> None:
    """Print the report."""
    from benchmarks.measure import (
        arguments,
        show,
        timed,
    )  # It imports torch, which worker processes need not.

    asked = arguments(__doc__ or "", pairs=5000, length=60, processes=2)
    report = {}
    for language in WORDS:
        pair = made_up(language, asked.pairs, asked.length)
        profile: Profile = standard_profile(language)
        calls = {
            "rouge-score alone": lambda pair=pair: library(*pair),
            "ours, 1 process": lambda pair=pair, profile=profile: profile.scores(
                *pair, kinds=SEQUENCE_KINDS, processes=1
            ),
            f"ours, {asked.processes} processes": lambda pair=pair, profile=profile: profile.scores(
                *pair, kinds=SEQUENCE_KINDS, processes=asked.processes
            ),
            f"and Lsum, {asked.processes} proc.": lambda pair=pair, profile=profile: profile.scores(
                *pair, processes=asked.processes
            ),
        }
        for name, call in calls.items():
            found = timed(call, asked.repeats)
            rate = asked.pairs / found["median_s"]
            report[f"{language}: {name}"] = {"median_s": found["median_s"], "pairs_per_s": rate}
    show(report, asked.json)


if __name__ == "__main__":
    main()
