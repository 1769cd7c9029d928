"""ROUGE by rouge-score's own tokenizer and by ours in three languages (docs/metrics.md).

References of the generated corpus are scored against themselves, which must give 100, and against
the reference of the next document, which is about another event.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rouge_score.rouge_scorer import RougeScorer

from mclas_lightning.corpora import toy
from mclas_lightning.corpora.build import build_tokenizer
from mclas_lightning.corpora.toy.editions import TOY
from mclas_lightning.example import read_jsonl
from mclas_lightning.metrics.counting import SEQUENCE_KINDS
from mclas_lightning.metrics.rouge import Profile, named_profile, standard_profile

NUM = 200
LANGUAGES = ("en", "de", "zh")


def rows() -> list[str]:
    """Rows of the table: language, reference, then R-1 / R-2 / R-L by each tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "toy")
        sizes = dict.fromkeys(TOY.sizes, 5) | {"test": NUM, "train": 2 * NUM}
        toy.write_toy(place, seed=0, sizes=sizes)
        build_tokenizer(place, TOY.vocabulary, lowercase=False)
        return [
            f"| {language} | {against} | {' | '.join(cells)} |"
            for language in LANGUAGES
            for against, cells in _cells(place, language).items()
        ]


def _cells(place: Path, language: str) -> dict[str, list[str]]:
    texts = references(place, language)
    vocabulary = place / "tokenizer" if language == "zh" else None
    ways = [standard_profile(language), named_profile("paper", language, vocabulary)]
    found = {}
    for against, others in (("itself", texts), ("another", [*texts[1:], texts[0]])):
        ours = [_shown(_means(way, texts, others)) for way in ways]
        found[against] = [_shown(_default(texts, others)), *ours]
    return found


def references(place: Path, language: str) -> list[str]:
    """The summaries of the test documents in ``language``."""
    examples = list(read_jsonl(place / ("en2zh" if language == "zh" else "en2de") / "test.jsonl"))
    texts = [e.mono if language == "en" else e.cross for e in examples]
    return [text or "" for text in texts]


def _means(way: Profile, texts: Sequence[str], others: Sequence[str]) -> list[float]:
    found = way.scores(texts, others)
    prefix = way.family.removesuffix("rouge")
    return [found[f"{prefix}{kind}_f"].mean() for kind in SEQUENCE_KINDS]


def _default(texts: Sequence[str], others: Sequence[str]) -> list[float]:
    scorer = RougeScorer(SEQUENCE_KINDS)
    found = [scorer.score(prediction=a, target=b) for a, b in zip(texts, others, strict=True)]
    return [sum(row[kind].fmeasure for row in found) / len(found) for kind in SEQUENCE_KINDS]


def _shown(values: Sequence[float]) -> str:
    return " / ".join(f"{100 * value:.1f}" for value in values)


if __name__ == "__main__":
    print("\n".join(rows()))
