"""Decoding at the paper's size beside transformers and CTranslate2: seconds, share of the limit.

All searches have the same weights, beams and number of steps. transformers masks the vocabulary as
we do; CTranslate2 has no mask and scores the whole vocabulary. CTranslate2 is left out where it is
not installed.
"""

import importlib.util
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import (
    arguments,
    matmul_rate,
    operations,
    peak_memory,
    read_rate,
    show,
    timed,
)
from benchmarks.networks import VOCABULARY, paper_network
from benchmarks.peers import ctranslate2_search, transformers_generate, with_torchs_products
from mclas_lightning.decoding.beam import Beam, n_best_search
from mclas_lightning.decoding.output import OutputLayer, shortlists_of
from mclas_lightning.decoding.processors import RepetitionBlock, SideLengths
from mclas_lightning.decoding.repetition import REPETITION_CHARACTERS
from mclas_lightning.decoding.step import DecoderStep, FixedStep
from mclas_lightning.model.linear import packed
from mclas_lightning.model.seq2seq import Seq2Seq

BOS, EOS, LSEP = 1, 2, 5


class Ours:
    """Our search for targets of ``steps`` tokens, [EOS] included."""

    def __init__(
        self,
        network: Seq2Seq,
        words: Tensor,
        *,
        beam: int,
        steps: int,
        renormalize: bool = True,
        int8: bool = False,
        captured: bool = False,
    ) -> None:
        self.network, self.device = network, network.output_bias.device
        self.captured = captured
        self.beam = Beam(
            width=beam,
            max_length=steps,
            length_penalty=1.0,
            bos_id=BOS,
            eos_id=EOS,
            halving=captured,
        )
        vocabulary = len(network.output_bias)
        shortlists = shortlists_of([words.tolist()], vocabulary, lsep_id=LSEP, eos_id=EOS)
        self.shortlists = shortlists.to(self.device)
        layer = (network.embedding.weight, network.output_bias)
        self.output = OutputLayer(
            *layer, self.shortlists, lsep_id=LSEP, renormalize=renormalize, int8=int8
        )
        share_V = torch.full((vocabulary,), REPETITION_CHARACTERS, device=self.device)
        self.processors = [
            SideLengths(steps - 1, steps - 1, BOS, LSEP),
            RepetitionBlock(self.shortlists, share_V, LSEP),
        ]
        self.in_network = self.in_encoder = 0.0

    @torch.inference_mode()
    def __call__(self, source_BS: Tensor) -> list[list[int]]:
        self.in_network = 0.0
        memory = self._timed(lambda: self.network.encode(source_BS))
        self.in_encoder = self.in_network
        system = (self.network, "decoder", memory, self.output)
        step = FixedStep(*system, self.beam) if self.captured else DecoderStep(*system)
        step, num = _Watched(step, self), len(source_BS)
        found = n_best_search(step, num, self.beam, self.processors, self.device)
        return [list(best.ids) for best, *_ in found]

    def _timed(self, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = call()
        self.in_network += time.perf_counter() - began
        return result


class _Watched:
    """A step that adds up the seconds in the network, so that the search's own are known."""

    def __init__(self, step: DecoderStep, ours: Ours) -> None:
        self.step, self.ours = step, ours
        self.token = step.token

    def __call__(self, last_N: Tensor) -> Tensor:
        return self.ours._timed(lambda: self.step(last_N))

    def select(self, rows_N: Tensor, documents_B: Tensor) -> None:
        self.step.select(rows_N, documents_B)


def main() -> None:
    """Print the report."""
    asked = arguments(
        __doc__ or "", batch=4, source=256, beam=5, steps=64, vocabulary=24_646, curve=0
    )
    network = paper_network(dropout=0.0).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        # Scores are spread, because rounding chooses among near-equal ones. Signs are random, or a
        # random network with tied embeddings repeats its input.
        last = network.decoder("decoder").norm
        last.weight.copy_(4 * torch.randn(last.weight.shape, generator=generator))
    words = 200 + torch.randperm(VOCABULARY - 200, generator=generator)[: asked.vocabulary]
    allowed_V = torch.zeros(VOCABULARY, dtype=torch.bool)
    allowed_V[[*words.tolist(), EOS]] = True
    search = {"beam": asked.beam, "steps": asked.steps}

    def sources(batch: int) -> Tensor:
        return torch.randint(200, VOCABULARY, (batch, asked.source), generator=generator)

    source_BS, rate = sources(asked.batch), matmul_rate()
    report: dict[str, Any] = {"matmul_gflops": rate / 1e9, "memory_gb_per_s": read_rate() / 1e9}
    read = asked.steps * _read_by_a_step(network, asked.vocabulary)
    ours = Ours(network, words, **search)
    whole = Ours(network, words, **search, renormalize=False)
    everything = torch.tensor([i for i in range(VOCABULARY) if i != EOS])
    free = Ours(network, everything, **search)
    # Weights are packed once for all documents, as in a Summarizer; the peers pack none.
    with packed(network.decoders):
        report["ours"] = _measured(ours, source_BS, asked.repeats)
        report["ours"] |= {
            "bookkeeping": 1 - ours.in_network / report["ours"]["last_s"],
            "encoder_s": ours.in_encoder,
            "read_gb_per_s": read / (ours.in_network - ours.in_encoder) / 1e9,
            "peak_gb": peak_memory(),
        }
        counted = operations(lambda: ours(source_BS))
        share = counted / report["ours"]["median_s"] / rate
        report["ours"] |= {"gflop": counted / 1e9, "share_of_matmul_rate": share}
        for batch in (1, 4, 16, 64) if asked.curve else ():
            seconds = _measured(ours, sources(batch), 1)["median_s"]
            report[f"ours, {batch} a batch"] = {"documents_per_s": batch / seconds}
        report["ours, not renormalized"] = _measured(whole, source_BS, 1)
        exact, masked, unmasked = (system(source_BS) for system in (ours, whole, free))
    with packed(network, int8=True):
        small = Ours(network, words, **search, int8=True)
        report["ours, int8"] = _measured(small, source_BS, asked.repeats)
        report["ours, int8"]["same_tokens"] = _agreement(exact, small(source_BS))
    half = network.in_bfloat16()
    with packed(half.decoders):
        system = Ours(half, words, **search)
        report["ours, bf16"] = _measured(system, source_BS, asked.repeats)
        report["ours, bf16"]["same_tokens"] = _agreement(exact, system(source_BS))
    theirs = {"transformers": with_torchs_products(network), "transformers, our products": network}
    for name, its in theirs.items():
        peer = transformers_generate(its, allowed_V, **search, bos=BOS, eos=EOS)
        report[name] = _measured(peer, source_BS, max(1, asked.repeats // 2))
        report[name]["same_tokens"] = _agreement(masked, peer(source_BS))
    if importlib.util.find_spec("ctranslate2"):
        for compute in ("float32", "int8"):
            peer = ctranslate2_search(network, **search, threads=asked.threads, compute=compute)
            name = f"ctranslate2 {compute}"
            report[name] = _measured(peer, source_BS, asked.repeats)
            report[name]["same_tokens"] = _agreement(
                [ids[:-1] for ids in unmasked], peer(source_BS)
            )
    for name in [n for n, value in report.items() if isinstance(value, dict) and "min_s" in value]:
        report[f"ours / {name}"] = report["ours"]["median_s"] / report[name]["median_s"]
    del report["ours / ours"]
    # No search can take less: transformers has the same encoder.
    encoder = report["ours"]["encoder_s"] / report["transformers"]["median_s"]
    report["encoder / transformers"] = encoder
    show(report, asked.json)


def _read_by_a_step(network: Seq2Seq, vocabulary: int) -> int:
    """Bytes of the weights that a step of a search multiplies in float32."""
    once = ("cross_attention.key.weight", "cross_attention.value.weight")  # for a document
    weights = network.decoders.named_parameters()
    layers = sum(w.numel() for name, w in weights if w.dim() == 2 and not name.endswith(once))
    return 4 * (layers + vocabulary * network.embedding.weight.shape[1])


def _measured(
    search: Callable[[Tensor], object], source_BS: Tensor, repeats: int
) -> dict[str, Any]:
    last = 0.0

    def call() -> None:
        nonlocal last
        began = time.perf_counter()
        search(source_BS)
        last = time.perf_counter() - began

    found = timed(call, repeats)
    return {**found, "last_s": last, "s_per_document": found["median_s"] / len(source_BS)}


def _agreement(ours: Sequence[list[int]], theirs: Sequence[list[int]]) -> float:
    """The mean share of a target before the first token that differs."""
    shares = []
    for a, b in zip(ours, theirs, strict=True):
        differ = (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
        shares.append(next(differ, min(len(a), len(b))) / max(len(a), len(b)))
    return statistics.mean(shares)


if __name__ == "__main__":
    main()
