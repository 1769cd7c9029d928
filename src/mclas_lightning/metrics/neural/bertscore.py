"""BERTScore (Zhang et al. 2020): greedy matching of word pieces by an encoder's states.

A piece is matched with the most similar piece of the other text, by the cosine of their states in
one layer:

    P = mean of max cos over the hypothesis's pieces, R = the same over the reference's
    F = 2 P R / (P + R)

As in bert-score, the package that the paper cites, [CLS] and [SEP] have no weight, but a piece may
be most similar to them. All pieces have the same weight (no idf). Default layers and baselines are
bert-score's. Its batches are not used: padding is a match of cosine 0 there, so that a score can
depend on the other texts of its batch. torchmetrics 1.9 pairs texts of different lengths wrongly.

Shape letters: N documents, S states of a text, H and R states of a hypothesis and a reference,
D width.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import bert_score.utils
import numpy as np
import torch
from bert_score.utils import model2layers
from torch.nn.functional import normalize

from mclas_lightning.errors import InputError, check_range
from mclas_lightning.metrics.neural.encoder import Encoder, States, load_encoder, num_layers
from mclas_lightning.progress import progress_bar

CHUNK_DOCUMENTS = 256  # documents whose states are in memory at a time

BASELINES = Path(bert_score.utils.__file__).parent / "rescale_baseline"


@dataclass(frozen=True, kw_only=True)
class BertScore:
    """An encoder, the layer whose states are compared, and whether scores are rescaled."""

    encoder: Encoder
    layer: int
    rescale: bool  # (score - baseline) / (1 - baseline), with bert-score's baselines

    @classmethod
    def load(
        cls, model: str, layer: int | None, rescale: bool, device: torch.device
    ) -> "BertScore":
        """The encoder in folder ``model``, or of this name on a hub; InputError for neither."""
        total = num_layers(model)
        layer = default_layer(model, total) if layer is None else layer
        check_range(f"layer of encoder '{model}'", layer, 1, total)
        return cls(encoder=load_encoder(model, layer, device), layer=layer, rescale=rescale)

    def score(
        self, hypotheses: Sequence[str], references: Sequence[str], language: str
    ) -> dict[str, np.ndarray]:
        """Precision, recall and F1 of each document.

        A pair with an empty text scores 0 before it is rescaled.
        """
        raw_N3 = np.zeros((len(hypotheses), 3))
        lengths = zip(*map(self.encoder.num_pieces, (hypotheses, references)), strict=True)
        full = [(r, references[i], i) for i, (h, r) in enumerate(lengths) if min(h, r) > 0]
        order = [i for *_, i in sorted(full)]  # A chunk reads equal references once.
        with progress_bar(len(order), "BERTScore", "documents") as bar:
            for start in range(0, len(order), CHUNK_DOCUMENTS):
                chunk = order[start : start + CHUNK_DOCUMENTS]
                raw_N3[chunk] = self._match(
                    [hypotheses[i] for i in chunk], [references[i] for i in chunk]
                )
                bar.update(len(chunk))
        base_3 = self._baseline(language)
        columns = ((raw_N3 - base_3) / (1 - base_3)).T
        return {f"bertscore_{name}": values for name, values in zip("prf", columns, strict=True)}

    def signature(self, language: str) -> str:
        """All settings that two comparable scores share; InputError where a baseline is missing."""
        self._baseline(language)
        return (
            f"bertscore|{self.encoder}|layer:{self.layer}|idf:no"
            f"|rescale:{language if self.rescale else 'no'}|bert-score:{version('bert-score')}"
        )

    @torch.inference_mode()
    def _match(self, hypotheses: list[str], references: list[str]) -> np.ndarray:
        states = dict(self.encoder.read(hypotheses + references))
        pairs = zip(hypotheses, references, strict=True)
        return torch.stack([greedy(states[h], states[r]) for h, r in pairs]).cpu().numpy()

    def _baseline(self, language: str) -> np.ndarray:
        """P, R and F of unrelated texts in ``language``; 0 without rescaling."""
        if not self.rescale:
            return np.zeros(3)
        files = {path.stem: path for path in (BASELINES / language).rglob("*.tsv")}
        if self.encoder.name not in files:
            known = ", ".join(sorted(files)) or "no encoder"
            raise InputError(
                f"bert-score has no baseline of '{self.encoder.name}' in language '{language}', "
                f"where it has those of: {known}; take one of them, or do not rescale"
            )
        rows = csv.DictReader(files[self.encoder.name].read_text(encoding="utf-8").splitlines())
        (row,) = (row for row in rows if int(row["LAYER"]) == self.layer)
        return np.array([float(row[name]) for name in "PRF"])


def greedy(hypothesis: States, reference: States) -> torch.Tensor:
    """P, R and F of one pair."""
    cosine_HR = normalize(hypothesis.hidden_SD) @ normalize(reference.hidden_SD).T
    precision = cosine_HR.amax(1)[hypothesis.is_piece_S].mean()
    recall = cosine_HR.amax(0)[reference.is_piece_S].mean()
    both = 2 * precision * recall / (precision + recall)
    return torch.stack([precision, recall, both.nan_to_num(0.0)])


def default_layer(model: str, total: int) -> int:
    """bert-score's layer for the models in its table; three quarters of the layers for others.

    A folder is known by the last part of its path, without the slash that a shell adds.
    """
    layers = {Path(name).name: layer for name, layer in model2layers.items()}
    return layers.get(Path(model).absolute().name) or (3 * total + 2) // 4
