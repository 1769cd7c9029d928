"""The summarizer: a trained network that turns texts into summaries.

Shape letters: B documents, N rows (documents x beams), S source length, V vocabulary.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.data.batch import pad
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary
from mclas_lightning.decoding.beam import Beam, beam_search
from mclas_lightning.decoding.output import OutputLayer, Shortlists, shortlists_of
from mclas_lightning.decoding.processors import (
    Processor,
    ReleasedBlock,
    RepetitionBlock,
    SecondBos,
    SideLengths,
    TargetLength,
)
from mclas_lightning.decoding.repetition import released_repetition_shares, repetition_shares
from mclas_lightning.errors import InputError
from mclas_lightning.example import Side
from mclas_lightning.metrics.accents import kept_by_tokenizer
from mclas_lightning.model.attention import Cache, KeysValues
from mclas_lightning.model.linear import packed
from mclas_lightning.model.seq2seq import Memory, Seq2Seq
from mclas_lightning.task import Task

Summaries = dict[Side, str]


@dataclass(frozen=True, kw_only=True)
class Summarizer:
    """A trained network with its task, tokenizer and target vocabulary."""

    network: Seq2Seq
    task: Task
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    languages: Mapping[Side, str]
    max_source: int
    sentences: str | None = None  # language of the texts, where their sentences are set apart

    @property
    def writes(self) -> dict[Side, dict[str, bool]]:
        """For each side, whether its summaries can have case and accents."""
        return dict.fromkeys(
            self.task.sides, kept_by_tokenizer(self.tokenizer.backend.backend_tokenizer)
        )

    def summarize(
        self,
        texts: Sequence[str],
        config: DecodingConfig,
        progress: Callable[[int], object] = lambda done: None,
    ) -> list[Summaries]:
        """The summaries of each text; ``progress`` is called with the size of each batch done."""
        sources = self.tokenizer.encode_sources(texts, self.max_source, self.sentences)
        summaries: list[Summaries] = [{} for _ in texts]
        network, int8 = self.network.eval(), config.weights == "int8"
        if int8 and network.output_bias.device.type != "cpu":
            raise InputError("decoding.weights=int8: is for CPUs; take trainer.accelerator=cpu")
        if config.weights == "bfloat16":
            network = copy.deepcopy(network).bfloat16()
        outputs = {
            name: self._output(network, sides, config) for name, sides in self.task.targets.items()
        }
        # In 8 bits the whole network is packed; else the decoders, whose products have few rows.
        with packed(network if int8 else network.decoders, int8=int8):
            for indices in batches_by_length(sources, config.max_tokens // config.beam):
                batch = [sources[i] for i in indices]
                found = self._summarize_batch(network, batch, config, outputs)
                for index, summary in zip(indices, found, strict=True):
                    summaries[index] = summary
                progress(len(indices))
        return summaries

    @torch.inference_mode()
    def _summarize_batch(
        self,
        network: Seq2Seq,
        sources: list[list[int]],
        config: DecodingConfig,
        outputs: Mapping[str, OutputLayer],
    ) -> list[Summaries]:
        device = network.output_bias.device
        memory = network.encode(pad(sources, self.tokenizer.special.pad).to(device))
        summaries: list[Summaries] = [{} for _ in sources]
        for decoder, sides in self.task.targets.items():
            output = outputs[decoder]
            hypotheses = beam_search(
                DecoderStep(network, decoder, memory, output),
                len(sources),
                self._beam(len(sides), config),
                self._processors(sides, config, output.shortlists),
                device,
            )
            for summary, hypothesis in zip(summaries, hypotheses, strict=True):
                parts = self.task.split(decoder, hypothesis.ids, self.tokenizer.special)
                for side, ids in parts.items():
                    summary[side] = self.tokenizer.decode(ids, self.languages[side])
        return summaries

    def _output(
        self, network: Seq2Seq, sides: Sequence[Side], config: DecodingConfig
    ) -> OutputLayer:
        special = self.tokenizer.special
        found = shortlists_of(
            [self._may_write(side, config) for side in sides],
            len(network.output_bias),
            lsep_id=special.lsep,
            eos_id=special.eos,
            second_bos=special.bos if self.task.bos_after_lsep else None,
        )
        return OutputLayer(
            network.embedding.weight,
            network.output_bias,
            found.to(network.output_bias.device),
            lsep_id=special.lsep,
            renormalize=config.renormalize,
            int8=config.weights == "int8",
        )

    def _beam(self, num_sides: int, config: DecodingConfig) -> Beam:
        control = num_sides + (num_sides - 1 if self.task.bos_after_lsep else 0)
        of_target = config.lengths == "target"
        return Beam(
            width=config.beam,
            max_length=config.max_length if of_target else num_sides * config.max_length + control,
            cut=of_target,
            length_penalty=config.length_penalty,
            bos_id=self.tokenizer.special.bos,
            eos_id=self.tokenizer.special.eos,
        )

    def _processors(
        self, sides: Sequence[Side], config: DecodingConfig, may_write: Shortlists
    ) -> list[Processor]:
        bos, lsep = self.tokenizer.special.bos, self.tokenizer.special.lsep
        if config.lengths == "summary":
            processors: list[Processor] = [
                SideLengths(config.min_length, config.max_length, bos, lsep)
            ]
        else:
            # Each later summary needs room for [LSEP], one token, and [BOS] where it has one.
            # [EOS] needs no room, because a target is cut.
            later = (len(sides) - 1) * (3 if self.task.bos_after_lsep else 2)
            processors = [
                SideLengths(1, config.max_length - later, bos, lsep),
                TargetLength(config.min_length, len(sides), lsep),
            ]
        processors += self._blocks(config, may_write)
        if self.task.bos_after_lsep:
            processors.append(SecondBos(lsep, free=config.renormalize))
        return processors

    def _blocks(self, config: DecodingConfig, may_write: Shortlists) -> list[Processor]:
        kind, device = config.block_trigrams, may_write.token_SC.device
        if kind == "none":
            return []
        if kind == "released":
            return [ReleasedBlock(released_repetition_shares(self.tokenizer).to(device))]
        share_V, lsep = repetition_shares(self.tokenizer).to(device), self.tokenizer.special.lsep
        return [RepetitionBlock(may_write, share_V, lsep, across=kind == "target")]

    def _may_write(self, side: Side, config: DecodingConfig) -> Sequence[int]:
        # Paper: both sides are masked. Released code: no side, or S^B alone.
        if config.mask == "both" or (config.mask, side) == ("cross", "cross"):
            return self.vocabulary[side]
        return sorted(set(range(len(self.tokenizer))) - set(self.tokenizer.special))


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


def batches_by_length(sources: Sequence[Sequence[int]], max_tokens: int) -> Iterator[list[int]]:
    """Indices of sources of similar length, longest first, each batch under the token budget."""
    order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
    while order:
        size = max(1, max_tokens // len(sources[order[0]]))
        yield order[:size]
        order = order[size:]
