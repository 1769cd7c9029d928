"""The scores that need an encoder: BERTScore and similarity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from mclas_lightning.config.groups import ScoringConfig
from mclas_lightning.metrics.neural.similarity import Similarity
from mclas_lightning.metrics.score import SystemScores

if TYPE_CHECKING:
    from mclas_lightning.metrics.neural.bertscore import BertScore

# The names of each family's scores.
NEURAL_SCORES = {
    "bertscore": ("bertscore_p", "bertscore_r", "bertscore_f"),
    "similarity": ("similarity", "reference_similarity"),
}


@dataclass(frozen=True, kw_only=True)
class NeuralScores:
    """The families of scores that are asked for, with their encoders loaded."""

    bertscore: "BertScore | None"
    similarity: Similarity | None

    @classmethod
    def load(cls, config: ScoringConfig, device: torch.device) -> "NeuralScores":
        """Load the encoders that ``config`` names; InputError where one is missing."""
        bertscore = similarity = None
        if config.bertscore is not None:
            # bert-score imports pandas and matplotlib.
            from mclas_lightning.metrics.neural.bertscore import BertScore

            bertscore = BertScore.load(config.bertscore, config.layer, config.rescale, device)
        if config.similarity is not None:
            similarity = Similarity.load(config.similarity, device)
        return cls(bertscore=bertscore, similarity=similarity)

    def without(self, families: Iterable[str]) -> "NeuralScores":
        """The other families."""
        return replace(self, **dict.fromkeys(families))

    def signatures(self, language: str) -> dict[str, str]:
        """Signatures by family; InputError where ``language`` has no baseline."""
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
        """The ``scores`` of each system with its neural scores added.

        ``documents`` are for the similarity, by which references are scored, too.
        """
        signatures = self.signatures(language)
        found = list(scores)
        if self.bertscore:  # One call for all systems encodes each reference once.
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
