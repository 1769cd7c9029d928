"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum (Lin 2004) with tokens that fit the language.

rouge-score counts; tokens and sentences come from this package. rouge-score's own tokenizer keeps
``[a-z0-9]+``, so that two equal Chinese texts score 0 and German words break at their umlauts.
There are three profiles:

standard
    ``metrics.tokens``: characters where a script has no spaces, words elsewhere; accents kept, no
    stemming
folded
    standard without accents, for comparisons with a system that cannot write accents
paper
    as the released code scores: accents stripped; Chinese as word pieces, Porter's stemmer for the
    words of every other language

ROUGE-L takes a summary as one sequence, ROUGE-Lsum sentence by sentence (Lin 2004, section 3.2).
``ROUGE_VERSION``, a part of the signature, goes up when the rules change.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.errors import InputError, unknown_choice
from mclas_lightning.metrics.counting import ROUGE_KINDS, count_overlaps, l_kind
from mclas_lightning.metrics.normalization import normalize
from mclas_lightning.metrics.pieces import WordPieces
from mclas_lightning.metrics.tokens import length_unit, stemmed_tokens, tokens, without_accents

ROUGE_VERSION = 3

DOTLESS_LANGUAGES = ("az", "tr")  # The small letter of their I is a dotless i.

PROFILE_NAMES = ("standard", "folded", "paper")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One way to compute ROUGE in one language."""

    name: str
    language: str
    rules: str  # how texts become tokens, for the signature
    tokenize: Callable[[Iterable[str]], list[list[str]]]

    @property
    def family(self) -> str:
        """The prefix of the profile's scores: ``rouge``, ``folded_rouge`` or ``paper_rouge``."""
        return "rouge" if self.name == "standard" else f"{self.name}_rouge"

    @property
    def l_kind(self) -> str:
        """The kind that a table shows as R-L."""
        return l_kind(self.name, self.language)

    @property
    def headline(self) -> list[str]:
        """The three scores that a table shows: F1 of ROUGE-1, of ROUGE-2 and of ``l_kind``."""
        return [self._name(kind, "f") for kind in ("rouge1", "rouge2", self.l_kind)]

    @property
    def signature(self) -> str:
        """All settings that two comparable scores share, in the manner of sacrebleu."""
        return (
            f"rouge|profile:{self.name}|lang:{self.language}|{self.rules}|L:{self.l_kind}"
            f"|sentencex:{version('sentencex')}|rouge-score:{version('rouge-score')}"
            f"|version:{ROUGE_VERSION}"
        )

    def scores(
        self,
        hypotheses: Sequence[str],
        references: Sequence[str],
        *,
        kinds: Sequence[str] = ROUGE_KINDS,
        processes: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Precision, recall and F1 of each pair: ``rouge1_p``, ..., ``paper_rougeLsum_f``.

        A pair scores 0 where a text has no n-gram, so that a one-word text has a ROUGE-2 of 0.
        ``processes`` is for ``counting.count_overlaps``. InputError for unequal numbers of texts.
        """
        if len(hypotheses) != len(references):
            raise InputError(
                f"ROUGE needs one reference per hypothesis; found {len(hypotheses)} hypotheses "
                f"and {len(references)} references"
            )
        pairs = list(zip(self._lines(hypotheses), self._lines(references), strict=True))
        found = count_overlaps(pairs, kinds, processes)
        return {
            self._name(kind, name): found[:, i, j]
            for i, kind in enumerate(kinds)
            for j, name in enumerate("prf")
        }

    def _name(self, kind: str, part: str) -> str:
        return f"{self.family.removesuffix('rouge')}{kind}_{part}"

    def _lines(self, texts: Sequence[str]) -> list[str]:
        """The texts for rouge-score: a sentence on each line, tokens separated by spaces."""
        seen = map(normalize, texts)
        if self.language in DOTLESS_LANGUAGES:
            # An uncased BERT makes every I an i, whose dot is an accent as others are.
            old, new = ("I", "\u0131") if self.name == "standard" else ("\u0131", "i")
            seen = (text.replace(old, new) for text in seen)
        split = [split_sentences(text, self.language) for text in seen]
        lines = map(" ".join, self.tokenize(sentence for text in split for sentence in text))
        return ["\n".join(next(lines) for _ in text) for text in split]


def split_sentences(text: str, language: str) -> list[str]:
    """The sentences of a text: its lines, or those that sentencex finds in a single line.

    A newline in a summary is a boundary that the corpus gives, as for rouge-score. sentencex needs
    final punctuation, which headlines, Thai and many corpora lack.
    """
    lines = text.strip().split("\n")
    return lines if len(lines) > 1 else list(segment(language, text))


def standard_profile(language: str) -> Profile:
    """The profile of lower-cased characters or words."""
    case = "dotless" if language in DOTLESS_LANGUAGES else "lower"
    return Profile(
        name="standard",
        language=language,
        rules=f"tok:{length_unit(language)}|case:{case}|accents:kept|stem:no",
        tokenize=lambda texts: list(map(tokens, texts)),
    )


def folded_profile(language: str) -> Profile:
    """The profile ``standard`` of texts without accents, which an uncased network cannot write."""
    return Profile(
        name="folded",
        language=language,
        rules=f"tok:{length_unit(language)}|case:lower|accents:folded|stem:no",
        tokenize=lambda texts: [tokens(without_accents(text)) for text in texts],
    )


def paper_profile(language: str, vocabulary: WordPieces | None = None) -> Profile:
    """The profile of the paper's numbers; InputError for Chinese without a ``vocabulary``."""
    if language != "zh":
        rules = "tok:words|case:lower|accents:stripped|stem:porter"
        return Profile(name="paper", language=language, rules=rules, tokenize=stemmed_tokens)
    if vocabulary is None:
        raise InputError(
            "the profile 'paper' scores Chinese by the word pieces of a tokenizer, found none; "
            "give it with --vocabulary FOLDER"
        )
    rules = f"tok:pieces|case:lower|accents:stripped|stem:no|vocabulary:{vocabulary.hash}"
    return Profile(name="paper", language="zh", rules=rules, tokenize=vocabulary.tokenize)


def named_profile(name: str, language: str, vocabulary: Path | None = None) -> Profile:
    """The profile called ``name``; ``vocabulary`` is a tokenizer's folder or tokenizer.json."""
    if name not in PROFILE_NAMES:
        raise unknown_choice("profile", name, PROFILE_NAMES)
    if vocabulary and (name, language) != ("paper", "zh"):
        raise InputError(
            f"--vocabulary {vocabulary}: the word pieces are for Chinese in the profile paper "
            f"(--lang zh --profile paper), found --lang {language} --profile {name}; leave it out"
        )
    if name != "paper":
        return {"standard": standard_profile, "folded": folded_profile}[name](language)
    pieces = WordPieces.read(vocabulary) if vocabulary else None
    return paper_profile(language, pieces)
