"""A network's decoder as a step of beam search.

Shape letters: B documents, N rows (documents x beams), T new tokens, D width, S source length,
C columns, K beams.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from mclas_lightning.decoding.beam import Beam
from mclas_lightning.decoding.output import OutputLayer
from mclas_lightning.model.attention import Cache, FixedCache, in_place
from mclas_lightning.model.device import captured
from mclas_lightning.model.seq2seq import Memory, Seq2Seq


class DecoderStep:
    """A decoder's ``SearchStep`` of a batch, with cached keys and values of sources and targets."""

    def __init__(self, network: Seq2Seq, decoder: str, memory: Memory, output: OutputLayer) -> None:
        self.network, self.name, self.decoder = network, decoder, network.decoder(decoder)
        self.output = output
        cross = self.decoder.cross_keys_values(memory.hidden_BSD)
        self.cross = [of_layer.by_head() for of_layer in cross]
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
            self._keep_sources(documents_B)

    def _keep_sources(self, documents_B: Tensor) -> None:
        self.cross = [kept.of(documents_B) for kept in self.cross]
        self.mask_B11S = self.mask_B11S[documents_B]


class FixedStep(DecoderStep):
    """A ``DecoderStep`` whose tensors keep shapes and addresses: on a GPU, a CUDA graph.

    The graph is captured anew where documents leave. It is all of the network; what the search does
    with scores and prefixes is outside of it.
    """

    def __init__(
        self, network: Seq2Seq, decoder: str, memory: Memory, output: OutputLayer, beam: Beam
    ) -> None:
        super().__init__(network, decoder, memory, output)
        like_BHSd, layers = self.cross[0].keys_BHSd, len(self.decoder.layers)
        self.fixed = FixedCache(layers, like_BHSd, beam.width, beam.max_length)
        size = (len(like_BHSd), beam.width)
        self.last_BK = torch.zeros(size, dtype=torch.long, device=like_BHSd.device)
        self.segment_N: Tensor = torch.zeros_like(self.last_BK).flatten()
        self.scores: Callable[[], Tensor] | None = None

    @torch.no_grad()
    def __call__(self, last_N: Tensor) -> Tensor:
        """See ``DecoderStep``; a GPU's next call writes to the same tensor."""
        self.last_BK.copy_(last_N.view_as(self.last_BK))
        self.segment_N += last_N == self.output.lsep_id
        self.scores = self.scores or captured(self._scores, last_N.device)
        return self.scores()

    def _scores(self) -> Tensor:
        embedded_BKD = self.network.embed(self.name, self.last_BK)
        hidden_BKD = self.decoder(embedded_BKD, self.cross, self.mask_B11S, self.fixed)
        return self.output(hidden_BKD.flatten(0, 1), self.segment_N)

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        """See ``DecoderStep``."""
        if len(documents_B) < len(self.last_BK):
            self.scores = None
            self.last_BK = self.last_BK[documents_B]
            self._keep_sources(documents_B)
        self.segment_N = in_place(self.segment_N, self.segment_N[rows_N])
        self.fixed.select(rows_N, documents_B)
