"""All scores of one system's summaries in one language, by document and as means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from mclas_lightning.errors import InputError
from mclas_lightning.metrics.collapse import collapse_scores
from mclas_lightning.metrics.language import share_in_wrong_language
from mclas_lightning.metrics.rouge import Profile
from mclas_lightning.metrics.tokens import num_tokens


@dataclass(frozen=True, kw_only=True)
class SystemScores:
    """The scores of one system, by name:

        rouge1_p, rouge1_r, rouge1_f, rouge2_*, ...   from 0 to 1; also paper_rouge1_p, ...
        length, reference_length                      tokens: words or characters, by script
        wrong_language, reference_wrong_language      shares, from 0 to 1
        distinct, repetition, copied, reference_*     shares (``metrics.collapse``)
        empty                                         hypotheses without a token
        num                                           documents

    An empty hypothesis stays in every mean, with ROUGE 0 and length 0.
    """

    documents: Mapping[str, np.ndarray]  # one value a document, in their order
    of_all: Mapping[str, float]  # scores of the whole test set: shares, empty, num
    signatures: Mapping[str, str]  # by family: rouge, paper_rouge, bertscore, similarity

    @property
    def totals(self) -> dict[str, float]:
        """Means over documents, each counting once, and ``of_all``."""
        means = {name: fmean(column.tolist()) for name, column in self.documents.items()}
        return {**means, **self.of_all}

    def plus(
        self, documents: Mapping[str, np.ndarray], signatures: Mapping[str, str]
    ) -> "SystemScores":
        """The system's scores with further scores and signatures of the same documents."""
        return replace(
            self,
            documents={**self.documents, **documents},
            signatures={**self.signatures, **signatures},
        )


def overlap_scores(
    hypotheses: Sequence[str], references: Sequence[str], profiles: Sequence[Profile]
) -> SystemScores:
    """Lengths, and ROUGE by each of ``profiles``, all of one language."""
    if not hypotheses:
        raise InputError("there are no summaries to score")
    documents: dict[str, np.ndarray] = {}
    for profile in profiles:
        documents |= profile.scores(hypotheses, references)
    for name, texts in (("length", hypotheses), ("reference_length", references)):
        documents[name] = np.array([num_tokens(text) for text in texts], float)
    return SystemScores(
        documents=documents,
        of_all={"empty": int((documents["length"] == 0).sum()), "num": len(hypotheses)},
        signatures={profile.family: profile.signature for profile in profiles},
    )


def system_scores(
    hypotheses: Sequence[str], references: Sequence[str], profiles: Sequence[Profile]
) -> SystemScores:
    """``overlap_scores`` and the shares of summaries and references in the wrong language."""
    found = overlap_scores(hypotheses, references, profiles)
    language = profiles[0].language
    shares = {
        "wrong_language": share_in_wrong_language(hypotheses, language),
        "reference_wrong_language": share_in_wrong_language(references, language),
    }
    return replace(found, of_all={**shares, **found.of_all})


def text_scores(
    hypotheses: Sequence[str],
    references: Sequence[str],
    documents: Sequence[str],
    profiles: Sequence[Profile],
) -> SystemScores:
    """All scores that need no encoder: ``system_scores`` and signs of a collapse."""
    found = system_scores(hypotheses, references, profiles)
    signs = collapse_scores(hypotheses, references, documents)
    return replace(found, of_all={**signs, **found.of_all})
