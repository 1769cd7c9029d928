"""The scores that need an encoder, where they are asked for: BERTScore, similarity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mclas_lightning.errors import InputError, check_range
from mclas_lightning.metrics.similarity import Similarity

if TYPE_CHECKING:
    from mclas_lightning.metrics.bertscore import BertScore


@dataclass(frozen=True, kw_only=True)
class ScoringConfig:
    """Which encoders score summaries: names on a hub, or folders."""

    bertscore: str | None
    layer: int | None  # of bertscore's encoder
    rescale: bool  # BERTScore with bert-score's baselines
    similarity: str | None

    def __post_init__(self) -> None:
        if self.bertscore is None and (self.layer is not None or self.rescale):
            raise InputError("scoring: layer and rescale are BERTScore's; give bertscore, too")
        if self.layer is not None:
            check_range("scoring.layer", self.layer, 1)


@dataclass(frozen=True, kw_only=True)
class NeuralScores:
    """The encoders, loaded."""

    bertscore: "BertScore | None"
    similarity: Similarity | None

    @classmethod
    def load(cls, config: ScoringConfig, device: torch.device) -> "NeuralScores":
        """InputError where an encoder is not there."""
        bertscore = similarity = None
        if config.bertscore is not None:
            # The package imports pandas and matplotlib.
            from mclas_lightning.metrics.bertscore import BertScore

            bertscore = BertScore.load(config.bertscore, config.layer, config.rescale, device)
        if config.similarity is not None:
            similarity = Similarity.load(config.similarity, device)
        return cls(bertscore=bertscore, similarity=similarity)

    def signatures(self, language: str) -> dict[str, str]:
        """By family, of summaries in ``language``; InputError where it cannot be scored."""
        found = {}
        if self.bertscore:
            found["bertscore"] = self.bertscore.signature(language)
        if self.similarity:
            found["similarity"] = self.similarity.signature()
        return found

    def score(
        self,
        hypotheses: Sequence[str],
        references: Sequence[str],
        documents: Sequence[str],
        language: str,
    ) -> dict[str, np.ndarray]:
        """Of every document: ``bertscore_{p,r,f}``, ``similarity``, ``reference_similarity``."""
        found = {}
        if self.bertscore:
            found |= self.bertscore.score(hypotheses, references, language)
        if self.similarity:
            found["similarity"] = self.similarity.score(hypotheses, documents)
            found["reference_similarity"] = self.similarity.score(references, documents)
        return found
