"""The summarizer: a trained network that turns texts into summaries.

Shape letters: S summaries of a target, C columns (``decoding.output``), V vocabulary.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import torch

from mclas_lightning.config.groups import DecodingConfig
from mclas_lightning.data.batch import pad
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.data.vocabulary import Vocabulary
from mclas_lightning.decoding.batches import batch_budget, batches_by_length
from mclas_lightning.decoding.beam import Beam, Hypothesis, n_best_search
from mclas_lightning.decoding.candidates import Candidate, Progress, Search, Summaries, System
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
from mclas_lightning.decoding.step import DecoderStep, FixedStep
from mclas_lightning.errors import InputError, check_range
from mclas_lightning.example import Side
from mclas_lightning.metrics.accents import kept_by_tokenizer
from mclas_lightning.model.device import reading_waits
from mclas_lightning.model.linear import packed
from mclas_lightning.model.malloc import give_freed_memory_back
from mclas_lightning.model.seq2seq import Seq2Seq
from mclas_lightning.task import Task

# Batches of a search after which malloc returns what is free. Each batch has other sizes, which do
# not fit the gaps that earlier batches have left (docs/quality.md).
TRIM_BATCHES = 16

_BATCHES = count(1)  # of this process, whose memory malloc holds


@dataclass(frozen=True, kw_only=True)
class NetworkSummarizer(System):
    """A trained network with its task, tokenizer and target vocabulary.

    With several decoders, the n-th candidate has the n-th best target of each decoder.
    """

    network: Seq2Seq
    task: Task
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    languages: Mapping[Side, str]
    max_source: int
    sentences: str | None = None  # language of the texts, where their sentences are set apart
    trained_in: str = "32-true"  # trainer.precision of the training

    @property
    def writes(self) -> dict[Side, dict[str, bool]]:
        """For each side, whether its summaries can have case and accents."""
        return dict.fromkeys(
            self.task.sides, kept_by_tokenizer(self.tokenizer.backend.backend_tokenizer)
        )

    def resolved(self, config: DecodingConfig) -> DecodingConfig:
        """``config`` with weights=auto decided: bfloat16 on a GPU after a training in bf16."""
        if config.weights != "auto":
            return config
        half = self.trained_in.startswith("bf16") and reading_waits(self.network.output_bias)
        return replace(config, weights="bfloat16" if half else "float32")

    @contextmanager
    def prepared(self, config: DecodingConfig) -> Iterator[Search]:
        """See ``System``."""
        config = self.resolved(config)
        network, int8 = self.network.eval(), config.weights == "int8"
        if int8 and network.output_bias.device.type != "cpu":
            raise InputError("decoding.weights=int8: is for CPUs; take trainer.accelerator=cpu")
        if int8 and not torch.backends.mkldnn.is_available():
            raise InputError("decoding.weights=int8: needs oneDNN, and this torch has none")
        if config.captured and network.output_bias.device.type != "cuda":
            raise InputError(
                "decoding.captured=true: is for GPUs, and the network is on none; set it to false"
            )
        if config.weights == "bfloat16":
            network = network.in_bfloat16()
        outputs = {
            name: self._output(network, sides, config) for name, sides in self.task.targets.items()
        }
        # In 8 bits the whole network is packed; else the decoders, whose products have few rows.
        with packed(network if int8 else network.decoders, int8=int8):
            yield partial(self._search, network, config, outputs)

    def _search(
        self,
        network: Seq2Seq,
        config: DecodingConfig,
        outputs: Mapping[str, OutputLayer],
        texts: Sequence[str],
        num_best: int,
        progress: Progress = lambda done: None,
    ) -> list[list[Candidate]]:
        check_range("n-best", num_best, 1)
        if num_best > config.beam:
            raise InputError(
                f"n-best: expected from 1 to the {config.beam} of decoding.beam, found {num_best}; "
                f"give decoding.beam={num_best}, too"
            )
        sources = self.tokenizer.encode_sources(texts, self.max_source, self.sentences)
        candidates: list[list[Candidate]] = [[] for _ in texts]
        longest = self._beam(max(map(len, self.task.targets.values())), config)
        columns = max(output.shortlists.token_SC.shape[1] for output in outputs.values())
        budget = batch_budget(network, config, longest, columns)
        for indices in batches_by_length(sources, budget):
            batch = [sources[i] for i in indices]
            found = self._search_batch(network, batch, config, outputs, num_best)
            for index, of_text in zip(indices, found, strict=True):
                candidates[index] = of_text
            progress(len(indices))
            if next(_BATCHES) % TRIM_BATCHES == 0:
                give_freed_memory_back()
        return candidates

    def source_lengths(self, texts: Sequence[str]) -> list[int]:
        """The number of ids of each text before it is cut to ``max_source``."""
        whole = self.tokenizer.encode_sources(texts, sys.maxsize, self.sentences)
        return [*map(len, whole)]

    @torch.inference_mode()
    def _search_batch(
        self,
        network: Seq2Seq,
        sources: list[list[int]],
        config: DecodingConfig,
        outputs: Mapping[str, OutputLayer],
        num_best: int,
    ) -> list[list[Candidate]]:
        device = network.output_bias.device
        memory = network.encode(pad(sources, self.tokenizer.special.pad).to(device))
        found: list[list[list[Hypothesis]]] = []  # by decoder, then by document
        for decoder, sides in self.task.targets.items():
            output = outputs[decoder]
            beam = replace(self._beam(len(sides), config), num_best=num_best)
            system = (network, decoder, memory, output)
            step = FixedStep(*system, beam) if config.captured else DecoderStep(*system)
            processors = self._processors(sides, config, output.shortlists)
            found.append(n_best_search(step, len(sources), beam, processors, device))
        # A decoder that found fewer hypotheses than another limits their document's candidates.
        return [
            [self._candidate(targets) for targets in zip(*of_document, strict=False)]
            for of_document in zip(*found, strict=True)
        ]

    def _candidate(self, targets: Sequence[Hypothesis]) -> Candidate:
        """The candidate of one target of each decoder."""
        summaries: Summaries = {}
        for decoder, target in zip(self.task.targets, targets, strict=True):
            parts = self.task.split(decoder, target.ids, self.tokenizer.special)
            for side, ids in parts.items():
                summaries[side] = self.tokenizer.decode(ids, self.languages[side])
        return Candidate(summaries=summaries, score=sum(target.score for target in targets))

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
            sure=config.bound == "longest",
            halving=config.captured,
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
