"""The scores that need an encoder, where they are asked for: BERTScore, similarity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from mclas_lightning.config.groups import ScoringConfig
from mclas_lightning.metrics.neural.similarity import Similarity
from mclas_lightning.metrics.score import SystemScores

if TYPE_CHECKING:
    from mclas_lightning.metrics.neural.bertscore import BertScore

# What each family adds to a document's scores.
NEURAL_SCORES = {
    "bertscore": ("bertscore_p", "bertscore_r", "bertscore_f"),
    "similarity": ("similarity", "reference_similarity"),
}


@dataclass(frozen=True, kw_only=True)
class NeuralScores:
    """The encoders, loaded; each family of scores by its name."""

    bertscore: "BertScore | None"
    similarity: Similarity | None

    @classmethod
    def load(cls, config: ScoringConfig, device: torch.device) -> "NeuralScores":
        """InputError where an encoder is not there."""
        bertscore = similarity = None
        if config.bertscore is not None:
            # The package imports pandas and matplotlib.
            from mclas_lightning.metrics.neural.bertscore import BertScore

            bertscore = BertScore.load(config.bertscore, config.layer, config.rescale, device)
        if config.similarity is not None:
            similarity = Similarity.load(config.similarity, device)
        return cls(bertscore=bertscore, similarity=similarity)

    def without(self, families: Iterable[str]) -> "NeuralScores":
        """The others of them."""
        return replace(self, **dict.fromkeys(families))

    def signatures(self, language: str) -> dict[str, str]:
        """By family, of summaries in ``language``; InputError where it cannot be scored."""
        found = {}
        if self.bertscore:
            found["bertscore"] = self.bertscore.signature(language)
        if self.similarity:
            found["similarity"] = self.similarity.signature()
        return found

    def add(
        self,
        scores: Sequence[SystemScores],
        outputs: Sequence[Sequence[str]],
        references: Sequence[str],
        documents: Sequence[str],
        language: str,
    ) -> list[SystemScores]:
        """``scores`` and these, of each system's outputs; documents are for the similarity.

        With the similarity also the references' own, to compare with.
        """
        signatures = self.signatures(language)
        found = list(scores)
        if self.bertscore:  # All at once: each reference is read once.
            texts = [text for output in outputs for text in output]
            every = self.bertscore.score(texts, [*references] * len(outputs), language)
            for i, system in enumerate(found):
                part = slice(i * len(references), (i + 1) * len(references))
                own = {name: values[part] for name, values in every.items()}
                found[i] = system.plus(own, {"bertscore": signatures["bertscore"]})
        if self.similarity:
            reference = self.similarity.score(references, documents)
            for i, output in enumerate(outputs):
                near = self.similarity.score(output, documents)
                own = {"similarity": near, "reference_similarity": reference}
                found[i] = found[i].plus(own, {"similarity": signatures["similarity"]})
        return found
