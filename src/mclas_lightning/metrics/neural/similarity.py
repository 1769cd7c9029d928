"""Similarity of a summary and its document across languages, by multilingual-e5 (Wang et al. 2024).

The score is the cosine of two means over an encoder's last states, without a reference. e5 was
trained on short texts that begin with ``query: `` and on long ones that begin with ``passage: ``.

Shape letters: N texts, S length, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import normalize

from mclas_lightning.metrics.neural.encoder import Encoder, load_encoder, num_layers
from mclas_lightning.progress import progress_bar

SUMMARY, DOCUMENT = "query: ", "passage: "


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """An encoder of sentences such as e5."""

    encoder: Encoder
    # Cached by text: runs of one dataset share documents and references.
    embeddings: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str, device: torch.device) -> "Similarity":
        """The encoder in ``folder``, such as `mclas data e5-small` writes, or on a hub."""
        return cls(encoder=load_encoder(folder, num_layers(folder), device))

    def score(self, summaries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """The cosine of each summary and its document; 0 where one of them is empty."""
        summaries_ND = self._embed([SUMMARY + text for text in summaries])
        documents_ND = self._embed([DOCUMENT + text for text in documents])
        cosine_N = (summaries_ND * documents_ND).sum(1)
        pairs = zip(summaries, documents, strict=True)
        return np.where([bool(s.strip() and d.strip()) for s, d in pairs], cosine_N, 0.0)

    def signature(self) -> str:
        """All settings that two comparable scores share."""
        prefixes = f"{SUMMARY.strip(': ')},{DOCUMENT.strip(': ')}"
        return (
            f"similarity|{self.encoder}|pool:mean|prefixes:{prefixes}"
            f"|max:{self.encoder.max_length}|version:1"
        )

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings ``[N, D]`` of length 1."""
        new = {text for text in texts if text not in self.embeddings}
        with progress_bar(len(new), "similarity", "texts") as bar:
            for text, (hidden_SD, _) in self.encoder.read(sorted(new)):
                mean_D = hidden_SD.mean(0).double()
                self.embeddings[text] = normalize(mean_D, dim=0).cpu().numpy()
                bar.update()
        return np.stack([self.embeddings[text] for text in texts])
