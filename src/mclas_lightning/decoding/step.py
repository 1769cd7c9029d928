"""A network's decoder as a step of beam search.

Shape letters: B documents, N rows (documents x beams), T new tokens, D width, S source length,
C columns.
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
        return self.output(self.read(last_N[:, None]), self.segment_N)

    @torch.no_grad()
    def read(self, tokens_NT: Tensor) -> Tensor:
        """Add tokens to the cache: the next one, or a prefix without [LSEP] to an empty cache.

        The last hidden state ``[N, D]`` of the last token is returned.
        """
        assert tokens_NT.shape[1] == 1 or not self.cache.length
        embedded_NTD = self.network.embed(self.name, tokens_NT)
        return self.decoder(embedded_NTD, self.cross, self.mask_B11S, self.cache)[:, -1]

    def token(self, rows: Tensor, columns: Tensor) -> Tensor:
        """The tokens of these ``columns`` in these ``rows``, elementwise.

        A column after the end of a row's shortlist, whose log-probability is -inf, has token 0.
        """
        assert self.segment_N is not None
        return self.output.shortlists.token_SC[self.segment_N[rows], columns].clamp(min=0)

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
