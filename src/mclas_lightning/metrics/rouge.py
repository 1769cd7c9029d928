"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) with a tokenization that fits the language.

The counting is rouge-score's; only its tokenizer is ours. Its own keeps ``[a-z0-9]+``: two equal
Chinese texts score 0, and German words break at their umlauts. Ours, on lower-cased NFC text:

    zh      every Han character is a token; so is every run of other letters and digits
    others  every run of letters and digits is a token; tested for ``en`` and ``de``

Everything else separates: ``don't`` is ``don t``, ``well-known`` is ``well known`` and ``1,234`` is
``1 234``. On ASCII text this is exactly rouge-score's tokenization. Nothing is stemmed: Porter's
stemmer is for English alone. ``version`` in the signature goes up whenever these rules change.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from statistics import fmean
from unicodedata import normalize

from rouge_score.rouge_scorer import RougeScorer

from mclas_lightning.errors import InputError

KINDS = ("rouge1", "rouge2", "rougeL")

# The blocks of Unicode's script Han that text is written in: iteration mark and zero, extension A,
# the unified ideographs, what NFC leaves of the compatibility block, and the supplementary planes.
HAN = r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
PATTERNS = {
    "characters": re.compile(rf"[{HAN}]|[^\W_{HAN}]+"),
    "words": re.compile(r"[^\W_]+"),
}

# Two texts without a common token. The German ones share pieces of words if umlauts split them.
SELF_TEST = {
    "de": ("Grüße für alle aus Köln", "Die Größe fällt"),
    "en": ("Police look for 2 witnesses", "It will rain tomorrow"),
    "zh": ("警方寻找两名证人", "明天会下雨"),
}


class Tokenizer:
    """What rouge-score asks for: an object that turns a text into tokens."""

    def __init__(self, language: str) -> None:
        self.kind = "characters" if language == "zh" else "words"

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``, lower-cased."""
        # Lower-casing first: it can leave a decomposed letter behind, which NFC then composes.
        return PATTERNS[self.kind].findall(normalize("NFC", text.lower()))


def tokens(text: str, language: str) -> list[str]:
    """The tokens that ROUGE compares; their number is the length of a summary."""
    return Tokenizer(language).tokenize(text)


def rouge(
    hypotheses: Sequence[str], references: Sequence[str], language: str
) -> list[dict[str, float]]:
    """Per document: precision, recall and F1 of each kind, as ``rouge1_p``, ..., ``rougeL_f``.

    A pair scores 0 where either text has no n-gram, so a one-word text has a ROUGE-2 of 0.
    """
    if len(hypotheses) != len(references):
        raise InputError(
            f"ROUGE needs one reference per hypothesis; found {len(hypotheses)} hypotheses "
            f"and {len(references)} references"
        )
    scorer = _scorer(language)
    return [_flat(scorer, *pair) for pair in zip(hypotheses, references, strict=True)]


def mean(documents: Iterable[dict[str, float]]) -> dict[str, float]:
    """The corpus score: the mean over documents, each counting once."""
    rows = list(documents)
    return {key: fmean(row[key] for row in rows) for key in rows[0]}


def signature(language: str) -> str:
    """All that two scores must share to be comparable, in the manner of sacrebleu."""
    return (
        f"rouge|lang:{language}|tok:{Tokenizer(language).kind}|case:lower|stem:no"
        f"|rougeL:sentence|rouge-score:{version('rouge-score')}|version:1"
    )


def self_test(language: str) -> None:
    """A text scores 1 against itself and 0 against one it shares no token with, or RuntimeError.

    This catches a tokenizer that drops a script or breaks words. A language without a sample of
    its own is tested on the English one.
    """
    text, other = SELF_TEST.get(language, SELF_TEST["en"])
    for against, expected in ((text, 1.0), (other, 0.0)):
        wrong = {k: v for k, v in rouge([text], [against], language)[0].items() if v != expected}
        if wrong:
            raise RuntimeError(
                f"ROUGE self-test failed for '{language}': '{text}' against '{against}' must "
                f"score {expected}, found {wrong}"
            )


@cache
def _scorer(language: str) -> RougeScorer:
    return RougeScorer(KINDS, tokenizer=Tokenizer(language))


def _flat(scorer: RougeScorer, hypothesis: str, reference: str) -> dict[str, float]:
    scores = scorer.score(target=reference, prediction=hypothesis)
    return {
        f"{kind}_{name}": float(value)
        for kind in KINDS
        for name, value in zip("prf", scores[kind], strict=True)
    }
