"""A network's decoder as a step of beam search.

Shape letters: B documents, N rows (documents x beams), P length of a prefix, D width, S source
length, C columns.
"""

import torch
from torch import Tensor

from mclas_lightning.decoding.output import OutputLayer
from mclas_lightning.model.attention import Cache, KeysValues
from mclas_lightning.model.seq2seq import Memory, Seq2Seq


class DecoderStep:
    """A decoder's ``SearchStep`` of a batch, with cached keys and values of sources and targets."""

    def __init__(self, network: Seq2Seq, decoder: str, memory: Memory, output: OutputLayer) -> None:
        self.network, self.name, self.decoder = network, decoder, network.decoder(decoder)
        self.output = output
        self.cross = self.decoder.cross_keys_values(memory.hidden_BSD)
        self.mask_B11S = memory.mask_B11S
        self.cache = Cache(len(self.decoder.layers))
        self.segment_N: Tensor | None = None

    @torch.no_grad()
    def __call__(self, last_N: Tensor) -> Tensor:
        """Log-probabilities ``[N, C]`` of each row's shortlist."""
        begins_N = last_N == self.output.lsep_id
        self.segment_N = begins_N.long() + (0 if self.segment_N is None else self.segment_N)
        return self.output(self._read(last_N), self.segment_N)

    @torch.no_grad()
    def read(self, prefix_NP: Tensor) -> None:
        """Take a given prefix, without [LSEP], into the cache."""
        for last_N in prefix_NP.unbind(1):
            self._read(last_N)

    def _read(self, last_N: Tensor) -> Tensor:
        """The last hidden states ``[N, D]`` of a token that the cache then holds."""
        embedded_N1D = self.network.embed(self.name, last_N[:, None])
        return self.decoder(embedded_N1D, self.cross, self.mask_B11S, self.cache)[:, 0]

    def token(self, rows: Tensor, columns: Tensor) -> Tensor:
        """The tokens of these ``columns`` in these ``rows``, elementwise."""
        assert self.segment_N is not None
        return self.output.shortlists.token_SC[self.segment_N[rows], columns]

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        """Keep these rows, and the sources of these documents."""
        assert self.segment_N is not None
        self.segment_N = self.segment_N[rows_N]
        self.cache.select(rows_N)
        if len(documents_B) < len(self.mask_B11S):
            self.cross = [_rows(kept, documents_B) for kept in self.cross]
            self.mask_B11S = self.mask_B11S[documents_B]


def _rows(kept: KeysValues, rows: Tensor) -> KeysValues:
    return KeysValues(kept.keys_BHSd[rows], kept.values_BHSd[rows])
