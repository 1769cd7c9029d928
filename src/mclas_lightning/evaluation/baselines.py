"""Summaries of the baselines: first sentences, the best sentences, the gold S^A."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.decoding.candidates import Summaries
from mclas_lightning.example import Example, Side
from mclas_lightning.metrics.rouge import standard_profile
from mclas_lightning.task import Baseline


@dataclass(frozen=True, kw_only=True)
class BaselineSummarizer:
    """A baseline on the examples of a dataset."""

    baseline: Baseline
    dataset: DatasetConfig

    @property
    def writes(self) -> dict[Side, dict[str, bool]]:
        """For each side, whether its summaries can have case and accents: unknown."""
        return {side: {} for side in self.baseline.sides}

    @property
    def provenance(self) -> dict[str, Any]:
        """An empty recipe: nothing was trained."""
        return {"recipe": {}}

    def summarize(self, examples: Sequence[Example]) -> list[Summaries]:
        """The summaries of each example; the sentences of a summary are its lines."""
        if self.baseline.copies == "mono":
            return [dict.fromkeys(self.baseline.sides, example.mono or "") for example in examples]
        documents = [self._sentences(example.document) for example in examples]
        if self.baseline.copies == "lead":
            leads = ["\n".join(document[: self.baseline.sentences]) for document in documents]
            return [dict.fromkeys(self.baseline.sides, lead) for lead in leads]
        of_sides = [self._oracle(documents, examples, side) for side in self.baseline.sides]
        return [
            dict(zip(self.baseline.sides, found, strict=True))
            for found in zip(*of_sides, strict=True)
        ]

    def _sentences(self, document: str) -> list[str]:
        # sentencex leaves line ends inside a sentence. ROUGE-Lsum would count each line as one.
        found = [" ".join(sentence.split()) for sentence in segment(self.dataset.source, document)]
        return [sentence for sentence in found if sentence]

    def _oracle(
        self, documents: Sequence[Sequence[str]], examples: Sequence[Example], side: Side
    ) -> list[str]:
        """Of each document, the sentences that are best by the reference of ``side``.

        Sentences are added one by one while ROUGE-1 + ROUGE-2 rises (Nallapati et al. 2017). Where
        no sentence shares a word with the reference, the first one is taken.
        """
        profile = standard_profile(self.dataset.language(side))
        references = [example.summary(side) or "" for example in examples]
        chosen: list[list[int]] = [[] for _ in documents]
        best = np.zeros(len(documents))
        for _ in range(self.baseline.sentences):
            tried = [
                (d, sorted([*chosen[d], s]))
                for d, document in enumerate(documents)
                for s in range(len(document))
                if s not in chosen[d]
            ]
            scores = profile.scores(
                [_joined(documents[d], picked) for d, picked in tried],
                [references[d] for d, _ in tried],
                kinds=("rouge1", "rouge2"),
            )
            for (d, picked), value in zip(
                tried, scores["rouge1_f"] + scores["rouge2_f"], strict=True
            ):
                if value > best[d]:
                    best[d], chosen[d] = value, picked
        return [_joined(d, picked or [0]) for d, picked in zip(documents, chosen, strict=True)]


def _joined(document: Sequence[str], picked: Sequence[int]) -> str:
    return "\n".join(document[s] for s in picked)
